"""What the owner of a portal does under its lease, turn by turn: a round if somebody is due, and what stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from credsync.core.denials import Denied, Verb
from credsync.core.portal import CONTACT, Mode
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.lanes import Lane, in_lane
from credsync.reconcile.allowance import Allowance
from credsync.reconcile.deadlines import Deadlines
from credsync.reconcile.denials import Learnt
from credsync.reconcile.flights import MOST, Ended, Flights
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.outage import Outage
from credsync.reconcile.permission import Permission
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
        outage: Outage,
        *,
        speed: float = 1.0,
        public_url: str | None = None,
        on_round: Callable[[int, int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL,
    ) -> None:
        self.stopping = False
        self.leaving = False
        """The portal is to be given back, to a worker that has fewer."""
        allowance = Allowance(edge)
        self.holder = LeaseHolder(database, edge.portal.name, owner, lease_for, allowance, clock)
        self._database = database
        self._edge = edge
        self._name = edge.portal.name
        self._deadlines = Deadlines(database, edge.portal, policy)
        self._watch = watch
        self._wake = wake
        self._outage = outage
        self._speed = speed
        self._on_round = on_round
        self._clock = clock
        self.poll = poll
        self._due: datetime | None = None
        """When somebody is due whom no round under way has, as last read."""
        self._linking = False
        self._flights = Flights(clock, speed)
        self._sync_urls = SyncUrls(database, edge, public_url, speed)
        self._permission = Permission(database, edge, speed, clock)
        self._usable = Usable(database, edge, self.holder, allowance, self._permission, watch)

    @property
    def ending(self) -> bool:
        """Whether no further round is to begin."""
        return self.stopping or self.leaving

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
        async with anyio.create_task_group() as tasks:
            while not self.ending:
                await self._turn(lease, tasks)
        await self._take_in(lease)

    def _take_up_observed(self, connection: Connection, lease: Lease) -> None:
        """What was to be written before the portal only observed goes now that it writes."""
        leases.fence(connection, lease)
        bring_back(connection, self._name, Reason.OBSERVE_ONLY, self._database.clock.now())

    async def _turn(self, lease: Lease, tasks: TaskGroup) -> None:
        """Take in what ended, begin what can begin, and wait for the next of either."""
        away = await self._take_in(lease)
        idle = None if away else await self._begin(lease, tasks)
        if idle is None and not away and not self._linking:
            self._linking = True
            tasks.start_soon(self._write_sync_urls, lease)
        if not len(self._flights):
            self._outage.over()
        if idle is not Idle.PAUSED:
            await self._watch.look(lease, self._edge.known_names)
        if idle is Idle.UNUSABLE and self._usable.silences:
            away = pause_after(self._usable.silences, None, self._speed)
        if away:
            await self.stay_away(away, lease)
        elif busy := self._flights.next_in(self._most) != 0.0:
            await self._flights.landing(self._rest(idle, busy=busy))
        else:
            await self._wake.wait(self._rest(idle))

    @property
    def _most(self) -> int:
        """Rounds at once: a HubSpot that did not answer is tried with one."""
        return 1 if self._usable.silences else MOST

    async def _take_in(self, lease: Lease) -> float:
        """What the rounds did that ended; gives the seconds that HubSpot had better be left alone."""
        away = 0.0
        for ended in self._flights.take_ended():
            report = ended.report
            if self._on_round is not None:
                self._on_round(report.therapists, report.sent, ended.seconds)
            self._watch.note()
            self._outage.over()
            await self._usable.after_round(lease, report, ended.names)
            silent = self._usable.silences and report.therapists
            away = pause_after(self._usable.silences, report.retry_after, self._speed) if silent else 0.0
        return away

    async def _begin(self, lease: Lease, tasks: TaskGroup) -> Idle | None:
        """Begin a round if somebody is due, the portal is neither paused nor unusable and has calls left today."""
        status = await in_thread.read(self._database, portals.status_of, self._name)
        self._permission.take(status)
        if status.paused_at is not None and not status.paused_by_us:
            return Idle.PAUSED
        if await self._usable.over_for_today(lease):
            return Idle.OVER_FOR_TODAY
        if status.paused_by_us:
            if len(self._flights) or not await self._permission.token_taken(lease):
                return Idle.TOKEN_REFUSED
            self._watch.note()
        denied = await self._still_denied(lease, status.denied)
        if self._flights.next_in(self._most) != 0.0:
            return None
        now = self._database.clock.now()
        self._due = await in_thread.read(self._database, next_due_at, self._name, self._flights.taken)
        if self._due is None or self._due > now:
            usable = len(self._flights) or await self._usable.after_idle(lease)
            return None if usable else Idle.UNUSABLE
        names = await self._usable.names(lease)
        if names is None:
            return Idle.UNUSABLE
        await self.holder.renew(lease)
        await self._deadlines.judge_again(lease, now)
        lacking = [*denied, *names.denied]
        round_ = Round(self._database, self._edge, names, lease, self._deadlines.policy, lacking)
        taken = await round_.claim(self._flights.taken)
        tasks.start_soon(self._fly, round_, names, self._flights.began(taken, full=round_.full))
        return None

    async def _fly(self, round_: Round, names: Names, number: int) -> None:
        began = self._clock()
        try:
            report = await round_.go()
        finally:
            self._flights.gone(number)
        if not self._flights.ended(Ended(report, names, self._clock() - began)):
            self._wake.set()

    async def _still_denied(self, lease: Lease, denied: Sequence[Denied]) -> Sequence[Denied]:
        """What the token may not do, after trying what it is time to try, which waits for the rounds under way.

        They may be about to store that somebody waits for what is permitted by then.
        """
        if not denied or len(self._flights) or not self._permission.is_time_to_try():
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
        """At most one call, beside the rounds."""
        try:
            if self._permission.lacks(CONTACT, Verb.WRITE):
                return
            contacts = await self._sync_urls.due(self._database.clock.now())
            names = await self._usable.names(lease) if contacts else None
            if names is not None:
                await self.holder.renew(lease)
                with in_lane(Lane.SWEEP):
                    learnt = await self._sync_urls.write(contacts, names, lease)
                if learnt:
                    await self._learn(lease, learnt)
        finally:
            self._linking = False

    async def _learn(self, lease: Lease, learnt: Learnt) -> None:
        self._watch.note()
        await self._permission.learn(lease, learnt)

    async def stay_away(self, seconds: float, lease: Lease | None = None) -> None:
        """Sleep on, whatever wakes us, unless we are to stop; what is an alert by then opens under the lease."""
        ends = self._clock() + seconds
        while not self.ending and (left := ends - self._clock()) > 0:
            await self._wake.wait(left if lease is None else min(left, self._watch.due_in()))
            if lease is not None:
                await self._watch.look(lease, self._edge.known_names)

    def _rest(self, idle: Idle | None, *, busy: bool = False) -> float:
        """Seconds until the next turn; while so `busy` that nothing can begin, until that is over.

        A probe waits for the rounds under way, whose end wakes us.
        """
        if idle is Idle.PAUSED:
            return self.poll
        probe = None if len(self._flights) else self._permission.due_in()
        rest = min(self.poll, self._watch.due_in(), self.poll if probe is None else probe)
        if busy:
            again = self._flights.next_in(self._most)
            return rest if again is None else min(rest, again)
        if idle is not None or self._due is None:
            return rest
        return min(rest, max(0.0, (self._due - self._database.clock.now()).total_seconds()))
