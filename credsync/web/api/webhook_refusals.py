"""Counts the webhooks that were refused: strangers move a counter and a log line every few seconds, and no more."""

from __future__ import annotations

import asyncio

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.events import EventName
from credsync.store.database import Database
from credsync.store.webhooks import note_refused

TOLD_EVERY = 5.0
"""Seconds between two times that counts are written and logged."""
_log = structlog.get_logger("credsync")


class Refusals:
    """Counts of this process not yet written, by portal. The first is written at once, the rest a little later."""

    def __init__(self, database: Database, limiter: CapacityLimiter) -> None:
        self._database = database
        self._limiter = limiter
        self._counts: dict[str, tuple[int, str]] = {}
        self._told_at = -TOLD_EVERY
        self._telling: asyncio.Task[None] | None = None

    def count(self, portal: str, flaw: str) -> None:
        """One more. `portal` is empty for one that nobody has; `flaw` says what was wrong, for the operator alone."""
        counted, _ = self._counts.get(portal, (0, ""))
        self._counts[portal] = counted + 1, flaw
        if self._telling is None or self._telling.done():
            loop = asyncio.get_running_loop()
            self._telling = loop.create_task(self._tell_after(self._told_at + TOLD_EVERY - loop.time()))

    async def tell(self) -> None:
        """Write and log what was counted; while the database is away it is kept."""
        counts, self._counts = self._counts, {}
        self._told_at = asyncio.get_running_loop().time()
        if not counts:
            return
        try:
            await to_thread.run_sync(self._write, counts, limiter=self._limiter)
        except SQLAlchemyError:
            for portal, (count, flaw) in counts.items():
                later, newest = self._counts.get(portal, (0, flaw))
                self._counts[portal] = count + later, newest
            return
        for portal, (count, flaw) in counts.items():
            _log.warning(
                EventName.WEBHOOK_REFUSED.value,
                portal=portal or None,
                count=count,
                reason=flaw,
                remedy="none, if these are strangers; if they are HubSpot's, run `credsync doctor`",
            )

    async def _tell_after(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
        await self.tell()

    def _write(self, counts: dict[str, tuple[int, str]]) -> None:
        now = self._database.clock.now()
        with self._database.write() as connection:
            for portal, (count, flaw) in sorted(counts.items()):
                note_refused(connection, portal, count, flaw, now)
