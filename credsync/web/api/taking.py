"""One fact, one transaction: the answer of an earlier press, or the fact and its answer, committed before it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from credsync.core.events import TimelineEvent
from credsync.core.forms import Fault
from credsync.operate.live import in_whole_seconds
from credsync.store import timeline
from credsync.store.idempotency import KeyReused, Press, answered_before, remember
from credsync.store.press_limits import PressedTooOften
from credsync.store.therapists import ContactTaken, Door, PortalDiffers, TherapistUnknown
from credsync.web.api.answers import said
from credsync.web.api.auth import caller
from credsync.web.api.context import ApiContext
from credsync.web.api.limits import parse_object, read_body
from credsync.web.api.problems import Problem, invalid
from credsync.web.api.turns import Turns

_TRIES = 3
_LARGE = 64 * 1024
"""Bytes above which a body is parsed and checked in a thread of its own, so that no turn waits for it."""
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
_Change = Callable[[Connection], "tuple[int, dict[str, Any]] | Told"]
Check = Callable[[dict[str, Any]], Fact]
"""Turns a body into a fact, or raises a `Problem` that names everything wrong with it."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call on its way to the database: what makes its fact, or raises a `Problem`, and its press."""

    check: Callable[[], Fact]
    press: Press | None


class Desk:
    """Takes facts in, those that wait together: a turn checks each and stores all that hold in one transaction."""

    def __init__(self, context: ApiContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter
        database = context.database
        self._turns = Turns(self._turn, abreast=database.writers, most=database.most_together)

    async def take(self, request: Request, path: str, check: Check, *, body_needed: bool = True) -> Response:
        """Answer one call. `path` is the address in its one spelling."""
        raw = await read_body(request)
        press = _press(request, path, raw) if request.method == "POST" else None

        def checked() -> Fact:
            return check(parse_object(raw) if raw or body_needed else {})

        if len(raw) > _LARGE:
            fact = await to_thread.run_sync(checked, limiter=self._limiter)
            return await self._turns.result(_Call(lambda: fact, press))
        return await self._turns.result(_Call(checked, press))

    def _turn(self, calls: Sequence[_Call]) -> list[Response | Exception]:
        """One answer for each call."""
        answers: dict[int, Response | Exception] = {}
        changes: dict[int, _Change] = {}
        for number, call in enumerate(calls):
            try:
                changes[number] = self._change(call.check(), call.press)
            except Exception as error:  # noqa: BLE001 - raised where the call came from
                answers[number] = error
        for _ in range(_TRIES):
            ended = self._context.database.write_together(list(changes.values()))
            answers |= zip(changes, map(self._answer, ended), strict=True)
            # the same was made by another process at this very moment: look again
            changes = {n: each for n, each in changes.items() if isinstance(answers[n], IntegrityError)}
            if not changes:
                break
        return [answers[number] for number in range(len(calls))]

    def _change(self, fact: Fact, press: Press | None) -> _Change:
        context = self._context

        def change(connection: Connection) -> tuple[int, dict[str, Any]] | Told:
            if press is not None and (before := answered_before(connection, press)) is not None:
                return before
            door = Door(context.database.clock.now(), context.policy.coalesce)
            told = fact(connection, door)
            if press is not None:
                remember(connection, press, told.status, told.answer, door.now)
            return told

        return change

    def _answer(self, ended: tuple[int, dict[str, Any]] | Told | Exception) -> Response | Exception:
        """What a call is told once its change has ended, and what follows from it."""
        match ended:
            case ContactTaken() | PortalDiffers() | TherapistUnknown() | KeyReused() | PressedTooOften():
                return _refused(ended)
            case Exception():
                return ended
            case Told():
                timeline.log(ended.events)
                if ended.portal is not None:
                    after = 0.0 if ended.urgent else self._context.policy.coalesce.total_seconds()
                    self._context.wake(ended.portal, after)
                return said(ended.answer, ended.status)
            case status, answer:
                return said(answer, status)


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
        case PressedTooOften():
            seconds = in_whole_seconds(refusal.wait.total_seconds())
            fault = Fault("", "pressed_too_often", f"press again in {seconds} s")
            return Problem("pressed-too-often", str(refusal), [fault], headers={"Retry-After": str(seconds)})
        case _:
            return invalid([PORTAL_NEEDED])
