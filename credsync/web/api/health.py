"""Alive, and ready: for load balancers and supervisors, without a token and without anything private."""

from __future__ import annotations

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.forms import Fault
from credsync.store import portals
from credsync.store.failing import Failing, failing, name_of
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import Problem

_log = structlog.get_logger("credsync")


class Health:
    """The handlers."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter
        self._usable = True
        """What the last probe found of the database: a change is logged once."""

    async def alive(self, _request: Request) -> Response:
        """The process answers."""
        return said({"status": "alive"})

    async def ready(self, _request: Request) -> Response:
        """Database and every portal usable; a pause is somebody's will, not a fault."""
        faults = await to_thread.run_sync(self._faults, limiter=self._limiter)
        if faults:
            detail = "; ".join(f"{fault.path} {fault.message}" for fault in faults)
            raise Problem("unavailable", detail, faults, headers={"Retry-After": "5"})
        return said(
            {"status": "ready", "database": "usable", "portals": dict.fromkeys(self._names, "usable")}
        )

    @property
    def _names(self) -> list[str]:
        return sorted(self._context.portals)

    def _faults(self) -> list[Fault]:
        try:
            with self._context.database.read() as connection:
                standing = [portals.status_of(connection, name) for name in self._names]
        except SQLAlchemyError as error:
            if self._usable:
                why = failing(error) or Failing.AWAY
                _log.error("database.unreachable", error=name_of(error), remedy=why.value)
            self._usable = False
            return [Fault("database", "database_unavailable", "does not answer")]
        self._usable = True
        message = "is not usable: `credsync doctor` says why"
        return [
            Fault(f"portals.{each.name}", "portal_unusable", message)
            for each in standing
            if each.problem is not None
        ]
