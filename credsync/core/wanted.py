"""Which therapists a list is about: what was chosen of state, reason, slot, portal, age and a search, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from credsync.core.durations import parse_duration

AGES: Final[Mapping[str, timedelta]] = {each: parse_duration(each) for each in ("1h", "6h", "1d", "7d")}
"""The spans that pages offer, as they stand in an address."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """None leaves nobody out. `slot` is that of those whose link is awaited and not found; the name of a slot per value
    stands for all of its values. `longer_than` is how long a therapist has been in its state at least. `q` is an id, a
    record's address or a part of a name; a blank one is none.
    """

    state: str | None = None
    reason: str | None = None
    slot: str | None = None
    portal: str | None = None
    longer_than: timedelta | None = None
    q: str | None = None

    def __post_init__(self) -> None:
        if self.q is not None and not self.q.strip():
            object.__setattr__(self, "q", None)

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) is not None for each in fields(self))

    def without(self, name: str) -> Wanted:
        """The same but for one choice."""
        return replace(self, **{name: None})

    def before(self, now: datetime) -> datetime | None:
        """Since when a therapist has to be in its state."""
        if self.longer_than is None:
            return None
        try:
            return now - self.longer_than
        except OverflowError:  # longer than there are years: nobody
            return datetime.min.replace(tzinfo=UTC)

    @property
    def holds_nul(self) -> bool:
        """Whether a text is one that no database takes, and so nobody's."""
        texts = (self.state, self.reason, self.slot, self.portal, self.q)
        return any("\x00" in text for text in texts if text)
