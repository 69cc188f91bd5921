"""The verification sweep: a slow look at everybody's whole record, for what no event told.

A sweep looks and compares, and changes no link and no record. Whoever is not as known is made due, and a round does what
it does after any fact: it looks again, follows, and writes what a loss owes. So two never work on one therapist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.decide import decide
from credsync.core.denials import FORBIDDEN, Denied, Verb, objects_denied
from credsync.core.links import LinkState
from credsync.core.observations import NotSeen
from credsync.core.schedule import Policy
from credsync.core.slots import TypeSight
from credsync.core.verification import answered, differs, rest_after
from credsync.hubspot.counted import calls_counted
from credsync.hubspot.daily import ASSOCIATION_CALLS
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.lanes import Lane, in_lane
from credsync.hubspot.objects import NotRead, Record, batch_read
from credsync.hubspot.paths import Bucket
from credsync.reconcile.claims import shared_records, taken_records
from credsync.reconcile.denials import Learnt, unreadable
from credsync.reconcile.observe import Sights, observe, types_to_look_at
from credsync.store import in_thread, portals
from credsync.store.cases import Claimed, next_due_at
from credsync.store.database import Database
from credsync.store.delays import keep_creation_times
from credsync.store.leases import Lease, LeaseLost, fence
from credsync.store.row_locks import lock_therapists
from credsync.store.verification import (
    may_sweep_from,
    oldest_verified,
    sweep_again_from,
    take_up_again,
    verified,
)

_log = structlog.get_logger("credsync")

MOST_THERAPISTS = 1_000
"""As many as one association call takes."""
MOST_CREATION_TIMES = 1_000
"""Records whose creation time is asked for in one sweep: ten calls."""
EXPECTED_CALLS = 50
"""What is set aside before a sweep begins; what it took is known afterwards."""
POLL, SHORTEST_POLL = 30.0, 0.2
"""Seconds between looks whether a sweep may begin, and the least of them at any speed."""
_SILENT = timedelta(minutes=15)
"""How long sweeps rest when HubSpot answered none of one."""

_Creation = Mapping[tuple[str, str, str], datetime]
"""By therapist, slot and record id."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did. `changed` are the therapists a round must take now."""

    therapists: int
    changed: Sequence[str]
    creation_times: int
    calls: int


