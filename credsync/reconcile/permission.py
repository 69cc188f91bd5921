"""Stands aside where HubSpot refuses the token, as a whole or for one object type and verb, and goes on by itself.

A refused token pauses the portal; what is denied of one type waits while all else goes on. Both are in the portal's
row, so that whoever takes the portal over stands aside as well. A person's pause is never ended here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable

from sqlalchemy import Connection

from credsync.core.denials import Denied, Verb
from credsync.core.events import TimelineEvent
from credsync.core.reasons import Reason, sentence
from credsync.hubspot.edge import Edge, Names
from credsync.reconcile.denials import Learnt
from credsync.reconcile.probes import Probed, Probes
from credsync.store import in_thread, portals, timeline
from credsync.store.database import Database
from credsync.store.denials import deny, permit
from credsync.store.leases import Lease
from credsync.store.portals import PortalStatus


class Permission:
    """One portal's, in the process that owns it."""

    def __init__(
        self,
        database: Database,
        edge: Edge,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._edge = edge
        self._name = edge.portal.name
        self._probes = Probes(edge, speed, clock)
        self._lacking: Collection[Probed] = ()

    def take(self, status: PortalStatus) -> None:
        """Learn from the portal's row what is lacking."""
        lacking: list[Probed] = [(each.object, each.verb) for each in status.denied]
        self._lacking = [*lacking, None] if status.paused_by_us else lacking

    def due_in(self) -> float | None:
        """Seconds until the next probe; None while nothing is lacking."""
        return self._probes.due_in(self._lacking)

    async def token_refused(self, lease: Lease) -> None:
        """Pause the portal until the token is taken again. Raises `LeaseLost`."""
        self._probes.just_denied([None])
        self._edge.stale()
        now, why = self._database.clock.now(), sentence(Reason.PORTAL_UNAUTHORIZED)
        await self._tell(lambda c: portals.pause_ourselves(c, lease, self._name, why, now))

    async def token_taken(self, lease: Lease) -> bool:
        """Whether a pause of ours is over: the token was tried, if it is time, and taken. Raises `LeaseLost`."""
        if not await self._probes.token_works():
            return False
        now = self._database.clock.now()
        return bool(await self._tell(lambda c: portals.resume_ourselves(c, lease, self._name, now)))

    def just_denied(self, denied: Iterable[Denied]) -> None:
        """A round was denied these and has stored it."""
        self._probes.just_denied((each.object, each.verb) for each in denied)

    def lacks(self, object_key: str, verb: Verb) -> bool:
        """Whether HubSpot denied this and was not found to permit it again."""
        return (object_key, verb) in self._lacking

    async def learn(self, lease: Lease, learnt: Learnt) -> None:
        """Store what an answer said of the token, and stand aside. Raises `LeaseLost`."""
        if learnt.denied:
            denied = learnt.denied.values()
            await in_thread.write(self._database, deny, lease, self._name, denied)
            self.just_denied(denied)
        if learnt.unauthorized:
            await self.token_refused(lease)

    def is_time_to_try(self) -> bool:
        """Whether something may be tried again now."""
        due = self.due_in()
        return due is not None and due <= 0

    async def still_denied(self, lease: Lease, denied: Collection[Denied], names: Names) -> list[Denied]:
        """What is left of this after trying what it is time to try; who waited for the rest is due now.

        Raises `LeaseLost`.
        """
        passed = await self._probes.permitted(denied, names)
        if passed:
            now = self._database.clock.now()
            await in_thread.write(self._database, permit, lease, self._name, passed, now)
            if any((each.object, each.verb) in passed for each in names.denied):
                self._edge.stale()
        return [each for each in denied if (each.object, each.verb) not in passed]

    async def _tell(self, change: Callable[[Connection], list[TimelineEvent]]) -> list[TimelineEvent]:
        happened = await in_thread.write(self._database, change)
        await in_thread.aside(self._database, lambda: timeline.log(happened))
        return happened
