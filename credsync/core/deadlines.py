"""When a slot's wait is overdue, and why then: set by people, learnt from delays, or the default while too few are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from credsync.core.delays import Histogram, Measure, together, week_of
from credsync.core.durations import say_duration
from credsync.core.schedule import Policy

FEWEST = 30
"""Delays below which nothing is learnt."""
WEEKS = 4
"""The weeks that are learnt from, the current one with them."""
STEADY = 0.2
"""A deadline that is within this share of the one that holds does not replace it."""
_WEEKS_TO_COMPARE = 3


class Source(StrEnum):
    """Whose word the deadline is."""

    PORTAL_FILE = "portal_file"
    SETTINGS = "settings"
    LEARNT = "learnt"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Deadline:
    """One slot's deadline as rounds use it. `samples` were known when it was last judged; spans as they pass here."""

    slot: str
    after: timedelta
    source: Source
    samples: int = 0
    normally: tuple[timedelta, timedelta] | None = None
    """Between these, eight of ten came; None while too few are known."""

    @property
    def sentence(self) -> str:
        """Why it is overdue when it is, for people."""
        ends = f"overdue after {say_duration(self.after)}"
        few = f"too few to say what is normal ({self.samples} of {FEWEST})"
        usual = f"normally {_between(*self.normally)}" if self.normally is not None else few
        why = {
            Source.PORTAL_FILE: "set in the portal file",
            Source.SETTINGS: "set in the settings",
            Source.LEARNT: f"learnt from {self.samples:,}",
            Source.DEFAULT: "the default",
        }[self.source]
        return f"{usual}; {ends}, {why}"


Weeks = Mapping[str, Mapping[Measure, Histogram]]
"""One slot's counts by week (its Monday) and measure."""


def deadline_of(
    slot: str, own: timedelta | None, weeks: Weeks, now: datetime, policy: Policy, held: Deadline | None
) -> Deadline:
    """The deadline of a slot from now on. `own` is the portal file's word, `held` what has held so far.

    Somebody's word goes first: the slot's own, then `overdue_after` where it is set. Else it is the 99th percentile of
    the last weeks between a floor and a ceiling, and the default while fewer than 30 delays are known. What was
    learnt stays until it would change by more than a fifth.
    """
    recent = _recent(weeks, now)
    every = together(recent)
    normally = None
    if every.count >= FEWEST:
        low, high = every.percentile(0.1), every.percentile(0.9)
        assert low is not None
        assert high is not None
        normally = (low, high)
    if own is not None:
        return Deadline(slot, own / policy.speed, Source.PORTAL_FILE, every.count, normally)
    if policy.overdue_set:
        return Deadline(slot, policy.overdue_after, Source.SETTINGS, every.count, normally)
    if every.count < FEWEST:
        return Deadline(slot, policy.overdue_after, Source.DEFAULT, every.count)
    after = min(max(_usual_latest(recent, every), policy.overdue_floor), policy.overdue_ceiling)
    if held is not None and held.source is Source.LEARNT and abs(after / held.after - 1) <= STEADY:
        after = held.after
    return Deadline(slot, after, Source.LEARNT, every.count, normally)


def _recent(weeks: Weeks, now: datetime) -> list[Histogram]:
    """The last weeks, each by what was found, or by creation where too few were seen to come."""
    first = week_of(now - timedelta(weeks=WEEKS - 1))
    known = [each for week, each in sorted(weeks.items()) if week >= first]
    for measure in Measure:
        found = [each[measure] for each in known if measure in each]
        if together(found).count >= FEWEST:
            return found
    return [each[Measure.FOUND] for each in known if Measure.FOUND in each]


def _usual_latest(weeks: list[Histogram], every: Histogram) -> timedelta:
    """The 99th percentile; where weeks enough can be compared, their middle one, so that a bad week teaches nothing."""
    each = sorted(w.percentile(0.99) or timedelta(0) for w in weeks if w.count >= FEWEST)
    if len(each) >= _WEEKS_TO_COMPARE:
        return each[(len(each) - 1) // 2]
    return every.percentile(0.99) or timedelta(0)


def _between(low: timedelta, high: timedelta) -> str:
    (first, unit), (last, other) = _rounded(low), _rounded(high)
    if unit != other:
        return f"{first} {unit} to {last} {other}"
    return f"{first} to {last} {unit}" if first < last else f"about {last} {unit}"


def _rounded(span: timedelta) -> tuple[int, str]:
    """A span in one unit, as one would say it."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if span.total_seconds() >= (2 if size > 60 else 1) * size:
            return round(span.total_seconds() / size), unit
    return round(span.total_seconds()), "s"
