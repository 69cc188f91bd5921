"""What HubSpot says of its limits in the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PREFIX = "x-hubspot-ratelimit-"
_SHORTEST, _LONGEST = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class LimitsTold:
    """Calls in one interval (seconds of HubSpot's time) and in a day, and what is left of them; None is not told."""

    most: int | None = None
    left: int | None = None
    interval: float = 10.0
    daily: int | None = None
    daily_left: int | None = None


def limits_told(headers: Mapping[str, str]) -> LimitsTold:
    """Read the headers; what is no number, or makes no sense, is not told.

    >>> limits_told({"x-hubspot-ratelimit-max": "190", "x-hubspot-ratelimit-remaining": "7"})
    LimitsTold(most=190, left=7, interval=10.0, daily=None, daily_left=None)
    """
    milliseconds = _number(headers, "interval-milliseconds")
    interval = 10.0 if milliseconds is None else milliseconds / 1000
    daily, daily_left = _number(headers, "daily"), _number(headers, "daily-remaining")
    most, left = _number(headers, "max"), _number(headers, "remaining")
    if not most or not _SHORTEST <= interval <= _LONGEST:
        return LimitsTold(daily=daily or None, daily_left=daily_left)
    return LimitsTold(most, left, interval, daily or None, daily_left)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(_PREFIX + name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
