"""Whether a portal can be used now: HubSpot tells its names and has calls left today. What stops it is told once."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from credsync.core.alerts import AlertKind
from credsync.core.denials import FORBIDDEN, UNAUTHORIZED
from credsync.core.phrases import Joined, phrase
from credsync.core.reasons import Reason
from credsync.hubspot.edge import Edge, Names, PortalUnusable
from credsync.hubspot.lanes import Lane, in_lane
from credsync.operate.kept_names import keep_names, kept_names
from credsync.reconcile.allowance import Allowance
from credsync.reconcile.denials import learnt_from
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.permission import Permission
from credsync.reconcile.report import RoundReport
from credsync.reconcile.silence import LONG, kind_of_silence
from credsync.reconcile.watch import Watch
from credsync.store import in_thread, portals
from credsync.store.bringing_back import bring_back
from credsync.store.database import Database
from credsync.store.leases import Lease, fence
from credsync.store.portals import PortalStatus

_log = structlog.get_logger("credsync")


class Usable:
    """One portal's, in the process that owns it."""

    def __init__(
        self,
        database: Database,
        edge: Edge,
        holder: LeaseHolder,
        allowance: Allowance,
        permission: Permission,
        watch: Watch,
    ) -> None:
        self.silences = 0
        """Tries in a row that HubSpot did not answer."""
        self._database = database
        self._edge = edge
        self._name = edge.portal.name
        self._holder = holder
        self._allowance = allowance
        self._permission = permission
        self._watch = watch
        self._problem: tuple[str | None, AlertKind | None, datetime | None] = (None, None, None)

    async def restore(self, status: PortalStatus) -> None:
        """Go on with what is kept of the portal, whoever owned it before."""
        self._problem = (status.problem, status.problem_kind, status.problem_until)
        await in_thread.read(self._database, self._allowance.restore)
        portal, now = self._edge.portal, self._database.clock.now()
        kept = await in_thread.read(self._database, kept_names, portal, now, timedelta.max)
        self._edge.fall_back_on(kept)

    async def names(self, lease: Lease) -> Names | None:
        """What HubSpot calls things; None, and the reason told, while it does not say."""
        now, known = self._database.clock.now(), self._edge.known_names
        try:
            with in_lane(Lane.NOW):
                names = await self._edge.names(now)
        except PortalUnusable as error:
            if error.code == UNAUTHORIZED:
                await self._permission.token_refused(lease)
                return None
            if await self.over_for_today(lease):
                return None
            self.silences = LONG if error.code in FORBIDDEN else self.silences + 1
            await self._say(lease, str(error), AlertKind.PORTAL_UNUSABLE)
            return None
        if names is not known:
            await in_thread.write(self._database, keep_names, self._edge.portal, names)
            await self._permission.learn(lease, learnt_from(names))
        return names

    async def over_for_today(self, lease: Lease) -> bool:
        """Say so while no call may be made until the account's midnight, and when that is over."""
        over = self._allowance.over_for_today()
        was = self._problem[1] is AlertKind.RATE_LIMITED_DAILY
        if over is not None:
            problem, until = over
            if not was:
                await self._holder.renew(lease)
            await self._say(lease, problem, AlertKind.RATE_LIMITED_DAILY, until)
        elif was:
            await self._say(lease, None)
        return over is not None

    async def after_idle(self, lease: Lease) -> bool:
        """Nobody is due: a portal that could not be used is tried all the same, so that its alert ends."""
        if self._problem[1] is AlertKind.PORTAL_UNUSABLE:
            if await self.names(lease) is None:
                return False
            self.silences = 0
            await self._say(lease, None)
        elif self._edge.in_doubt(self._database.clock.now()):
            await self.names(lease)
        return True

    async def after_round(self, lease: Lease, report: RoundReport, names: Names) -> None:
        """Take in how HubSpot answered a round that began with these names."""
        self._allowance.say_differences()
        known = self._edge.known_names
        if known is not None and known is not names:
            await in_thread.write(self._database, keep_names, self._edge.portal, known)
        self._permission.just_denied(report.denied)
        if report.unauthorized:
            await self._permission.token_refused(lease)
        problem, kind = None, None
        if report.hubspot_silent:
            self.silences += 1
            problem = Joined(
                [
                    phrase("HubSpot answered no look ({code})", code=report.stop_code),
                    phrase("everything waits and is tried again"),
                ],
                "; ",
            )
            kind = kind_of_silence(report.stop_code, self.silences)
        elif report.therapists:
            self.silences = 0
        if not await self.over_for_today(lease):
            await self._say(lease, problem, kind)

    async def _say(
        self, lease: Lease, problem: str | None, kind: AlertKind | None = None, until: datetime | None = None
    ) -> None:
        """Tell a change of what keeps rounds from running: once in the log, and in the portal's row.

        Whoever waited for the end of a day is due when it has ended. Raises `LeaseLost`: only the owner knows.
        """
        before, self._problem = self._problem, (problem, kind, until)
        if before == self._problem:
            return
        self._watch.note()
        day_ended = before[1] is AlertKind.RATE_LIMITED_DAILY and problem is None

        def keep(connection: Connection) -> None:
            fence(connection, lease)
            portals.set_problem(connection, self._name, problem, kind, until)
            if day_ended:
                bring_back(connection, self._name, Reason.RATE_LIMITED_DAILY, self._database.clock.now())

        try:
            await in_thread.write(self._database, keep)
        except BaseException:
            self._problem = before
            raise
        if problem == before[0]:
            return
        if problem is None:
            _log.info("portal.usable", portal=self._name)
        else:
            _log.error("portal.unusable", portal=self._name, problem=problem, remedy="run `credsync doctor`")
