"""Alerts: one per cause, whom it hits, what to do; taken by somebody; Sync now for all of one cause."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.events import TimelineEvent
from credsync.core.phrases import phrase
from credsync.operate.alerts import alerts_list, beneath, therapists_beneath
from credsync.operate.find import BadCursor
from credsync.store import acts, alerts, timeline
from credsync.store.therapists import Door
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.forms import words
from credsync.web.console.guard import NOTHING_CHANGED, Refusal
from credsync.web.console.render import HEADERS, Renderer
from credsync.web.console.viewer import viewer

MOST_AT_ONCE: Final = 100
"""Therapists in one press of Sync now."""
_PAGE: Final = 50


class AlertPages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def alerts(self, request: Request) -> Response:
        """What is open, newest first; or what has ended."""
        closed = request.query_params.get("state") == "closed"
        before = request.query_params.get("before", "")
        place = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        seen = await ask(
            self._context.database,
            self._limiter,
            lambda c: alerts_list(c, closed=closed, before=place, limit=_PAGE),
        )
        return self._renderer.page(request, "alerts.html", seen=seen, closed=closed)

    async def alert(self, request: Request) -> Response:
        """One alert with the therapists beneath it."""
        found = await self._find(request, _PAGE)
        return self._renderer.page(
            request,
            "alert.html",
            alert=found["alert"],
            therapists=found["therapists"],
            more=found["next_cursor"],
            most=MOST_AT_ONCE,
            pressed=request.query_params.get("pressed", ""),
        )

    async def acknowledge(self, request: Request) -> Response:
        """Somebody takes it. It stays open until its cause ends."""
        alert_id, actor, note = _alert_id(request), viewer(request).actor, words(request, "note") or None
        now = self._context.database.clock.now()
        taken = await change(
            self._context.database, self._limiter, lambda c: acts.acknowledge(c, actor, alert_id, note, now)
        )
        if taken is None:
            raise _unknown()
        timeline.log([taken[1]])
        return RedirectResponse(f"/alerts/{alert_id}?pressed=taken", HTTPStatus.SEE_OTHER, HEADERS)

    async def ask_sync_all(self, request: Request) -> Response:
        """Whom Sync now for all of one cause would press: the first hundred beneath it now."""
        found = await self._find(request, MOST_AT_ONCE)
        return self._renderer.page(
            request,
            "alert_sync.html",
            alert=found["alert"],
            therapists=found["therapists"],
            more=found["next_cursor"],
        )

    async def sync_all(self, request: Request) -> Response:
        """Sync now for those whom the page named, as far as the cause still hits them."""
        alert_id, actor = _alert_id(request), viewer(request).actor
        named = list(dict.fromkeys(request.state.form.get("therapist", ())))
        if not named or len(named) > MOST_AT_ONCE:
            message = phrase(
                "A press takes 1 to {most} therapists. Open the page anew and press again.", most=MOST_AT_ONCE
            )
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, NOTHING_CHANGED, message)
        reason = words(request, "reason") or f"Sync now for all of alert {alert_id}"
        door = Door(self._context.database.clock.now(), self._context.policy.coalesce)

        def press(connection: Connection) -> tuple[list[TimelineEvent], str]:
            alert = alerts.alert_by_id(connection, alert_id)
            hit = beneath(alert.cause) if alert is not None and alert.closed_at is None else None
            if alert is None or hit is None:
                raise _over()
            within = {str(each) for each in connection.execute(hit).scalars()}
            chosen = list(within.intersection(named))
            taken = acts.sync_all_now(connection, door, actor, chosen, reason, False)
            return [event for each in taken for event in each.events], alert.cause.portal

        events, portal = await change(self._context.database, self._limiter, press)
        timeline.log(events)
        self._context.wake(portal, 0.0)
        return RedirectResponse(f"/alerts/{alert_id}?pressed=sync", HTTPStatus.SEE_OTHER, HEADERS)

    async def _find(self, request: Request, limit: int) -> dict[str, Any]:
        alert_id, after = _alert_id(request), request.query_params.get("after")
        context, now = self._context, self._context.database.clock.now()
        try:
            found = await ask(
                context.database,
                self._limiter,
                lambda c: therapists_beneath(
                    c, context.portals, alert_id, cursor=after, limit=limit, now=now
                ),
            )
        except BadCursor:
            message = phrase("The address of this page is not whole. Go back to the alert.")
            raise Refusal(HTTPStatus.BAD_REQUEST, phrase("This page cannot be found"), message) from None
        if found is None:
            raise _unknown()
        return found


def _alert_id(request: Request) -> int:
    text = str(request.path_params["id"])
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _unknown()
    return int(text)


def _unknown() -> Refusal:
    return Refusal(
        HTTPStatus.NOT_FOUND,
        phrase("This alert is not known"),
        phrase("No alert has this number. Look at the list of alerts."),
    )


def _over() -> Refusal:
    message = phrase(
        "The cause has ended or hits a portal as a whole, so there is nobody to press Sync now for."
    )
    return Refusal(HTTPStatus.CONFLICT, NOTHING_CHANGED, message)
