"""Owns portals: one owner per portal, by a lease, taken whenever it is free; no failure ends the loop.

What is left undone by a crash, a lost lease or a silent HubSpot is still due in the database: nothing is queued here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import anyio
import structlog
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.alerts import Alert
from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.outage import Outage
from credsync.reconcile.owner import POLL, Owner
from credsync.reconcile.spread import Spread
from credsync.reconcile.wake import Wake
from credsync.reconcile.watch import Watch
from credsync.store.database import Database
from credsync.store.leases import LeaseLost

_log = structlog.get_logger("credsync")

FAILURE_PAUSE = 2.0
"""Seconds before the next try after our own side failed."""


class PortalWorker:
    """The loop of one portal in this process.

    `on_round`, `clock` and `poll` are the owner's. `tell` gets every alert that was opened or closed; `watch` looks for
    their causes, by default as fast as `speed` says. `spread` shares portals out where there may be several workers.
    """

    def __init__(
        self,
        database: Database,
        edge: Edge,
        policy: Policy,
        owner: str,
        lease_for: timedelta,
        speed: float = 1.0,
        public_url: str | None = None,
        on_round: Callable[[int, int, float], None] | None = None,
        tell: Callable[[Sequence[Alert]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL,
        watch: Watch | None = None,
        spread: Spread | None = None,
    ) -> None:
        self.name = edge.portal.name
        self.wake = Wake(clock)
        self._outage = Outage(self.name, clock)
        self._edge = edge
        self._spread = spread
        self._owner = Owner(
            database,
            edge,
            policy,
            owner,
            lease_for,
            watch or Watch(database, edge.portal, speed, tell, clock=clock),
            self.wake,
            self._outage,
            speed=speed,
            public_url=public_url,
            on_round=on_round,
            clock=clock,
            poll=poll,
        )

    async def run(self) -> None:
        """Take the lease whenever it is free and run rounds under it, until `stop`. No failure ends this loop."""
        while not self._owner.stopping:
            pause = 0.0
            try:
                await self._own_when_free()
            except* LeaseLost:
                _log.warning(
                    "lease.lost", portal=self.name, remedy="none needed: whoever holds the lease goes on"
                )
            except* SQLAlchemyError as errors:
                pause = self._outage.failed(_first(errors))
            except* Exception as errors:  # noqa: BLE001 - logged; what was due is due still
                pause = FAILURE_PAUSE
                _log.error(
                    "round.failed",
                    portal=self.name,
                    exc_info=_first(errors),
                    remedy="what was due is due still and tried again; report this line",
                )
            if pause:
                await self._owner.stay_away(pause)

    @property
    def holder(self) -> LeaseHolder:
        """Holds its lease."""
        return self._owner.holder

    def give_up(self) -> None:
        """Give the portal back after the round that is under way."""
        self._owner.leaving = True
        self.wake.set()

    def stop(self) -> None:
        """End after the round that is under way."""
        self._owner.stopping = True
        self.wake.set()

    async def aclose(self) -> None:
        """Give back the connections to HubSpot."""
        await self._edge.client.aclose()

    async def _own_when_free(self) -> None:
        owner, holder = self._owner, self._owner.holder
        if self._spread is not None and not await self._spread.may_take(self.name):
            await self.wake.wait(owner.poll)
            return
        lease = await holder.take()
        if lease is None:
            self._outage.standing_by()
            await self.wake.wait(holder.beat)
            return
        owner.leaving, self._edge.client.guard = False, holder.require
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(holder.keep, lease)
                tasks.start_soon(owner.sweep, lease)
                await owner.rounds(lease)
                tasks.cancel_scope.cancel()
        finally:
            await holder.give_back(lease)


def _first(errors: BaseException) -> BaseException:
    """What failed first: a round fails inside its owner's tasks, so that failures come in groups of groups."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


async def run_workers(workers: Iterable[PortalWorker]) -> None:
    """Run every portal's loop until each is stopped, or this is cancelled."""
    running = list(workers)
    try:
        async with anyio.create_task_group() as tasks:
            for worker in running:
                tasks.start_soon(worker.run)
    finally:
        with anyio.CancelScope(shield=True):
            for worker in running:
                await worker.aclose()
