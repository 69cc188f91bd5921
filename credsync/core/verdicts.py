"""What HubSpot did with one record of a batch.

A verdict is a value, never an exception: one record's refusal must not end its neighbours' way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """What a failed call means for HubSpot's data."""

    NOT_SENT = "not_sent"
    """Nothing left this process, or HubSpot turned the call away before reading it (429, 401): send again."""
    REFUSED = "refused"
    """HubSpot read it and said no: sending the same again is pointless."""
    UNKNOWN = "unknown"
    """It may have been carried out (a time-out, a 5xx, an empty 2xx): read back before sending again."""


class Outcome(StrEnum):
    """The end of one record's write."""

    WRITTEN = "written"
    PARTIAL = "partial"
    """Written but for the properties named in `faults`."""
    REFUSED = "refused"
    MISSING = "missing"
    """HubSpot knows no record with this id (`OBJECT_NOT_FOUND`): deleted or merged."""
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class PropertyFault:
    """One property HubSpot (or our own check before sending) refused; `message` holds no submitted value."""

    name: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an input leaves on its record in the stamp's property (`credsync.core.stamps`).

    `whole` when everything in the input is sent in one call, `part` when something of it is left out.
    """

    name: str
    whole: str
    part: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One record's outcome, with the correlation ids HubSpot's support asks for."""

    outcome: Outcome
    code: str = ""
    message: str = ""
    faults: tuple[PropertyFault, ...] = ()
    correlation_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    """The record's creation time, where the answer told it (UTC)."""
    retry_after: float | None = None
    """Seconds HubSpot asked us to wait, where it did."""
    scopes: tuple[str, ...] = ()
    """What the token lacks, where that is why."""


def both(first: Verdict, second: Verdict) -> Verdict:
    """One record's verdict after two calls, the first of which was taken, wholly or in part."""
    seen = tuple(dict.fromkeys([*first.correlation_ids, *second.correlation_ids]))
    faults = (*first.faults, *second.faults)
    created = first.created_at or second.created_at
    if second.outcome is Outcome.WRITTEN:
        return replace(first, correlation_ids=seen, created_at=created)
    outcome = Outcome.PARTIAL if second.outcome is Outcome.REFUSED else second.outcome
    return replace(second, outcome=outcome, faults=faults, correlation_ids=seen, created_at=created)
