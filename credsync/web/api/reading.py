"""The calls that ask: status, lists, timeline, packet, diff, and the feed of events. They change no fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.durations import parse_duration
from credsync.core.events import EventName
from credsync.core.forms import Fault
from credsync.core.portal import Portal
from credsync.core.wanted import Wanted
from credsync.operate.choices import NARROWS, choices, words_of
from credsync.operate.creation_times import ask_creation_times
from credsync.operate.find import BadCursor, find_therapists
from credsync.operate.live import AskLater, in_whole_seconds
from credsync.operate.packet import packet, packet_markdown
from credsync.operate.status import therapist_status
from credsync.operate.timeline import feed, timeline_of
from credsync.reconcile.rehearsal import diff
from credsync.settings import SettingsError
from credsync.store.known import known_therapist
from credsync.web.api.addresses import therapist_id_of, unknown_therapist
from credsync.web.api.answers import said, written
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import Problem
from credsync.web.api.questions import Question, wanted_format
from credsync.web.asking import ask

_T = TypeVar("_T")
PATIENCE = 5.0
"""Seconds a call waits for HubSpot."""


class Reading:
    """The handlers, each with one consistent view of the database."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter

    async def get_therapist(self, request: Request) -> Response:
        """A therapist's status."""
        who = therapist_id_of(request)
        Question(request, ()).checked()
        portals, now = self._context.portals, self._context.database.clock.now()
        status = await self._ask(lambda c: therapist_status(c, portals, who, now))
        if status is None:
            raise unknown_therapist()
        return said(status)

    async def list_therapists(self, request: Request) -> Response:
        """Therapists who are wanted, page by page."""
        portals, now = self._context.portals, self._context.database.clock.now()
        question = Question(request, (*NARROWS, "q", "counts", "cursor", "limit"))
        wanted = _wanted(question, portals)
        counted = question.word("counts", "truth value", ("true", "false")) == "true"
        cursor = question.text("cursor")
        limit = question.number("limit", 50, 1, 500)
        question.checked()

        def wanted_ones(connection: Connection) -> dict[str, Any]:
            found = find_therapists(connection, portals, wanted, cursor=cursor, limit=limit, now=now)
            if counted:
                found["counts"] = choices(connection, portals, wanted, now).as_json()
            return found

        try:
            found = await self._ask(wanted_ones)
        except BadCursor:
            question.refuse("cursor", "invalid_cursor", "must be a next_cursor of this list, or absent")
            question.checked()
            raise
        return said(found)

    async def get_timeline(self, request: Request) -> Response:
        """What happened to a therapist, oldest first."""
        who = therapist_id_of(request)
        Question(request, ()).checked()

        def told(connection: Connection) -> list[dict[str, object]] | None:
            if known_therapist(connection, who) is None:
                return None
            return timeline_of(connection, who)

        events = await self._ask(told)
        if events is None:
            raise unknown_therapist()
        return said({"id": who, "events": events})

    async def get_packet(self, request: Request) -> Response:
        """The help-desk report, as JSON or Markdown; HubSpot is asked when records were created, where that is unknown."""
        who = therapist_id_of(request)
        Question(request, ()).checked()
        kind, media_type = wanted_format(request.headers.get("accept"))
        if self._context.live is not None:
            await ask_creation_times(self._context.live, who, PATIENCE)
        portals, now = self._context.portals, self._context.database.clock.now()
        report = await self._ask(lambda c: packet(c, portals, who, now))
        if report is None:
            raise unknown_therapist()
        return said(report) if kind == "json" else written(packet_markdown(report), media_type)

    async def get_diff(self, request: Request) -> Response:
        """HubSpot now against what would be written."""
        who = therapist_id_of(request)
        Question(request, ()).checked()
        context = self._context
        if await self._ask(lambda c: known_therapist(c, who)) is None:
            raise unknown_therapist()
        try:
            if context.live is None:
                raise SettingsError("This service asks HubSpot nothing.")
            told = await diff(context.live, who, context.policy, PATIENCE)
        except SettingsError as error:
            fault = Fault("", "hubspot_unusable", "HubSpot cannot be asked")
            raise Problem("hubspot-unusable", str(error), [fault]) from None
        except AskLater as later:
            raise _ask_later(later) from None
        assert told is not None
        return said(told)

    async def get_events(self, request: Request) -> Response:
        """The feed: events after a place in it, in order."""
        question = Question(request, ("after", "types", "limit"))
        after = question.number("after", 0, 0, 10**18 - 1)
        types = question.words("types", "event name", [each.value for each in EventName])
        limit = question.number("limit", 500, 1, 1_000)
        question.checked()
        return said(await self._ask(lambda c: feed(c, after, types, limit)))

    async def _ask(self, query: Callable[[Connection], _T]) -> _T:
        return await ask(self._context.database, self._limiter, query)


def _wanted(question: Question, portals: Mapping[str, Portal]) -> Wanted:
    """Which therapists a question is about; what is wrong with it is named by the question."""
    slot = question.slot(portals)
    age, longer_than = question.text("longer_than"), None
    if age is not None:
        try:
            longer_than = parse_duration(age)
        except ValueError as error:
            question.refuse("longer_than", "not_a_duration", str(error))
    return Wanted(
        state=question.word("state", "state", words_of("state", portals)),
        reason=question.word("reason", "reason", words_of("reason", portals)),
        slot=slot,
        portal=question.word("portal", "portal here", words_of("portal", portals)),
        longer_than=longer_than,
        q=question.text("q"),
    )


def _ask_later(later: AskLater) -> Problem:
    seconds = in_whole_seconds(later.seconds)
    fault = Fault("", "reserve_used_up", f"ask again in {seconds} s")
    return Problem("ask-later", str(later), [fault], headers={"Retry-After": str(seconds)})
