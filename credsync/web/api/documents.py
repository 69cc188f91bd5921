"""What answers hold, as OpenAPI describes it. Answers may grow; what stands here is not renamed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from credsync.core.alerts import AlertKind
from credsync.core.differences import Why
from credsync.core.events import EventName
from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.writes import WriteState

Moment = Annotated[
    str,
    Field(
        description="RFC 3339, UTC, microseconds",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        examples=["2025-08-26T00:14:02.000000Z"],
    ),
]
Id = Annotated[str, Field(description="an id of HubSpot, as a text of digits", examples=["60112345678"])]
Uuid = Annotated[
    str, Field(description="a UUID in lower case", examples=["0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11"])
]


class Document(BaseModel):
    """An answer."""

    model_config = ConfigDict(extra="allow", use_enum_values=True)


class FieldError(Document):
    """One bad field; the message holds no submitted value."""

    path: Annotated[str, Field(description='the field, dotted, with item indexes; "" is the whole body')]
    code: str
    message: str


class ProblemDocument(Document):
    """An error (RFC 9457)."""

    type: Annotated[str, Field(description="where the kind of problem is described")]
    title: str
    status: int
    detail: str
    instance: Annotated[str | None, Field(description="of a failure: the id its log line bears")] = None
    errors: list[FieldError]


class Accepted(Document):
    """What was reported is durable."""

    id: Uuid
    accepted: Literal[True]
    new: Annotated[bool, Field(description="false where it was known already")]
    warnings: Annotated[list[FieldError], Field(description="nothing was refused for these")]
    status_url: str


class AcceptedSignUp(Accepted):
    """A sign-up is durable."""

    sign_up_id: str


class AcceptedSubmission(Accepted):
    """A submission is durable."""

    submission_id: str


class AcceptedSync(Accepted):
    """Sync now is durable."""

    sync_id: str


class AcceptedChoice(Accepted):
    """A choice is durable."""

    choice_id: Annotated[str | None, Field(description="absent where the choice stood already")] = None


class WebhookTaken(Document):
    """What HubSpot told is kept."""

    accepted: Literal[True]
    new: Annotated[bool, Field(description="false where this very call came before: it had no effect")]
    events: int


class Candidate(Document):
    """One of several records in a slot."""

    record_id: Id
    record_url: str | None


class Past(Document):
    """A record the slot had before."""

    record_id: Id
    record_url: str | None
    found_at: Moment | None
    lost_at: Moment
    reason: Reason


class LinkDocument(Document):
    """What is known of one slot."""

    slot: str
    state: LinkState
    reason: Reason
    message: str
    awaited: bool
    record_id: Id | None
    record_url: str | None
    candidates: list[Candidate]
    awaited_since: Moment
    first_missed_at: Moment | None
    last_looked_at: Moment | None
    looks: int
    next_look_at: Moment | None
    found_at: Moment | None
    record_created_at: Moment | None
    lateness_s: Annotated[float | None, Field(description="from the first miss to the record's creation")]
    overdue_after_s: Annotated[
        float | None, Field(description="how long it may take; null before a round judged it")
    ]
    overdue_message: Annotated[str | None, Field(description="what is normal, and whose word that is")]
    shows_submission: Annotated[
        str | None,
        Field(
            description="the newest submission written to the record, as its stamp says it: `submission-57`; null without "
            "`stamp` in the portal file, or before a write"
        ),
    ]
    history: list[Past]


class PropertyVerdict(Document):
    """HubSpot's verdict on one property; never its value."""

    name: str
    state: str
    code: str
    message: str


class WriteDocument(Document):
    """One form's data for one slot."""

    form: str
    slot: str
    rule: str | None
    record_id: Id | None
    state: WriteState
    reason: Reason
    message: str
    submitted_at: Moment
    written_at: Moment | None
    attempts: int
    current: Annotated[bool, Field(description="false for what something newer has answered")]
    properties: list[PropertyVerdict]
    correlation_ids: list[str]


class Status(Document):
    """How a therapist stands."""

    id: Uuid
    portal: str
    portal_state: Literal["running", "paused", "observe_only"]
    contact_id: Id | None
    state: TherapistState
    reason: Reason
    message: str
    contact_shared_with: Annotated[
        list[Uuid], Field(description="therapists whose contact HubSpot merged with this one's")
    ]
    complete: Annotated[bool, Field(description="no awaited slot is empty")]
    ids: Annotated[
        dict[str, Id | None],
        Field(
            description="one key per slot",
            examples=[{"credentialing_active_attested_id": "801", "license_ny_id": None}],
        ),
    ]
    links: list[LinkDocument]
    writes: list[WriteDocument]


