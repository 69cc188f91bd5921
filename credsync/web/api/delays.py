"""The call that tells how long HubSpot's workflows take."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from credsync.operate.delays import MOST_WEEKS, delays_report
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.questions import Question


class Delays:
    """The handler, with one consistent view of the database."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter

    async def get_delays(self, request: Request) -> Response:
        """How long records took to come, by portal, slot and week."""
        portals = self._context.portals
        question = Question(request, ("portal", "slot", "weeks"))
        portal = question.word("portal", "portal here", sorted(portals))
        asked = [each for name, each in portals.items() if portal in (None, name)]
        slot = question.word("slot", "slot of any portal here", sorted({k for p in asked for k in p.slots}))
        weeks = question.number("weeks", MOST_WEEKS, 1, MOST_WEEKS)
        question.checked()

        def ask() -> dict[str, Any]:
            database = self._context.database
            with database.read() as connection:
                now, policy = database.clock.now(), self._context.policy
                return delays_report(connection, asked, now, policy, slot=slot, weeks=weeks)

        return said(await to_thread.run_sync(ask, limiter=self._limiter))
