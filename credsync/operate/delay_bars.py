"""The delays of a slot's last weeks as a few bars: how many came within each span."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from credsync.core.delays import Measure, bucket_end, week_of
from credsync.core.durations import say_duration
from credsync.core.phrases import phrase
from credsync.store.delays import delays_by_week

WEEKS: Final = 4
_BOUNDS: Final = (5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 43_200)
"""Seconds; what took longer than the last falls into a bar of its own."""


def delay_bars(connection: Connection, portal: str, slot: str, now: datetime) -> list[dict[str, Any]]:
    """`[{label, count, share}]` over the last four weeks, the shortest span first; `share` of the largest bar.

    Bars before the first and after the last that holds anything are left out; none at all where nothing was counted.
    """
    first = week_of(now - timedelta(weeks=WEEKS - 1))
    counts = [0] * (len(_BOUNDS) + 1)
    for week, measured in delays_by_week(connection, portal, slot).get(slot, {}).items():
        if week >= first and Measure.FOUND in measured:
            for bucket, number in measured[Measure.FOUND].counts.items():
                counts[_bar_of(bucket)] += number
    held = [place for place, count in enumerate(counts) if count]
    if not held:
        return []
    most = max(counts)
    return [
        {"label": _label(place), "count": counts[place], "share": round(counts[place] / most, 4)}
        for place in range(held[0], held[-1] + 1)
    ]


def _bar_of(bucket: int) -> int:
    return sum(bucket_end(bucket).total_seconds() > bound for bound in _BOUNDS)


def _label(place: int) -> str:
    bounds = [say_duration(timedelta(seconds=bound)) for bound in _BOUNDS]
    if place == len(bounds):
        return f"> {bounds[-1]}"
    if place == 0:
        return f"≤ {bounds[0]}"
    return phrase("{first} to {last}", first=bounds[place - 1], last=bounds[place])
