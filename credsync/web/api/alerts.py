"""The calls about alerts: which are open, whom each hits, and that somebody knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.alerts import AlertKind
from credsync.core.forms import Fault
from credsync.operate.alerts import alert_json, alerts_list, therapists_beneath
from credsync.operate.find import BadCursor
from credsync.store import acts
from credsync.store.acts import Actor
from credsync.store.therapists import Door
from credsync.web.api.answers import said
from credsync.web.api.auth import caller
from credsync.web.api.bodies import AcknowledgeBody, read
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import Problem, invalid
from credsync.web.api.questions import Question
from credsync.web.api.taking import Desk, Fact, Told
from credsync.web.asking import ask

_T = TypeVar("_T")
STATES = ("open", "closed", "all")
_ID = re.compile(r"[0-9]{1,18}")


class Alerts:
    """The handlers."""

    def __init__(self, context: ApiContext, desk: Desk, limiter: CapacityLimiter) -> None:
        self._context = context
        self._desk = desk
        self._limiter = limiter

    async def list_alerts(self, request: Request) -> Response:
        """Alerts, newest first, page by page."""
        question = Question(request, ("state", "portal", "kind", "cursor", "limit"))
        state = question.word("state", "state", STATES) or "open"
        portal = question.word("portal", "portal here", sorted(self._context.portals))
        kind = question.word("kind", "kind of alert", [each.value for each in AlertKind])
        cursor = question.text("cursor")
        if cursor is not None and not _ID.fullmatch(cursor):
            question.refuse("cursor", "invalid_cursor", "must be a next_cursor of this list, or absent")
        limit = question.number("limit", 100, 1, 500)
        question.checked()
        closed = None if state == "all" else state == "closed"
        return said(
            await self._ask(
                lambda c: alerts_list(
                    c,
                    closed=closed,
                    portal=portal,
                    kind=AlertKind(kind) if kind else None,
                    before=int(cursor) if cursor else None,
                    limit=limit,
                )
            )
        )

    async def get_alert_therapists(self, request: Request) -> Response:
        """Whom an alert's cause hits now."""
        alert_id = _alert_id(request)
        question = Question(request, ("cursor", "limit"))
        cursor, limit = question.text("cursor"), question.number("limit", 50, 1, 500)
        question.checked()
        portals, now = self._context.portals, self._context.database.clock.now()
        try:
            found = await self._ask(
                lambda c: therapists_beneath(c, portals, alert_id, cursor=cursor, limit=limit, now=now)
            )
        except BadCursor:
            question.refuse("cursor", "invalid_cursor", "must be a next_cursor of this list, or absent")
            question.checked()
            raise
        if found is None:
            raise _unknown()
        return said(found)

    async def acknowledge(self, request: Request) -> Response:
        """Somebody knows of it. The alert goes on until its cause ends."""
        alert_id, actor = _alert_id(request), Actor.token(caller(request).name)

        def check(given: dict[str, Any]) -> Fact:
            body, faults = read(AcknowledgeBody, given)
            if body is None:
                raise invalid(faults)

            def fact(connection: Connection, door: Door) -> Told:
                taken = acts.acknowledge(connection, actor, alert_id, body.note, door.now)
                if taken is None:
                    raise _unknown()
                alert, event = taken
                return Told(200, alert_json(alert), [event], None)

            return fact

        return await self._desk.take(request, f"/v1/alerts/{alert_id}/acknowledge", check, body_needed=False)

    async def _ask(self, query: Callable[[Connection], _T]) -> _T:
        return await ask(self._context.database, self._limiter, query)


def _alert_id(request: Request) -> int:
    """The id in the address. Raises `Problem` 404 for what can be none."""
    text = str(request.path_params["id"])
    if not _ID.fullmatch(text):
        raise _unknown()
    return int(text)


def _unknown() -> Problem:
    fault = Fault("id", "unknown_alert", "is no alert known here")
    return Problem("not-found", "No alert has this id; GET /v1/alerts?state=all lists them.", [fault])
