"""Shares portals out over the workers of one database, and keeps what this one holds, all with one beat.

Workers know of each other by the leases alone: each holds one for itself. Who has more than its share gives portals back
between two rounds; who has less takes them. `core/sharing` has the rule.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import anyio
import structlog
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.sharing import may_take, to_give_back
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.store import in_thread, leases
from credsync.store.database import Database
from credsync.store.leases import OF_A_PORTAL, OF_A_WORKER

_log = structlog.get_logger("credsync")

FRESH = 0.5
"""Seconds for which it is believed who holds what."""
KEPT_FOR = 600.0
"""Seconds for which a portal that nobody else wanted is not offered again."""
_OFTENER = 0.8
"""Of the holders' own beat, so that they find their leases renewed."""
_EVENED_EVERY = 3
"""Beats."""


class Shared(Protocol):
    """A portal's loop, as far as it can be shared out."""

    name: str

    @property
    def holder(self) -> LeaseHolder:
        """Holds its lease."""
        ...

    def give_up(self) -> None:
        """Give the portal back after the round that is under way."""
        ...


@dataclass(slots=True)
class Spread:
    """One worker process's. `portals` is filled before it runs."""

    database: Database
    worker: str
    lease_for: timedelta
    clock: Callable[[], float] = time.monotonic
    portals: Mapping[str, Shared] = field(default_factory=dict)
    _held: Mapping[str, str] = field(default_factory=dict)
    _known_at: float = float("-inf")
    _free_since: dict[str, float] = field(default_factory=dict)
    _kept_until: dict[str, float] = field(default_factory=dict)
    _leaving: set[str] = field(default_factory=set)
    _beats: int = 0

    async def beat(self) -> None:
        """Keep what is held and even it out, until cancelled; no failure of the database ends it."""
        try:
            while True:
                with contextlib.suppress(SQLAlchemyError, TimeoutError), anyio.fail_after(self._seconds / 2):
                    await self.turn()
                await anyio.sleep(self._seconds / 4 * _OFTENER)
        finally:
            with anyio.CancelScope(shield=True), contextlib.suppress(SQLAlchemyError):
                await in_thread.write(self.database, leases.leave, self.worker)

    async def may_take(self, name: str) -> bool:
        """Whether this worker is to try for a portal now: it is free, and is in its share or wanted by nobody else."""
        if self.clock() - self._known_at > FRESH:
            await self._learn()
        if OF_A_PORTAL + name in self._held:
            return False
        now = self.clock()
        waited = now - self._free_since.get(name, now) >= self._seconds / 2
        mine, others = self._counts()
        if not may_take(mine, len(self.portals), others, nobody_else=waited):
            return False
        if waited:
            self._kept_until[name] = now + KEPT_FOR
        return True

    @property
    def _seconds(self) -> float:
        return self.lease_for.total_seconds()

    async def turn(self) -> None:
        """One beat: renew what is held; now and then see what others have, and even it out."""
        asked = self.clock()
        held = [name for name, each in self.portals.items() if each.holder.holds]
        renewed = await in_thread.write(self.database, leases.renew_all, self.worker, held, self._seconds)
        for name, token in renewed.items():
            portal = self.portals.get(name.removeprefix(OF_A_PORTAL))
            if portal is not None:
                portal.holder.beaten(asked, token)
        if OF_A_WORKER + self.worker not in renewed:
            await in_thread.write(self.database, leases.join, self.worker, self._seconds)
        if self._beats % _EVENED_EVERY == 0:
            await self._learn()
            self._even_out()
        self._beats += 1

    async def _learn(self) -> None:
        asked = self.clock()
        self._held = await in_thread.read(self.database, leases.held_now)
        self._known_at = asked
        free = {name for name in self.portals if OF_A_PORTAL + name not in self._held}
        self._free_since = {name: self._free_since.get(name, asked) for name in free}

    def _even_out(self) -> None:
        mine, others = self._counts()
        give = to_give_back(mine, len(self.portals), others)
        now = self.clock()
        willing = [name for name in self._mine() if self._kept_until.get(name, 0.0) <= now]
        for name in willing[max(0, len(willing) - give) :] if give else ():
            _log.info("portal.given_back", portal=name, what="another worker has fewer portals than this one")
            self._leaving.add(name)
            self.portals[name].give_up()

    def _counts(self) -> tuple[int, list[int]]:
        """How many of this process's portals it has itself, and how many each other worker has."""
        workers = {name.removeprefix(OF_A_WORKER): 0 for name in self._held if name.startswith(OF_A_WORKER)}
        workers.pop(self.worker, None)
        for name, owner in self._held.items():
            if name.startswith(OF_A_PORTAL) and owner in workers:
                workers[owner] += 1
        return len(self._mine()), list(workers.values())

    def _mine(self) -> list[str]:
        """What it holds and is to keep."""
        held = {name for name, each in self.portals.items() if each.holder.holds}
        self._leaving &= held
        return [name for name in self.portals if name in held and name not in self._leaving]
