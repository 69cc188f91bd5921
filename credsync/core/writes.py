"""One write: what an enrolment's submissions of one form have to say to the record in one slot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from credsync.core.forms import FormName
from credsync.core.portal import DEFINITIVE
from credsync.core.reasons import Reason


class WriteState(StrEnum):
    WAITING = "waiting"
    DUE = "due"
    UNKNOWN = "unknown"
    WRITTEN = "written"
    PARTIAL = "partial"
    REFUSED = "refused"
    HELD = "held"
    SUPERSEDED = "superseded"


OPEN = frozenset({WriteState.WAITING, WriteState.DUE, WriteState.HELD})
"""Not sent yet: submissions join it and it is judged anew in every round."""

UNFINISHED = frozenset({WriteState.WAITING, WriteState.DUE, WriteState.UNKNOWN})
"""Something is still to happen by itself."""

HELD_BY_BACKUP = frozenset({Reason.RESTORED, Reason.RESTORED_DIFFERS})
"""Why a write is held after a backup was restored: not compared with its record yet; or compared, and it differs."""


def place_of(slot: str, rule: str | None) -> str:
    """A target's place: `definitive` for what a rule chooses, chosen yet or not, else the slot itself."""
    return slot if rule is None else DEFINITIVE


class Cause(StrEnum):
    """Why a write exists: submitted, asked for by a person, or owed to a lost record's successor."""

    SUBMITTED = "submitted"
    SYNC = "sync"
    SUCCESSOR = "successor"


@dataclass(frozen=True, slots=True)
class Write:
    """A row of the writes table; `id` is None until it is stored.

    `submissions` are the ids it carries. `rule` names the definitive rule that chose the slot, if one did.
    """

    id: int | None
    enrolment: int
    form: FormName
    slot: str
    rule: str | None
    submissions: frozenset[int]
    submitted_at: datetime
    state: WriteState = WriteState.WAITING
    reason: Reason = Reason.NOT_LOOKED_YET
    cause: Cause = Cause.SUBMITTED
    record_id: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    not_before: datetime | None = None
    wrote: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    """The properties that HubSpot took, and those it refused, when this was last sent."""

    @property
    def goes_now(self) -> bool:
        """Whether this round sends it (or reads it back); a due write whose last try failed waits for its moment."""
        return self.state is WriteState.DUE and self.reason is not Reason.SEND_FAILED

    @property
    def place(self) -> str:
        """Where it belongs, whichever Credentialing that turns out to be: `definitive`, or its slot."""
        return place_of(self.slot, self.rule)

    @property
    def asks(self) -> frozenset[tuple[int, str]]:
        """Each of its submissions at its place, and at the slot that place was given."""
        return frozenset((s, at) for s in self.submissions for at in (self.place, self.slot))

    @property
    def key(self) -> tuple[int, str, str]:
        """One open write per enrolment, form and slot."""
        return (self.enrolment, self.form, self.slot)
