"""The call that tells how long HubSpot's workflows take."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.delays import rule_of
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
        slot = question.text("slot")
        if slot is not None and not any(each.slot_rule(slot) for each in portals.values()):
            slots = sorted({key for each in portals.values() for key in each.slots})
            question.word("slot", "slot of any portal here", slots)
        rule = None if slot is None else rule_of(slot)
        weeks = question.number("weeks", MOST_WEEKS, 1, MOST_WEEKS)
        question.checked()

        def ask() -> dict[str, Any]:
            database = self._context.database
            with database.read() as connection:
                now, policy = database.clock.now(), self._context.policy
                return delays_report(connection, asked, now, policy, slot=rule, weeks=weeks)

        return said(await to_thread.run_sync(ask, limiter=self._limiter))
