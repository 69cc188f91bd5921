"""What lists of therapists answer."""

from __future__ import annotations

from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.web.api.documents import AlertDocument, Document, Id, Moment, Uuid


class Entry(Document):
    """A therapist in a list."""

    id: Uuid
    portal: str
    contact_id: Id | None
    name: str | None
    state: TherapistState
    reason: Reason
    message: str
    state_since: Moment
    awaited_slots: list[str]
    next_look_at: Moment | None


class CountDocument(Document):
    """How many; with `more` there are more, or may be, than were counted."""

    count: int
    more: bool


class ChoiceCount(CountDocument):
    """How many there would be with this value, within the other choices."""

    value: str


class Counts(Document):
    """For every value that anybody has. `longer_than` has some spans, each counted with those who are longer so."""

    total: CountDocument
    state: list[ChoiceCount]
    reason: list[ChoiceCount]
    slot: list[ChoiceCount]
    portal: list[ChoiceCount]
    longer_than: list[ChoiceCount]


class Page(Document):
    """A page of a list; `counts` where they were asked for."""

    therapists: list[Entry]
    next_cursor: str | None
    counts: Counts | None = None


class AlertTherapists(Page):
    """Whom a cause hits now."""

    alert: AlertDocument
