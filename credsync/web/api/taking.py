"""One fact, one transaction: the answer of an earlier press, or the fact and its answer, committed before it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.events import TimelineEvent
from credsync.core.forms import Fault
from credsync.store import timeline
from credsync.store.idempotency import KeyReused, Press, answered_before, remember
from credsync.store.therapists import ContactTaken, Door, PortalDiffers, TherapistUnknown
from credsync.web.api.answers import said
from credsync.web.api.auth import caller
from credsync.web.api.context import ApiContext
from credsync.web.api.limits import parse_object, read_body
from credsync.web.api.problems import Problem, invalid

_TRIES = 3
_LONGEST_KEY = 255
PORTAL_NEEDED = Fault("portal", "missing", "is required for a therapist who is not known yet")


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact's transaction answers: status and body, what to log after the commit, which portal to wake and how soon."""

    status: int
    answer: dict[str, Any]
    events: list[TimelineEvent]
    portal: str | None = None
    urgent: bool = False


Fact = Callable[[Connection, Door], Told]
"""Stores a fact in the transaction it is given."""
Check = Callable[[dict[str, Any]], Fact]
"""Turns a body into a fact, or raises a `Problem` that names everything wrong with it."""


class Desk:
    """Takes facts in. Parsing, checking and storing run in a thread, so that no caller waits for another's body."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter

    async def take(self, request: Request, path: str, check: Check, *, body_needed: bool = True) -> Response:
        """Answer one call. `path` is the address in its one spelling."""
        raw = await read_body(request)
        press = _press(request, path, raw) if request.method == "POST" else None

        def work() -> Response:
            given = parse_object(raw) if raw or body_needed else {}
            told = self._commit(check(given), press)
            return said(told[1], told[0])

        return await to_thread.run_sync(work, limiter=self._limiter)

    def _commit(self, fact: Fact, press: Press | None) -> tuple[int, dict[str, Any]]:
        for _ in range(_TRIES - 1):
            try:
                return self._try(fact, press)
            except IntegrityError:  # the same was made by another call at this very moment
                continue
        return self._try(fact, press)

    def _try(self, fact: Fact, press: Press | None) -> tuple[int, dict[str, Any]]:
        context = self._context
        door = Door(context.database.clock.now(), context.policy.coalesce)

        def change(connection: Connection) -> tuple[int, dict[str, Any]] | Told:
            if press is not None and (before := answered_before(connection, press)) is not None:
                return before
            told = fact(connection, door)
            if press is not None:
                remember(connection, press, told.status, told.answer, door.now)
            return told

        try:
            told = context.database.write_together(change)
        except (ContactTaken, PortalDiffers, TherapistUnknown, KeyReused) as refusal:
            raise _refused(refusal) from None
        if not isinstance(told, Told):
            return told
        timeline.log(told.events)
        if told.portal is not None:
            context.wake(told.portal, 0.0 if told.urgent else context.policy.coalesce.total_seconds())
        return told.status, told.answer


def _press(request: Request, path: str, raw: bytes) -> Press | None:
    """The call's `Idempotency-Key`, if it has one. Raises `Problem` 400 for one that cannot be used."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 1 <= len(key) <= _LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
        message = f"must be one header of 1 to {_LONGEST_KEY} visible ASCII characters"
        fault = Fault("Idempotency-Key", "invalid_key", message)
        raise Problem("bad-key", f"Idempotency-Key {message}.", [fault])
    return Press.of(caller(request).name, key, request.method, path, raw)


def _refused(refusal: Exception) -> Problem:
    """What the store refuses, as the caller is told."""
    match refusal:
        case ContactTaken():
            message = f"belongs to therapist {refusal.therapist_id}"
            return Problem(
                "contact-taken",
                f"The contact {message}; one contact belongs to one therapist of a portal.",
                [Fault("contact_id", "contact_taken", message)],
                therapist_id=refusal.therapist_id,
            )
        case PortalDiffers():
            message = f"must be {refusal.portal}, where this therapist lives"
            return Problem(
                "portal-differs",
                f"The therapist lives in portal {refusal.portal}.",
                [Fault("portal", "portal_differs", message)],
                portal=refusal.portal,
            )
        case KeyReused():
            message = "was used before with another body or address: take a new key for a new call"
            fault = Fault("Idempotency-Key", "key_reused", message)
            return Problem("key-reused", f"The Idempotency-Key {message}.", [fault])
        case _:
            return invalid([PORTAL_NEEDED])