@dataclass(slots=True)
class Sweep:
    """One portal's sweeps."""

    database: Database
    edge: Edge
    policy: Policy
    names: Callable[[datetime], Awaitable[Names | None]]
    """What HubSpot calls things, as the rounds know it; None while it cannot be asked."""
    learn: Callable[[Lease, Learnt], Awaitable[None]]
    """Takes what HubSpot's answers said of the token, so that the portal stands aside there."""
    speed: float = 1.0
    daily_calls: int | None = None
    """Instead of what HubSpot tells."""

    async def beside_rounds(
        self, lease: Lease, wake: Callable[[], None], may_begin: Callable[[], bool]
    ) -> None:
        """Sweep for ever, whenever it is time; `wake` is called when a round is to take what was found."""
        while True:
            await anyio.sleep(max(SHORTEST_POLL, POLL / self.speed))
            report = await self.attempt(lease) if may_begin() else None
            if report is not None and report.changed:
                wake()

    async def attempt(self, lease: Lease) -> SweepReport | None:
        """A turn; a fault of ours in it is logged and must not stop the rounds. Raises `LeaseLost`."""
        try:
            return await self.turn(lease)
        except (LeaseLost, SQLAlchemyError):
            raise
        except Exception:  # noqa: BLE001 - as it says
            _log.exception(
                "sweep.failed",
                portal=self.edge.portal.name,
                remedy="nothing was changed; it is tried again in some minutes. Report this line",
            )
            return None

    async def turn(self, lease: Lease) -> SweepReport | None:
        """One sweep of up to 1,000 therapists, if it is time and nothing else is due; None if not.

        Raises `LeaseLost` when the portal is no longer ours; then nothing of it is kept.
        """
        now = self.database.clock.now()
        claimed = await in_thread.read(self.database, self._claim, now)
        if not claimed:
            return None
        await in_thread.write(self.database, self._set_aside, lease, now)
        learnt = Learnt()
        with in_lane(Lane.SWEEP), calls_counted() as calls:
            names = await self.names(now)
            if names is None:
                return None
            status = await in_thread.read(self.database, portals.status_of, self.edge.portal.name)
            unasked = unreadable(status.denied, self.policy.look_again_max)
            sights = await self._look(names, claimed, unasked)
            learnt.from_sights(self.edge.portal, sights, unasked)
            changed, unknown = await in_thread.read(self.database, self._compare, claimed, sights, now)
            created = await self._creation_times(names, unknown, learnt, unasked)
        if learnt:
            await self.learn(lease, learnt)
        silent = all(not answered(sights.get(c.case.therapist_id, {})) for c in claimed)
        rest = max(
            rest_after(calls.made, self._daily_calls(), self.speed),
            _SILENT / self.speed if silent else timedelta(0),
        )
        await in_thread.write(self.database, self._keep, lease, claimed, sights, changed, now, now + rest)
        kept = await in_thread.write(self.database, self._keep_creation_times, lease, created)
        report = SweepReport(len(claimed), changed, kept, calls.made)
        _log.info(
            "sweep.finished",
            portal=self.edge.portal.name,
            therapists=report.therapists,
            changed=len(changed),
            creation_times=kept,
            calls=calls.made,
        )
        return report

    def _daily_calls(self) -> int:
        """The smaller of HubSpot's daily limits, for associations and for all calls, as far as it told them."""
        if self.daily_calls is not None:
            return self.daily_calls
        told = [self.edge.client.daily.allowed_by_hubspot(bucket) for bucket in Bucket]
        return min(each for each in (ASSOCIATION_CALLS, *told) if each)

    def _claim(self, connection: Connection, now: datetime) -> list[Claimed]:
        portal = self.edge.portal
        begins = may_sweep_from(connection, portal.name)
        if begins is not None and now < begins:
            return []
        status = portals.status_of(connection, portal.name)
        if status.paused_at is not None or self._may_read_nothing(status.denied):
            return []
        due = next_due_at(connection, portal.name)
        if due is not None and due <= now:
            return []
        every = self.policy.verify_every
        return oldest_verified(connection, portal.name, portal.digest, now, every, MOST_THERAPISTS)

    def _set_aside(self, connection: Connection, lease: Lease, now: datetime) -> None:
        """Whoever takes over in the middle begins no other sweep before the calls of this one are made up for."""
        fence(connection, lease)
        expected = rest_after(EXPECTED_CALLS, self._daily_calls(), self.speed)
        sweep_again_from(connection, self.edge.portal.name, now + expected)

    def _may_read_nothing(self, denied: Iterable[Denied]) -> bool:
        return objects_denied(denied, Verb.READ) >= {rule.object for rule in self.edge.portal.slots.values()}

    async def _look(self, names: Names, claimed: Sequence[Claimed], unasked: Mapping[str, NotSeen]) -> Sights:
        cases = [each.case for each in claimed]
        wanted = {case.therapist_id: types_to_look_at(self.edge.portal, case, False, True) for case in cases}
        return await observe(self.edge, names, cases, wanted, unreadable=unasked)

    def _compare(
        self, connection: Connection, claimed: Sequence[Claimed], sights: Sights, now: datetime
    ) -> tuple[list[str], list[tuple[str, str, str]]]:
        """Who is not as known; and of the others the found records of unknown creation."""
        portal = self.edge.portal
        shared = shared_records(connection, portal, [c.case.therapist_id for c in claimed], sights)
        taken = taken_records(connection, shared)
        changed: list[str] = []
        unknown: list[tuple[str, str, str]] = []
        for case in (each.case for each in claimed):
            seen = answered(sights.get(case.therapist_id, {}))
            try:
                mine, others = shared.get(case.therapist_id, {}), taken.get(case.therapist_id, ())
                decision = decide(portal, case, seen, mine, now, self.policy, taken=others)
            except Exception:  # noqa: BLE001 - one therapist's trouble must not stop the others; a round will tell it
                changed.append(case.therapist_id)
                continue
            if differs(case, decision):
                changed.append(case.therapist_id)
                continue
            unknown += [
                (case.therapist_id, slot, link.record_id)
                for slot, link in case.links.items()
                if link.state is LinkState.FOUND
                and link.record_id is not None
                and link.record_created_at is None
                and portal.slot_rule(slot) is not None
            ]
        return changed, unknown[:MOST_CREATION_TIMES]

    async def _creation_times(
        self,
        names: Names,
        unknown: Sequence[tuple[str, str, str]],
        learnt: Learnt,
        unasked: Collection[str],
    ) -> _Creation:
        """When records were created, as far as HubSpot tells: one call for each hundred of a type."""
        by_object: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for each in unknown:
            rule = self.edge.portal.slot_rule(each[1])
            assert rule is not None, "asked only for slots of the portal file"
            by_object[rule.object].append(each)
        created: dict[tuple[str, str, str], datetime] = {}
        for key, wanted in by_object.items():
            if key in unasked:
                continue
            ids = sorted({record_id for _, _, record_id in wanted})
            read = await batch_read(self.edge.client, names.type_id(key), ids, ())
            learnt.from_readings(key, (each for each in read.values() if isinstance(each, NotRead)))
            for each in wanted:
                reading = read[each[2]]
                if isinstance(reading, Record) and reading.created_at is not None:
                    created[each] = reading.created_at
        return created

    def _keep(
        self,
        connection: Connection,
        lease: Lease,
        claimed: Sequence[Claimed],
        sights: Sights,
        changed: Sequence[str],
        now: datetime,
        next_from: datetime,
    ) -> None:
        """Store what came of it. Who was not answered is asked again soon."""
        fence(connection, lease)
        everybody = {each.case.therapist_id for each in claimed}
        lock_therapists(connection, everybody)
        unanswered = {
            therapist
            for therapist in everybody
            if any(_may_be_answered_soon(sight) for sight in sights.get(therapist, {}).values())
        }
        verified(connection, everybody - unanswered, now)
        verified(connection, unanswered, now - self.policy.verify_every * 23 / 24)
        take_up_again(connection, changed, now)
        sweep_again_from(connection, self.edge.portal.name, next_from)

    def _keep_creation_times(self, connection: Connection, lease: Lease, created: _Creation) -> int:
        fence(connection, lease)
        return keep_creation_times(connection, self.edge.portal.name, created)


def _may_be_answered_soon(sight: TypeSight) -> bool:
    """What the token may not see is not asked for again an hour later, whatever else of the therapist was seen."""
    return isinstance(sight, NotSeen) and sight.code not in FORBIDDEN
