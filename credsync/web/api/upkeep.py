"""Pausing a portal and letting it go on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.events import TimelineEvent
from credsync.operate.portal_standing import standing_of
from credsync.store import acts, portals
from credsync.store.acts import Actor
from credsync.store.clock import say_time
from credsync.store.therapists import Door
from credsync.web.api.addresses import portal_of
from credsync.web.api.auth import caller
from credsync.web.api.bodies import PauseBody, ResumeBody, read
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import invalid
from credsync.web.api.taking import Desk, Fact, Told


class Upkeep:
    """The handlers."""

    def __init__(self, context: ApiContext, desk: Desk) -> None:
        self._context = context
        self._desk = desk

    async def pause(self, request: Request) -> Response:
        """Stop a portal's rounds; facts are still taken in."""
        portal, actor = portal_of(request, self._context), Actor.token(caller(request).name)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = read(PauseBody, given)
            if body is None:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                events = acts.pause(connection, actor, portal.name, body.reason, door.now)
                return _told(connection, self._context, portal.name, events)

            return fact

        return await self._desk.take(request, f"/v1/portals/{portal.name}/pause", check)

    async def resume(self, request: Request) -> Response:
        """Let a portal's rounds go on where they stopped."""
        portal, actor = portal_of(request, self._context), Actor.token(caller(request).name)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = read(ResumeBody, given)
            if body is None:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                events = acts.resume(connection, actor, portal.name, door.now, body.reason)
                return _told(connection, self._context, portal.name, events)

            return fact

        return await self._desk.take(request, f"/v1/portals/{portal.name}/resume", check, body_needed=False)


def _told(connection: Connection, context: ApiContext, name: str, events: list[TimelineEvent]) -> Told:
    status = portals.status_of(connection, name)
    answer = {
        "portal": name,
        "portal_state": standing_of(connection, context.portals, name).state.value,
        "paused_by": status.paused_by,
        "paused_reason": status.paused_reason,
        "paused_at": say_time(status.paused_at) if status.paused_at is not None else None,
    }
    return Told(200, answer, events, name, urgent=True)
