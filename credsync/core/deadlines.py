"""When a slot's wait is overdue, and why then: set by people, learnt from delays, or the default while too few are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from credsync.core.delays import Histogram, Measure, together, week_of
from credsync.core.phrases import counted, phrase
from credsync.core.schedule import Policy

FEWEST = 30
"""Delays below which nothing is learnt."""
WEEKS = 4
"""The weeks that are learnt from, the current one with them."""
STEADY = 0.2
"""A deadline that is within this share of the one that holds does not replace it."""
_WEEKS_TO_COMPARE = 3


class _Unit(IntEnum):
    """In seconds."""

    SECOND = 1
    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400


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
        why = {
            Source.PORTAL_FILE: phrase("set in the portal file"),
            Source.SETTINGS: phrase("set in the settings"),
            Source.LEARNT: phrase("learnt from {samples}", samples=self.samples),
            Source.DEFAULT: phrase("the default"),
        }[self.source]
        usual = (
            phrase("normally {span}", span=_between(*self.normally))
            if self.normally is not None
            else phrase(
                "too few to say what is normal ({samples} of {fewest})", samples=self.samples, fewest=FEWEST
            )
        )
        return phrase("{usual}; overdue after {span}, {why}", usual=usual, span=self.after, why=why)


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
    if unit is not other:
        return phrase("{first} to {last}", first=_in_units(first, unit), last=_in_units(last, other))
    if first < last:
        return phrase("{first} to {last}", first=first, last=_in_units(last, other))
    return phrase("about {span}", span=_in_units(last, other))


def _rounded(span: timedelta) -> tuple[int, _Unit]:
    """A span in one unit, as one would say it."""
    for unit in (_Unit.DAY, _Unit.HOUR, _Unit.MINUTE):
        if span.total_seconds() >= (2 if unit is not _Unit.MINUTE else 1) * unit:
            return round(span.total_seconds() / unit), unit
    return round(span.total_seconds()), _Unit.SECOND


def _in_units(count: int, unit: _Unit) -> str:
    match unit:
        case _Unit.DAY:
            return counted("{count} day", "{count} days", count)
        case _Unit.HOUR:
            return counted("{count} hour", "{count} hours", count)
        case _Unit.MINUTE:
            return counted("{count} minute", "{count} minutes", count)
        case _:
            return f"{count} s"
