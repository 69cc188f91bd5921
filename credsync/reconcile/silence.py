"""A HubSpot that does not answer: how long it is left alone, and when that is worth an alert."""

from __future__ import annotations

from typing import Final

from credsync.core.alerts import AlertKind

LONGEST_PAUSE: Final = 60.0
"""Seconds between probes of a HubSpot that does not answer."""
UNTIL_ALERT: Final = 4
"""So many tries in a row, 14 s and more apart in all, before a HubSpot that does not answer is an alert."""
LONG: Final = 6
"""So many tries until they are `LONGEST_PAUSE` apart."""


def pause_after(silences: int, asked: float | None, speed: float = 1.0) -> float:
    """Seconds until the next try after so many in a row; `asked` is what HubSpot wants at least, in its own time.

    >>> [pause_after(n, None) for n in (1, 3, 9)], pause_after(1, 30.0), pause_after(1, 30.0, speed=10)
    ([2.0, 8.0, 60.0], 30.0, 3.0)
    """
    pause = min(LONGEST_PAUSE, 2.0 ** min(silences, LONG))
    return max(pause, min(asked or 0.0, LONGEST_PAUSE)) / speed


def kind_of_silence(code: str, silences: int) -> AlertKind | None:
    """A silence is worth an alert once it lasts."""
    if code == "rate_limited_daily":
        return AlertKind.RATE_LIMITED_DAILY
    return AlertKind.HUBSPOT_SILENT if silences >= UNTIL_ALERT else None
