"""What is worth a line in the timeline and in the log, under the names others rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EventName(StrEnum):
    """The event names of the timeline, the feed and the JSON logs."""

    SIGN_UP_COMPLETED = "sign_up.completed"
    SECTION_COMPLETED = "section.completed"
    FORM_SUBMITTED = "form.submitted"
    LOOKUP_MISSED = "lookup.missed"
    CONTACT_MERGED = "contact.merged"
    CONTACT_GONE = "contact.gone"
    SYNC_URL_REFUSED = "sync_url.refused"
    LINK_FOUND = "link.found"
    LINK_LOST = "link.lost"
    LINK_AMBIGUOUS = "link.ambiguous"
    LINK_CHOSEN = "link.chosen"
    LINK_OVERDUE = "link.overdue"
    LINK_GIVEN_UP = "link.given_up"
    WRITE_SENT = "write.sent"
    WRITE_WRITTEN = "write.written"
    WRITE_UNKNOWN = "write.unknown"
    WRITE_PARTIAL = "write.partial"
    WRITE_REFUSED = "write.refused"
    WRITE_HELD = "write.held"
    WRITE_SUPERSEDED = "write.superseded"
    SYNC_REQUESTED = "sync.requested"
    WEBHOOK_RECEIVED = "webhook.received"
    WEBHOOK_REFUSED = "webhook.refused"
    ALERT_OPENED = "alert.opened"
    ALERT_CLOSED = "alert.closed"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    PORTAL_PAUSED = "portal.paused"
    PORTAL_RESUMED = "portal.resumed"
    NOTE_ADDED = "note.added"


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened. `details` holds names, ids, counts and codes, never a submitted value."""

    name: EventName
    portal: str
    therapist_id: str | None
    contact_id: str | None
    at: datetime
    slot: str | None = None
    record_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
