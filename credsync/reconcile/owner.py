"""What the owner of a portal does under its lease, turn by turn: a round if somebody is due, and what stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy import Connection

from credsync.core.denials import Denied, Verb
from credsync.core.portal import CONTACT, Mode
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge
from credsync.hubspot.lanes import Lane, in_lane
from credsync.reconcile.allowance import Allowance
from credsync.reconcile.deadlines import Deadlines
from credsync.reconcile.denials import Learnt
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.permission import Permission
from credsync.reconcile.report import RoundReport
from credsync.reconcile.round import Round
from credsync.reconcile.silence import pause_after
from credsync.reconcile.sweep import Sweep
from credsync.reconcile.sync_urls import SyncUrls
from credsync.reconcile.usable import Usable
from credsync.reconcile.wake import Wake
from credsync.reconcile.watch import Watch
from credsync.store import in_thread, leases, portals
from credsync.store.bringing_back import bring_back
from credsync.store.cases import next_due_at
from credsync.store.database import Database
from credsync.store.leases import Lease

POLL = 2.5
"""Seconds between looks at the database when nothing wakes us: facts may come through another process."""


class Idle(Enum):
    """Why there was no round."""

    PAUSED = auto()
    """By a person: nothing is looked at, so alerts stay as they are."""
    TOKEN_REFUSED = auto()
    OVER_FOR_TODAY = auto()
    UNUSABLE = auto()


class Owner:
    """One portal's, in this process; `holder` holds its lease.

    `on_round` is told of each round: its therapists, the records it sent, and its seconds. `clock` gives seconds, as the
    loop's own time does, and `poll` is how many of them may pass between looks at the database.
    """

    def __init__(
        self,
        database: Database,
        edge: Edge,
        policy: Policy,
        owner: str,
        lease_for: timedelta,
        watch: Watch,
        wake: Wake,
        *,
        speed: float = 1.0,
        public_url: str | None = None,
        on_round: Callable[[int, int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL,
    ) -> None:
        self.stopping = False
        allowance = Allowance(edge)
        self.holder = LeaseHolder(database, edge.portal.name, owner, lease_for, allowance, clock)
        self._database = database
        self._edge = edge
        self._name = edge.portal.name
        self._deadlines = Deadlines(database, edge.portal, policy)
        self._watch = watch
        self._wake = wake
        self._speed = speed
        self._on_round = on_round
        self._clock = clock
        self._poll = poll
        self._sync_urls = SyncUrls(database, edge, public_url, speed)
        self._permission = Permission(database, edge, speed, clock)
        self._usable = Usable(database, edge, self.holder, allowance, self._permission, watch)

    async def sweep(self, lease: Lease) -> None:
        """Sweep beside the rounds, for as long as the lease is held."""
        sweep = Sweep(
            self._database,
            self._edge,
            self._deadlines.policy,
            lambda _: self._usable.names(lease),
            self._learn,
            self._speed,
        )
        await sweep.beside_rounds(lease, self._wake.set, lambda: not self._usable.silences)

    async def rounds(self, lease: Lease) -> None:
        """Run rounds until the worker stops. Raises `LeaseLost` when the portal is no longer ours."""
        status = await in_thread.read(self._database, portals.status_of, self._name)
        await self._usable.restore(status)
        if self._edge.portal.hubspot.mode is Mode.WRITE:
            await in_thread.write(self._database, self._take_up_observed, lease)
        if status.paused_at is None and not await self._usable.over_for_today(lease):
            await self._usable.names(lease)
        while not self.stopping:
            report = await self._turn(lease)
            if isinstance(report, RoundReport):
                await self._write_sync_urls(lease)
            if report is not Idle.PAUSED:
                await self._watch.look(lease, self._edge.known_names)
            ran = isinstance(report, RoundReport) and report.therapists > 0
            if self._usable.silences and (ran or report is Idle.UNUSABLE):
                asked = report.retry_after if isinstance(report, RoundReport) else None
                await self.stay_away(pause_after(self._usable.silences, asked, self._speed), lease)
            else:
                await self._wake.wait(await self._rest(report))

    def _take_up_observed(self, connection: Connection, lease: Lease) -> None:
        """What was to be written before the portal only observed goes now that it writes."""
        leases.fence(connection, lease)
        bring_back(connection, self._name, Reason.OBSERVE_ONLY, self._database.clock.now())

    async def _turn(self, lease: Lease) -> RoundReport | Idle:
        """One round, if the portal is neither paused nor unusable, and has calls left today."""
        status = await in_thread.read(self._database, portals.status_of, self._name)
        self._permission.take(status)
        if status.paused_at is not None and not status.paused_by_us:
            return Idle.PAUSED
        if await self._usable.over_for_today(lease):
            return Idle.OVER_FOR_TODAY
        if status.paused_by_us:
            if not await self._permission.token_taken(lease):
                return Idle.TOKEN_REFUSED
            self._watch.note()
        denied = await self._still_denied(lease, status.denied)
        now = self._database.clock.now()
        due = await in_thread.read(self._database, next_due_at, self._name)
        if due is None or due > now:
            return RoundReport() if await self._usable.after_idle(lease) else Idle.UNUSABLE
        names = await self._usable.names(lease)
        if names is None:
            return Idle.UNUSABLE
        await self.holder.renew(lease)
        await self._deadlines.judge_again(lease, now)
        began = self._clock()
        policy = self._deadlines.policy
        report = await Round(self._database, self._edge, names, lease, policy, denied).run()
        if self._on_round is not None:
            self._on_round(report.therapists, report.sent, self._clock() - began)
        self._watch.note()
        await self._usable.after_round(lease, report, names)
        return report

    async def _still_denied(self, lease: Lease, denied: Sequence[Denied]) -> Sequence[Denied]:
        """What the token may not do, after trying what it is time to try."""
        if not denied or not self._permission.is_time_to_try():
            return denied
        names = await self._usable.names(lease)
        if names is None:
            return denied
        await self.holder.renew(lease)
        left = await self._permission.still_denied(lease, denied, names)
        if len(left) < len(denied):
            self._watch.note()
        return left

    async def _write_sync_urls(self, lease: Lease) -> None:
        """After a round, or while none is due: at most one call."""
        now = self._database.clock.now()
        if self._permission.lacks(CONTACT, Verb.WRITE):
            return
        contacts = await self._sync_urls.due(now)
        names = await self._usable.names(lease) if contacts else None
        if names is not None:
            await self.holder.renew(lease)
            with in_lane(Lane.SWEEP):
                learnt = await self._sync_urls.write(contacts, names, lease)
            if learnt:
                await self._learn(lease, learnt)

    async def _learn(self, lease: Lease, learnt: Learnt) -> None:
        self._watch.note()
        await self._permission.learn(lease, learnt)

    async def stay_away(self, seconds: float, lease: Lease | None = None) -> None:
        """Sleep on, whatever wakes us, unless we are to stop; what is an alert by then opens under the lease."""
        ends = self._clock() + seconds
        while not self.stopping and (left := ends - self._clock()) > 0:
            await self._wake.wait(left if lease is None else min(left, self._watch.due_in()))
            if lease is not None:
                await self._watch.look(lease, self._edge.known_names)

    async def _rest(self, report: RoundReport | Idle) -> float:
        """Seconds until the next look at the database."""
        if report is Idle.PAUSED:
            return self._poll
        probe = self._permission.due_in()
        rest = min(self._poll, self._watch.due_in(), self._poll if probe is None else probe)
        if not isinstance(report, RoundReport):
            return rest
        due = await in_thread.read(self._database, next_due_at, self._name)
        if due is None:
            return rest
        return min(rest, max(0.0, (due - self._database.clock.now()).total_seconds()))
