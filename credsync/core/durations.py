"""Durations as people write them in settings and portal files: `90s`, `30m`, `7d`."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> timedelta:
    """The duration that a text such as `90s`, `1.5h` or `7d` names.

    Raises `ValueError` with the accepted form for anything else.

    >>> parse_duration("90s").total_seconds()
    90.0
    """
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    try:
        if found is not None:
            return timedelta(seconds=float(found["count"]) * _SECONDS[found["unit"]])
    except OverflowError:
        pass
    raise ValueError("expected a duration such as 90s, 30m, 12h or 7d")


def say_duration(span: timedelta) -> str:
    """A duration for people, in its two largest units: `2 h 5 min`.

    >>> say_duration(timedelta(seconds=7500))
    '2 h 5 min'
    """
    seconds = max(0, round(span.total_seconds()))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"
