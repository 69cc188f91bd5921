"""What the call about delays answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from credsync.core.deadlines import Source
from credsync.web.api.documents import Document, Moment


class Percentiles(Document):
    """Half, 95 and 99 of a hundred came within so many seconds: up to 5 % too many, never too few."""

    count: int
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


class DelayWeek(Document):
    """The waits that began in one week."""

    week: Annotated[str, Field(description="its Monday", examples=["2026-11-23"])]
    found: Annotated[Percentiles, Field(description="until credsync had the record's id")]
    created: Annotated[
        Percentiles, Field(description="until HubSpot created the record, where that is known")
    ]


class SlotDelays(Document):
    """How long the records of one slot take to come."""

    portal: str
    slot: str
    object: str
    message: Annotated[
        str,
        Field(examples=["normally 1 to 4 minutes; overdue after 12 min, learnt from 214"]),
    ]
    overdue_after_s: float
    overdue_after_from: Source
    samples: Annotated[int, Field(description="delays of the last four weeks")]
    waiting: Annotated[int, Field(description="who waits for it now; who is given up does not count")]
    longest_waiting_since: Moment | None
    weeks: list[DelayWeek]


class Delays(Document):
    """Every slot, in the order of the portal files."""

    delays: list[SlotDelays]
