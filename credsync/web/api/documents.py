"""What answers hold, as OpenAPI describes it. Answers may grow; what stands here is not renamed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


class Page(Document):
    """A page of a list."""

    therapists: list[Entry]
    next_cursor: str | None


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
