"""Tells open pages that something has happened, as server-sent events, so that they may show it (WHATWG HTML, 9.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Final

import anyio
from anyio import CapacityLimiter
from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from credsync.core.phrases import phrase
from credsync.store.tables import events
from credsync.web.asking import ask
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.render import HEADERS

EVERY: Final = 2.0
"""Seconds between two looks at the feed, one for all who listen; none while nobody does."""
MOST_LISTENERS: Final = 100
_LONGEST: Final = 300
"""Looks after which a stream ends; the browser opens it again by itself, and is asked again who it is."""
_RETRY_MS: Final = 3_000


class Pulse:
    """Knows the newest place of the feed of events; looks at most once in `EVERY` seconds, however many ask."""

    def __init__(self, context: ConsoleContext, limiter: CapacityLimiter, now: Callable[[], float]) -> None:
        self._context = context
        self._limiter = limiter
        self._now = now
        self._looked_at: float | None = None
        self._place = 0
        self._lock = anyio.Lock()

    async def place(self) -> int:
        """The newest event's place."""
        async with self._lock:
            now = self._now()
            if self._looked_at is None or now - self._looked_at >= EVERY:
                self._place = await ask(self._context.database, self._limiter, _newest)
                self._looked_at = now
        return self._place


def _newest(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())


class Live:
    """The handler."""

    def __init__(
        self,
        context: ConsoleContext,
        limiter: CapacityLimiter,
        now: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._pulse = Pulse(context, limiter, now)
        self._listeners = 0

    async def live(self, _request: Request) -> Response:
        """A stream: one `changed` with the newest place at once, and one each time it grew."""
        if self._listeners >= MOST_LISTENERS:
            message = phrase(
                "{most} pages are live already. Load the page anew to see what is new.", most=MOST_LISTENERS
            )
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, phrase("This page cannot be live now"), message)
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            yield f"retry: {_RETRY_MS}\n\n"
            told = -1
            for _ in range(_LONGEST):
                place = await self._pulse.place()
                yield (
                    f"event: changed\nid: {place}\ndata: {place}\n\n" if place != told else ": still here\n\n"
                )
                told = place
                await anyio.sleep(EVERY)
        finally:
            self._listeners -= 1
