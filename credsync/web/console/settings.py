"""Settings, to read: portals, what is mapped where and whether HubSpot has it; and the one switch, pause and resume."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.events import TimelineEvent
from credsync.core.phrases import phrase
from credsync.operate.mapping import mapping_tree
from credsync.operate.portal_standing import standing_of
from credsync.store import acts, portals, timeline
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.forms import words
from credsync.web.console.guard import NOTHING_CHANGED, Refusal
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.viewer import viewer


class SettingsPages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def settings(self, request: Request) -> Response:
        """Every portal with its mapping."""
        context, now = self._context, self._context.database.clock.now()

        def query(connection: Connection) -> list[dict[str, Any]]:
            found = []
            for name, portal in sorted(context.portals.items()):
                standing, known = (
                    standing_of(connection, context.portals, name),
                    portals.status_of(connection, name),
                )
                found.append(
                    {
                        "name": name,
                        "account": portal.hubspot,
                        "portal_id": known.portal_id or portal.hubspot.portal_id,
                        "state": standing.state.value,
                        "message": standing.message,
                        "paused_by": known.paused_by,
                        "paused_by_us": known.paused_by_us,
                        "paused_reason": known.paused_reason,
                        "paused_at": known.paused_at,
                        "mapping": mapping_tree(connection, portal, now),
                    }
                )
            return found

        seen = await ask(context.database, self._limiter, query)
        return self._renderer.page(request, "settings.html", seen=seen)

    async def pause(self, request: Request) -> Response:
        """Stop a portal's rounds; facts are still taken in."""
        reason, actor, now = (
            words(request, "reason"),
            viewer(request).actor,
            self._context.database.clock.now(),
        )
        name = self._portal(request)
        if not reason:
            message = phrase(
                "Write down why the portal is paused: whoever finds it paused will want to know."
            )
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message)
        return await self._switch(lambda c: acts.pause(c, actor, name, reason, now), name)

    async def resume(self, request: Request) -> Response:
        """Let a portal's rounds go on where they stopped."""
        actor, now, name = viewer(request).actor, self._context.database.clock.now(), self._portal(request)
        return await self._switch(lambda c: acts.resume(c, actor, name, now), name)

    async def _switch(self, act: Callable[[Connection], list[TimelineEvent]], name: str) -> Response:
        events = await change(self._context.database, self._limiter, act)
        timeline.log(events)
        self._context.wake(name, 0.0)
        return RedirectResponse("/settings", HTTPStatus.SEE_OTHER, HEADERS)

    def _portal(self, request: Request) -> str:
        name = str(request.path_params["name"])
        if name not in self._context.portals:
            message = phrase("No portal here has this name. Look at the list in the settings.")
            raise Refusal(HTTPStatus.NOT_FOUND, phrase("This portal is not known"), message)
        return name
