"""Moments and durations as text. A moment is a float: seconds since 1970-01-01 UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


class BadDuration(ValueError):
    """Not a duration such as `500ms`, `90s`, `30m`, `1h`, `7d`, nor a number of seconds."""


def iso_ms(moment: float) -> str:
    """A moment as HubSpot writes it: `2025-08-26T00:13:08.065Z`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def iso_us(moment: float) -> str:
    """A moment as the sandbox's own answers write it: RFC 3339, microseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_duration(given: object) -> float:
    """Seconds of `90s`, `30m`, `1h30m` or a plain number of seconds; never negative."""
    if isinstance(given, bool):
        raise BadDuration(f"{given!r} is not a duration")
    if isinstance(given, int | float):
        if given < 0 or given != given or given == float("inf"):
            raise BadDuration(f"{given!r} is not a duration: it must be zero or more seconds")
        return float(given)
    if isinstance(given, str):
        text = given.strip()
        found = list(_DURATION.finditer(text))
        if found and "".join(part.group(0) for part in found) == text:
            return sum(float(part.group(1)) * _UNITS[part.group(2)] for part in found)
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
    raise BadDuration(f"{given!r} is not a duration: write 500ms, 90s, 30m, 1h, 7d or a number of seconds")
