"""What is known of one slot of one therapist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from credsync.core.reasons import Reason


class LinkState(StrEnum):
    AWAITED = "awaited"
    FOUND = "found"
    AMBIGUOUS = "ambiguous"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Link:
    """One slot's link. `record_id` is the record that holds the slot, as the last look saw it.

    `awaited` says whether an empty slot is waited for. `found_at` is when the current holder took the slot, as far
    as we know. From an Extended Sign Up until the labels have settled, `doubtful_since` is set, and
    `doubted_record_id` is the record that held the slot before it; what nobody awaits is in doubt for as long after
    its record, or the one that hangs on, was lost.
    """

    slot: str
    awaited: bool
    awaited_since: datetime
    state: LinkState = LinkState.AWAITED
    reason: Reason = Reason.NOT_LOOKED_YET
    record_id: str | None = None
    candidates: tuple[str, ...] = ()
    first_missed_at: datetime | None = None
    last_looked_at: datetime | None = None
    looks: int = 0
    next_look_at: datetime | None = None
    found_at: datetime | None = None
    record_created_at: datetime | None = None
    doubtful_since: datetime | None = None
    doubted_record_id: str | None = None
    overdue_since: datetime | None = None
    chosen_record_id: str | None = None
    measured_from: datetime | None = None
    """When the fact came that this record was waited for, while the record's creation is still to be set beside it."""

    @property
    def open(self) -> bool:
        """Whether rounds must go on looking for it."""
        awaited = self.awaited and self.state is not LinkState.FOUND
        return awaited or self.state is LinkState.AMBIGUOUS or self.doubtful_since is not None

    @property
    def writable(self) -> bool:
        """Whether a write may go to its record."""
        return self.state is LinkState.FOUND and self.doubtful_since is None


@dataclass(frozen=True, slots=True)
class LinkHistory:
    """A record that once held the slot, and why it no longer does."""

    slot: str
    record_id: str
    found_at: datetime | None
    lost_at: datetime
    reason: Reason
    created_at: datetime | None = None
    """When HubSpot made the record, if that is known: it may have held the slot since long before it was found."""
