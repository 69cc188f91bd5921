"""The one seam for time: what asks for the moment asks a `Clock`, so that tests and storms set it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Tells the moment, in UTC."""

    def now(self) -> datetime:
        """The moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment by the machine's clock, in UTC."""
        return datetime.now(UTC)


@lru_cache(maxsize=4_096)  # a round stores its own moment some thousand times
def say_time(at: datetime) -> str:
    """A moment as the API, the logs and HubSpot's people see it: RFC 3339, UTC, microseconds.

    >>> say_time(datetime(2025, 8, 26, 0, 13, 8, 65521, tzinfo=UTC))
    '2025-08-26T00:13:08.065521Z'
    """
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"
