"""Who goes first when calls must wait for HubSpot's limit: four lanes, set once where a round or a sweep begins.

The order is strict: as long as somebody waits in a higher lane, nobody in a lower one is seated. A lower lane can
wait for ever only where higher ones use up the whole limit for ever, which is 1,900 records a second from people who
submit. Who waits at a screen, or submitted just now, never pays for a backfill.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Lane(IntEnum):
    """Smaller goes first."""

    NOW = 0
    """Sync now, what was just submitted, and what nothing goes on without."""
    WAITING = 1
    """Looks for those who wait."""
    SWEEP = 2
    """Verification of what is thought to be known."""
    BACKFILL = 3
    """A confirmed re-sync."""


_lane: ContextVar[Lane] = ContextVar("lane", default=Lane.WAITING)


def current_lane() -> Lane:
    """The lane of the calls made here; `WAITING` where nobody set one."""
    return _lane.get()


@contextmanager
def in_lane(lane: Lane) -> Iterator[None]:
    """Every call made within, in tasks started within too, goes in this lane."""
    before = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(before)
