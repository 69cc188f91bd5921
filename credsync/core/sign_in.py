"""How long signing in is slowed down after failures, and how long a session lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
LINK_LASTS: Final = timedelta(minutes=15)
FORGOTTEN: Final = timedelta(hours=1)
"""After so long without a failure the count begins anew."""
_SLOWEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row, and when the last of them was."""

    failures: int
    last_at: datetime


PERSON_FREE: Final = 5
ADDRESS_FREE: Final = 20
"""Failures that cost no waiting: of one person, and from one address, behind which there may be a whole office."""


def may_try_at(attempts: Attempts | None, free: int, now: datetime) -> datetime:
    """When the next attempt may be made: at once, or after 1, 2, 4 … 60 s. Slower, never never.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    >>> [str(may_try_at(Attempts(n, now), 5, now) - now) for n in (4, 5, 6, 7, 40)]
    ['0:00:00', '0:00:01', '0:00:02', '0:00:04', '0:01:00']
    """
    if attempts is None or attempts.failures < free or now - attempts.last_at >= FORGOTTEN:
        return now
    wait = min(timedelta(seconds=2 ** min(attempts.failures - free, 10)), _SLOWEST)
    return max(now, attempts.last_at + wait)


def counted(attempts: Attempts | None, now: datetime) -> Attempts:
    """With one more failure, now."""
    if attempts is None or now - attempts.last_at >= FORGOTTEN:
        return Attempts(1, now)
    return Attempts(attempts.failures + 1, now)


def session_lasts(opened_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a session still holds: used within the last 30 minutes, and opened within the last 12 hours."""
    return now - seen_at < IDLE and now - opened_at < LONGEST
