"""Owns portals and runs their rounds: one owner per portal, by a lease; a wake or a due moment starts a round.

What is left undone by a crash, a lost lease or a silent HubSpot is still due in the database: nothing is queued here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import TypeVar

import anyio
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from credsync.core.alerts import Alert, AlertKind
from credsync.core.denials import FORBIDDEN, UNAUTHORIZED, Denied, Verb
from credsync.core.portal import CONTACT, Mode
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge, Names, PortalUnusable
from credsync.hubspot.lanes import Lane, in_lane
from credsync.operate.kept_names import keep_names
from credsync.reconcile.allowance import Allowance
from credsync.reconcile.deadlines import Deadlines
from credsync.reconcile.denials import Learnt
from credsync.reconcile.permission import Permission
from credsync.reconcile.report import RoundReport
from credsync.reconcile.round import Round
from credsync.reconcile.silence import LONG, kind_of_silence, pause_after
from credsync.reconcile.sweep import Sweep
from credsync.reconcile.sync_urls import SyncUrls
from credsync.reconcile.wake import Wake
from credsync.reconcile.watch import Watch
from credsync.store import in_thread, leases, portals
from credsync.store.bringing_back import bring_back
from credsync.store.cases import next_due_at
from credsync.store.database import Database
from credsync.store.leases import Lease, LeaseLost

_log = structlog.get_logger("credsync")
_T = TypeVar("_T")

POLL = 2.5
"""Seconds between looks at the database when nothing wakes us: facts may come through another process."""
FAILURE_PAUSE = 2.0
"""Seconds before the next try after our own side failed."""


class Idle(Enum):
    """Why there was no round."""

    PAUSED = auto()
    """By a person: nothing is looked at, so alerts stay as they are."""
    TOKEN_REFUSED = auto()
    OVER_FOR_TODAY = auto()
    UNUSABLE = auto()


class PortalWorker:
    """The loop of one portal in this process.

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
        speed: float = 1.0,
        public_url: str | None = None,
        on_round: Callable[[int, int, float], None] | None = None,
        tell: Callable[[Sequence[Alert]], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL,
    ) -> None:
        self.name = edge.portal.name
        self.wake = Wake(clock)
        self._clock = clock
        self._poll = poll
        self._renewed = clock()
        self._database = database
        self._edge = edge
        self._deadlines = Deadlines(database, edge.portal, policy)
        self._owner = owner
        self._lease_seconds = lease_for.total_seconds()
        self._speed = speed
        self._on_round = on_round
        self._sync_urls = SyncUrls(database, edge, public_url, speed)
        self._allowance = Allowance(edge)
        self._permission = Permission(database, edge, speed, clock)
        self._watch = Watch(database, edge.portal, speed, tell, clock=clock)
        self._silences = 0
        self._problem: tuple[str | None, AlertKind | None] = (None, None)
        self._stopping = False

    async def run(self) -> None:
        """Take the lease whenever it is free and run rounds under it, until `stop`. No failure ends this loop."""
        while not self._stopping:
            failed = False
            try:
                await self._own_when_free()
            except* LeaseLost:
                _log.warning(
                    "lease.lost", portal=self.name, remedy="none needed: whoever holds the lease goes on"
                )
            except* SQLAlchemyError as errors:
                failed = True
                _log.error(
                    "database.failed",
                    portal=self.name,
                    error=type(errors.exceptions[0]).__name__,
                    remedy="check database_url and the database; rounds go on when it answers",
                )
            except* Exception as errors:  # noqa: BLE001 - logged; what was due is due still
                failed = True
                _log.error(
                    "round.failed",
                    portal=self.name,
                    exc_info=errors.exceptions[0],
                    remedy="what was due is due still and tried again; report this line",
                )
            if failed:
                await self._stay_away(FAILURE_PAUSE)

    def stop(self) -> None:
        """End after the round that is under way."""
        self._stopping = True
        self.wake.set()

    async def aclose(self) -> None:
        """Give back the connections to HubSpot."""
        await self._edge.client.aclose()

    @property
    def _lease_name(self) -> str:
        return f"portal:{self.name}"

    async def _own_when_free(self) -> None:
        asked = self._clock()
        lease = await self._write(
            lambda c: leases.acquire(c, self._lease_name, self._owner, self._lease_seconds)
        )
        if lease is None:
            await self.wake.wait(self._lease_seconds / 4)
            return
        self._renewed, self._edge.client.guard = asked, self._require_lease
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._heartbeat, lease)
                sweep = Sweep(
                    self._database,
                    self._edge,
                    self._deadlines.policy,
                    lambda _: self._names(lease),
                    self._learn,
                    self._speed,
                )
                tasks.start_soon(sweep.beside_rounds, lease, self.wake.set, lambda: not self._silences)
                await self._rounds(lease)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), contextlib.suppress(SQLAlchemyError):
                await self._write(lambda c: leases.release(c, lease))

    async def _heartbeat(self, lease: Lease) -> None:
        """Renew at a quarter of the lease; stop owning at two thirds of it when the database does not answer."""
        while True:
            await anyio.sleep(self._lease_seconds / 4)
            with contextlib.suppress(SQLAlchemyError, TimeoutError):
                with anyio.fail_after(self._lease_seconds * 2 / 3 - (self._clock() - self._renewed)):
                    await self._renew(lease, abandon=True)
            self._require_lease()

    def _require_lease(self) -> None:
        """Raises `LeaseLost` when it was renewed so long ago that another process may soon have it.

        Asked before every call to HubSpot: what was frozen in the middle of a round must not send what is left of it.
        """
        if self._clock() - self._renewed > self._lease_seconds * 2 / 3:
            raise LeaseLost(self.name)

    async def _rounds(self, lease: Lease) -> None:
        status = await self._read(lambda c: portals.status_of(c, self.name))
        self._problem = (status.problem, status.problem_kind)
        await self._read(self._allowance.restore)
        if self._edge.portal.hubspot.mode is Mode.WRITE:
            await self._write(lambda c: self._take_up_observed(c, lease))
        if status.paused_at is None and not await self._over_for_today(lease):
            await self._names(lease)
        while not self._stopping:
            report = await self._turn(lease)
            if isinstance(report, RoundReport):
                await self._write_sync_urls(lease)
            if report is not Idle.PAUSED:
                await self._watch.look(lease, self._edge.known_names)
            ran = isinstance(report, RoundReport) and report.therapists > 0
            if isinstance(report, RoundReport) and ran and not report.hubspot_silent:
                self._silences = 0
            if self._silences and (ran or report is Idle.UNUSABLE):
                asked = report.retry_after if isinstance(report, RoundReport) else None
                await self._stay_away(pause_after(self._silences, asked, self._speed), lease)
            else:
                await self.wake.wait(await self._rest(report))

    def _take_up_observed(self, connection: Connection, lease: Lease) -> None:
        """What was to be written before the portal only observed goes now that it writes."""
        leases.fence(connection, lease)
        bring_back(connection, self.name, Reason.OBSERVE_ONLY, self._database.clock.now())

    async def _turn(self, lease: Lease) -> RoundReport | Idle:
        """One round, if the portal is neither paused nor unusable, and has calls left today."""
        status = await self._read(lambda c: portals.status_of(c, self.name))
        self._permission.take(status)
        if status.paused_at is not None and not status.paused_by_us:
            return Idle.PAUSED
        if await self._over_for_today(lease):
            return Idle.OVER_FOR_TODAY
        if status.paused_by_us:
            if not await self._permission.token_taken(lease):
                return Idle.TOKEN_REFUSED
            self._watch.note()
        denied = await self._still_denied(lease, status.denied)
        now = self._database.clock.now()
        due = await self._read(lambda c: next_due_at(c, self.name))
        if due is None or due > now:
            return await self._idle(lease)
        names = await self._names(lease)
        if names is None:
            return Idle.UNUSABLE
        await self._renew(lease)
        await self._deadlines.judge_again(lease, now)
        began = self._clock()
        policy = self._deadlines.policy
        report = await Round(self._database, self._edge, names, lease, policy, denied).run()
        self._allowance.say_differences()
        known = self._edge.known_names
        if known is not None and known is not names:
            await self._write(lambda c: keep_names(c, self._edge.portal, known))
        if self._on_round is not None:
            self._on_round(report.therapists, report.sent, self._clock() - began)
        self._watch.note()
        self._permission.just_denied(report.denied)
        if report.unauthorized:
            await self._permission.token_refused(lease)
        problem, kind = None, None
        if report.hubspot_silent:
            self._silences += 1
            problem = f"HubSpot answered no look ({report.stop_code}); everything waits and is tried again"
            kind = kind_of_silence(report.stop_code, self._silences)
        if not await self._over_for_today(lease):
            await self._say_problem(problem, kind)
        return report

    async def _idle(self, lease: Lease) -> RoundReport | Idle:
        """Nobody is due; a portal that could not be used is tried all the same, so that its alert ends."""
        if self._problem[1] is AlertKind.PORTAL_UNUSABLE:
            if await self._names(lease) is None:
                return Idle.UNUSABLE
            self._silences = 0
            await self._say_problem(None)
        elif self._edge.in_doubt(self._database.clock.now()):
            await self._names(lease)
        return RoundReport()

    async def _still_denied(self, lease: Lease, denied: Sequence[Denied]) -> Sequence[Denied]:
        """What the token may not do, after trying what it is time to try."""
        if not denied or not self._permission.is_time_to_try():
            return denied
        names = await self._names(lease)
        if names is None:
            return denied
        await self._renew(lease)
        left = await self._permission.still_denied(lease, denied, names)
        if len(left) < len(denied):
            self._watch.note()
        return left

    async def _over_for_today(self, lease: Lease) -> bool:
        """Say so while no call may be made until the account's midnight, and when that is over."""
        over = self._allowance.over_for_today()
        was = self._problem[1] is AlertKind.RATE_LIMITED_DAILY
        if over is not None and not was:
            await self._renew(lease)
        if over is not None or was:
            await self._say_problem(over, None if over is None else AlertKind.RATE_LIMITED_DAILY)
        return over is not None

    async def _renew(self, lease: Lease, *, abandon: bool = False) -> None:
        """Renew the lease and keep the count of calls with it. Raises `LeaseLost`."""
        asked = self._clock()
        with self._allowance.counted() as keep_count:

            def renew(connection: Connection) -> None:
                leases.renew(connection, lease, self._lease_seconds)
                keep_count(connection)

            await self._write(renew, abandon=abandon)
        self._renewed = max(self._renewed, asked)

    async def _write_sync_urls(self, lease: Lease) -> None:
        """After a round, or while none is due: at most one call."""
        now = self._database.clock.now()
        if self._permission.lacks(CONTACT, Verb.WRITE):
            return
        contacts = await self._sync_urls.due(now)
        names = await self._names(lease) if contacts else None
        if names is not None:
            await self._renew(lease)
            with in_lane(Lane.SWEEP):
                learnt = await self._sync_urls.write(contacts, names, lease)
            if learnt:
                await self._learn(lease, learnt)

    async def _learn(self, lease: Lease, learnt: Learnt) -> None:
        self._watch.note()
        await self._permission.learn(lease, learnt)

    async def _names(self, lease: Lease) -> Names | None:
        now = self._database.clock.now()
        try:
            with in_lane(Lane.NOW):
                names = await self._edge.names(now)
        except PortalUnusable as error:
            if error.code == UNAUTHORIZED:
                await self._permission.token_refused(lease)
                return None
            self._silences = LONG if error.code in FORBIDDEN else self._silences + 1
            await self._say_problem(str(error), AlertKind.PORTAL_UNUSABLE)
            return None
        if names.read_at == now:
            await self._write(lambda c: keep_names(c, self._edge.portal, names))
        return names

    async def _say_problem(self, problem: str | None, kind: AlertKind | None = None) -> None:
        """Tell a change of what keeps rounds from running: once in the log, and in the portal's row."""
        before, self._problem = self._problem, (problem, kind)
        if before == self._problem:
            return
        self._watch.note()
        await self._write(lambda c: portals.set_problem(c, self.name, problem, kind))
        if problem == before[0]:
            return
        if problem is None:
            _log.info("portal.usable", portal=self.name)
        else:
            _log.error("portal.unusable", portal=self.name, problem=problem, remedy="run `credsync doctor`")

    async def _stay_away(self, seconds: float, lease: Lease | None = None) -> None:
        """Sleep on, whatever wakes us, unless we are to stop; what is an alert by then opens under the lease."""
        ends = self._clock() + seconds
        while not self._stopping and (left := ends - self._clock()) > 0:
            await self.wake.wait(left if lease is None else min(left, self._watch.due_in()))
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
        due = await self._read(lambda c: next_due_at(c, self.name))
        if due is None:
            return rest
        return min(rest, max(0.0, (due - self._database.clock.now()).total_seconds()))

    async def _read(self, query: Callable[[Connection], _T]) -> _T:
        return await in_thread.read(self._database, query)

    async def _write(self, change: Callable[[Connection], _T], *, abandon: bool = False) -> _T:
        def in_transaction() -> _T:
            with self._database.write() as connection:
                return change(connection)

        return await in_thread.aside(self._database, in_transaction, abandon=abandon)


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
