"""The call that tells how long HubSpot's workflows take."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.delays import rule_of
from credsync.operate.delays import MOST_WEEKS, delays_report
from credsync.web.api.answers import said
from credsync.web.api.context import ApiContext
from credsync.web.api.questions import Question
from credsync.web.asking import ask


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
        slot = question.slot(portals)
        rule = None if slot is None else rule_of(slot)
        weeks = question.number("weeks", MOST_WEEKS, 1, MOST_WEEKS)
        question.checked()

        database, policy = self._context.database, self._context.policy

        def report(connection: Connection) -> dict[str, Any]:
            now = database.clock.now()
            return delays_report(connection, asked, now, policy, slot=rule, weeks=weeks)

        return said(await ask(database, self._limiter, report))
