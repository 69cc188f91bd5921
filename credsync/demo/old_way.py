"""The way before this one, modelled: one look 60 s after sign-up, and nobody looked again.

All spans are seconds of HubSpot's time after the sign-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

LOOKED_AFTER = 60.0


@dataclass(frozen=True, slots=True)
class RealCase:
    """One of the four: when the look found nothing, and the minute in which HubSpot says the record was created."""

    looked: str
    created_in: str

    @property
    def late(self) -> tuple[float, float]:
        """How long after that look the record came, at least and at most."""
        looked = datetime.fromisoformat(self.looked)
        least = (datetime.fromisoformat(self.created_in) - looked).total_seconds()
        return least, least + 60.0

    @property
    def delay(self) -> float:
        """How long after sign-up the record came, by the middle of what is known."""
        return round(LOOKED_AFTER + sum(self.late) / 2, 1)


CASES = {
    "K": RealCase("2025-08-26T00:13:08.065521+00:00", "2025-08-26T00:14:00+00:00"),
    "P": RealCase("2025-08-27T00:46:35.944573+00:00", "2025-08-27T00:47:00+00:00"),
    "W": RealCase("2025-08-28T13:06:48.933469+00:00", "2025-08-28T13:08:00+00:00"),
    "S": RealCase("2025-08-29T04:01:29.560179+00:00", "2025-08-29T04:02:00+00:00"),
}
"""The names are shortened; the moments are those of the old system's log and of HubSpot."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the old way would have left: the records written, and how long after its only look the others came."""

    written: frozenset[str]
    too_late: Mapping[str, float]

    @property
    def lost(self) -> bool:
        """Whether anything submitted would be missing in HubSpot, until a person notices."""
        return bool(self.too_late)


def left_behind(came: Mapping[str, float]) -> Left:
    """What one look would have left, given when each record of a therapist could be seen.

    To its credit: whatever was there at the look counts as written, whenever the form was submitted.

    >>> left_behind({"license.NY": 59.0, "therapist_address_current": 61.5}).too_late
    {'therapist_address_current': 1.5}
    """
    there = frozenset(slot for slot, at in came.items() if at <= LOOKED_AFTER)
    late = {slot: at - LOOKED_AFTER for slot, at in came.items() if slot not in there}
    return Left(there, late)
