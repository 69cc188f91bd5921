"""One therapist: what is going on, whose turn it is, and the presses that mend it."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.people import Act, masked_email
from credsync.core.phrases import Joined, phrase
from credsync.core.plan import SyncRequest
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.turn import whose_turn
from credsync.operate.creation_times import ask_creation_times
from credsync.operate.live import AskLater
from credsync.operate.packet import packet, packet_markdown
from credsync.operate.portal_standing import PortalState
from credsync.reconcile.rehearsal import diff
from credsync.settings import SettingsError
from credsync.store import acts, timeline
from credsync.store.choices import ChoiceRefused
from credsync.store.known import known_therapist
from credsync.store.therapists import Door, Taken
from credsync.web.asking import ask, change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.forms import words
from credsync.web.console.guard import Refusal
from credsync.web.console.render import HEADERS, Renderer, file_to_keep
from credsync.web.console.viewer import viewer

_PATIENCE: Final = 4.0
"""Seconds a page waits for HubSpot."""
_EVENTS: Final = 100
UNSAID: Final = phrase("Sync now in the console")
"""Why somebody pressed who did not say why."""


class TherapistPages:
    """The handlers."""

    def __init__(self, context: ConsoleContext, renderer: Renderer, limiter: CapacityLimiter) -> None:
        self._context = context
        self._renderer = renderer
        self._limiter = limiter

    async def therapist(self, request: Request) -> Response:
        """The page the contact's `sync_url` opens. Opening it changes nothing."""
        report = await self._report(request)
        who, me = report["id"], viewer(request)
        known = await ask(self._context.database, self._limiter, lambda c: known_therapist(c, who))
        email = known.email if known is not None else None
        return self._renderer.page(
            request,
            "therapist.html",
            it=report,
            email=email if email is None or me.may(Act.SEE_ADDRESSES) else masked_email(email),
            turn=whose_turn(
                TherapistState(report["state"]),
                Reason(report["reason"]),
                portal_runs=report["portal_state"] != PortalState.PAUSED.value,
            ),
            unsaid=UNSAID,
            events=report["timeline"][-_EVENTS:][::-1],
            pressed=request.query_params.get("pressed", ""),
        )

    async def report(self, request: Request) -> Response:
        """The help-desk report: to copy, or as a file (`format=md|json`)."""
        who = _therapist_id(request)
        if self._context.live is not None:
            await ask_creation_times(self._context.live, who, _PATIENCE)
        report = await self._report(request)
        text = packet_markdown(report)
        match request.query_params.get("format"):
            case "md":
                return file_to_keep(text, "text/markdown; charset=utf-8", f"therapist-{who}.md")
            case "json":
                written = json.dumps(report, ensure_ascii=False, indent=2)
                return file_to_keep(written, "application/json", f"therapist-{who}.json")
            case _:
                return self._renderer.page(request, "report.html", it=report, text=text)

    async def ask_sync(self, request: Request) -> Response:
        """What Sync now would write, property by property, before anybody presses."""
        include_held = request.query_params.get("include_held") == "yes"
        report = await self._report(request)
        differences = None
        problem: str = ""
        try:
            if self._context.live is None:
                raise SettingsError(phrase("This service asks HubSpot nothing."))
            press = SyncRequest(id=0, include_held=include_held)
            differences = await diff(self._context.live, report["id"], self._context.policy, _PATIENCE, press)
        except SettingsError as error:
            problem = str(error)
        except AskLater as later:
            wait = phrase("Open this page again then, or press without it.")
            problem = Joined([later.message, wait])
        return self._renderer.page(
            request,
            "sync.html",
            it=report,
            differences=differences,
            problem=problem,
            include_held=include_held,
        )

    async def sync(self, request: Request) -> Response:
        """Sync now, pressed. What is written is judged again by the round that writes."""
        include_held = "yes" in request.state.form.get("include_held", ())
        reason = words(request, "reason") or UNSAID
        actor = viewer(request).actor
        who = _therapist_id(request)
        await self._take(
            request, lambda c, door: acts.sync_now(c, door, actor, who, reason, include_held), urgent=True
        )
        return _back(who, "sync")

    async def ask_choice(self, request: Request) -> Response:
        """The candidates of a slot, to choose among."""
        report = await self._report(request)
        slot = str(request.path_params["slot"])
        link = next((each for each in report["links"] if each["slot"] == slot), None)
        if link is None or not link["candidates"]:
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                phrase("There is nothing to choose"),
                phrase("No record holds {slot} now.", slot=slot),
            )
        return self._renderer.page(request, "choice.html", it=report, link=link)

    async def choose(self, request: Request) -> Response:
        """A record, chosen."""
        slot, record_id = str(request.path_params["slot"]), words(request, "record_id")
        reason = words(request, "reason")
        if not record_id or not reason:
            message = phrase("Mark the record that belongs to this therapist, and write down how you know.")
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, phrase("Nothing was chosen"), message)
        actor = viewer(request).actor
        who = _therapist_id(request)

        def act(connection: Connection, door: Door) -> Taken:
            try:
                return acts.choose(connection, door, actor, who, slot, record_id, reason)
            except ChoiceRefused as refused:
                raise Refusal(HTTPStatus.CONFLICT, phrase("Nothing was chosen"), str(refused)) from None

        await self._take(request, act, urgent=True)
        return _back(who, "choice")

    async def note(self, request: Request) -> Response:
        """A note on the timeline."""
        text = words(request, "text")
        who = _therapist_id(request)
        if not text:
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                phrase("The note is empty"),
                phrase("Write something, then press again."),
            )
        actor = viewer(request).actor
        await self._take(request, lambda c, door: acts.note(c, door, actor, who, text), urgent=False)
        return _back(who, "note")

    async def _report(self, request: Request) -> dict[str, Any]:
        context, who = self._context, _therapist_id(request)
        now = context.database.clock.now()
        report = await ask(context.database, self._limiter, lambda c: packet(c, context.portals, who, now))
        if report is None:
            raise _unknown()
        return report

    async def _take(
        self, request: Request, act: Callable[[Connection, Door], Taken], *, urgent: bool
    ) -> None:
        """One press, one transaction; the worker hears of it afterwards."""
        context, who = self._context, _therapist_id(request)
        door = Door(context.database.clock.now(), context.policy.coalesce)

        def in_transaction(connection: Connection) -> Taken:
            if known_therapist(connection, who) is None:
                raise _unknown()
            return act(connection, door)

        taken = await change(context.database, self._limiter, in_transaction)
        timeline.log(taken.events)
        if urgent:
            context.wake(taken.portal, 0.0)


def _therapist_id(request: Request) -> str:
    try:
        return str(UUID(str(request.path_params["uuid"])))
    except ValueError:
        raise _unknown() from None


def _unknown() -> Refusal:
    message = phrase(
        "No therapist has this id. Look by name, contact id, record id or the address of a HubSpot page."
    )
    return Refusal(HTTPStatus.NOT_FOUND, phrase("This therapist is not known"), message)


def _back(who: str, pressed: str) -> Response:
    """To the therapist's page, which says what was done; loading it again presses nothing."""
    return RedirectResponse(f"/therapists/{who}?pressed={pressed}", HTTPStatus.SEE_OTHER, HEADERS)
