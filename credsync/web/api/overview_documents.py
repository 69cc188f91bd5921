"""What the calls about everything, and about a portal's mapping, answer, as OpenAPI describes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from credsync.core.portal import Awaited, Kind
from credsync.web.api.delay_documents import SlotDelays
from credsync.web.api.documents import AlertDocument, Document, Moment


class CallsOfADay(Document):
    """The calls of one kind that rounds made on the account's present day."""

    used: int
    allowed: Annotated[int | None, Field(description="what the account may make; null before HubSpot told")]
    ours: Annotated[int | None, Field(description="the part of it that credsync may make")]
    per_10s: int
    stopped_until: Annotated[Moment | None, Field(description="while HubSpot wants no more of them")]


class Quota(Document):
    """What a portal has used of HubSpot's day."""

    day: Annotated[str, Field(examples=["2026-11-24"])]
    time_zone: Annotated[str, Field(description="the account's; UTC before it is known")]
    reserve_per_10s: Annotated[int, Field(description="calls left for people's questions")]
    calls: CallsOfADay
    association_calls: CallsOfADay


class PortalToday(Document):
    """A portal at a glance."""

    name: str
    kind: Kind
    state: Literal["running", "paused", "observe_only"]
    message: str
    therapists: int
    quota: Quota


class Today(Document):
    """How everything stands."""

    at: Moment
    states: Annotated[dict[str, int], Field(description="how many therapists are in each state")]
    portals: list[PortalToday]
    workflows: list[SlotDelays]
    alerts: Annotated[list[AlertDocument], Field(description="the newest that are open, 20 at most")]
    alerts_open: int


class MappedField(Document):
    """A property and the path that feeds it."""

    property: str
    path: str
    missing: Annotated[bool, Field(description="HubSpot had no such property when its names were last read")]


class MappedWrite(Document):
    """What a form writes to a slot's record."""

    form: Literal["sign_up", "ca", "af"]
    definitive: Annotated[bool, Field(description="only where this is the definitive slot")]
    each: str | None
    fields: list[MappedField]


class MappedSlot(Document):
    """A place for one record."""

    key: str
    marker: Annotated[str, Field(description="what tells the record")]
    awaited: Awaited
    overdue_after: str | None
    missing: Annotated[bool, Field(description="HubSpot had no such label when its names were last read")]
    writes: list[MappedWrite]


class MappedObject(Document):
    """An object type and its slots."""

    key: str
    name: str
    parent: str
    slots: list[MappedSlot]


class Mapping(Document):
    """A portal's mapping as a tree."""

    portal: str
    names_known: Annotated[bool, Field(description="whether HubSpot's names were read for this portal file")]
    objects: list[MappedObject]