class Event(Document):
    """Something that happened."""

    id: Annotated[int, Field(description="its place in the feed")]
    event: EventName
    at: Moment
    portal: str
    therapist_id: Uuid | None
    contact_id: Id | None
    slot: str | None
    record_id: Id | None
    details: dict[str, Any]


class Timeline(Document):
    """What happened to a therapist, oldest first."""

    id: Uuid
    events: list[Event]


class Feed(Document):
    """Events in order."""

    events: list[Event]
    next_after: int


class Packet(Status):
    """The status, what happens next in words, and the timeline."""

    made_at: Moment
    next: list[str]
    timeline: list[Event]


class PropertyDifferenceDocument(Document):
    """A mapped property: HubSpot's value now beside the submitted one."""

    name: str
    hubspot: Annotated[str | None, Field(description="the value now; null where it is empty or not known")]
    submitted: Annotated[
        str | None, Field(description="what Sync now would write, shaped as HubSpot takes it")
    ]
    clears: Annotated[bool, Field(description="what was submitted clears the property")]
    differs: Annotated[bool | None, Field(description="null where there is nothing to compare")]
    will_be_written: Annotated[bool, Field(description="an unsent write carries it in the next round")]
    why: Why
    reason: Annotated[Reason, Field(description="of what waits or is held: why")]
    code: Annotated[str, Field(description="of what was refused or not read: which fault")]
    message: str


class NotRead(Document):
    """Why HubSpot's values are not known."""

    code: str
    message: str


class RecordDifference(Document):
    """One slot, its record as HubSpot has it now, and the properties mapped to it."""

    slot: str
    state: LinkState
    reason: Reason
    message: str
    awaited: bool
    record_id: Annotated[Id | None, Field(description="the record that holds the slot now")]
    record_url: str | None
    stored_record_id: Annotated[Id | None, Field(description="as the last round left it")]
    candidates: list[Candidate]
    readable: bool
    not_read: NotRead | None
    will_be_written: bool
    properties: list[PropertyDifferenceDocument]


class Diff(Document):
    """HubSpot now against what would be written."""

    id: Uuid
    portal: str
    portal_state: Literal["running", "paused", "observe_only"]
    contact_id: Id | None
    contact_url: str | None
    asked_at: Moment
    seen_from: Literal["next_round", "sync_now"]
    complete: Annotated[bool, Field(description="HubSpot answered for everything")]
    ask_again_in_s: Annotated[
        int | None, Field(description="where the reserve of calls ran out: when asking again goes on")
    ]
    reason: Reason
    message: str
    differing: Annotated[int, Field(description="properties that differ")]
    to_be_written: Annotated[int, Field(description="properties that the next round writes")]
    records: list[RecordDifference]


class AlertDocument(Document):
    """One cause, and how it stands. What does not apply to its kind is null."""

    id: Annotated[str, Field(description="digits", examples=["17"])]
    portal: str
    kind: AlertKind
    state: Literal["open", "closed"]
    object: Annotated[str | None, Field(description="an object type's key in the portal file, or contact")]
    slot: Annotated[str | None, Field(description="a slot's key in the portal file")]
    property: Annotated[str | None, Field(description="a property of the object type")]
    verb: Annotated[str | None, Field(description="read or write: what the token may not do")]
    title: str
    message: str
    remedy: Annotated[str, Field(description="what to do")]
    therapists: Annotated[int, Field(description="how many it hits; 0 where it hits the portal as a whole")]
    therapists_url: Annotated[str | None, Field(description="where they are listed")]
    first_seen_at: Moment
    last_seen_at: Moment
    closed_at: Moment | None
    acknowledged_by: Annotated[str | None, Field(description="the name of the token that said so")]
    acknowledged_at: Moment | None
    note: str | None


class Alerts(Document):
    """A page of alerts, newest first."""

    alerts: list[AlertDocument]
    next_cursor: str | None
    open: Annotated[int, Field(description="how many are open now, in all portals")]


class PortalStanding(Document):
    """How a portal stands."""

    portal: str
    portal_state: Literal["running", "paused", "observe_only"]
    paused_by: str | None
    paused_reason: str | None
    paused_at: Moment | None


class Alive(Document):
    """The process answers."""

    status: Literal["alive"]


class Ready(Document):
    """Everything needed is usable."""

    status: Literal["ready"]
    database: Literal["usable"]
    portals: dict[str, Literal["usable"]]


class OpenApi(Document):
    """An OpenAPI document."""

    openapi: str
