"""When a wait is overdue: whose word goes first, what is learnt, and how steady it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.deadlines import FEWEST, Deadline, Source, deadline_of
from credsync.core.delays import Histogram, Measure, bucket_of, week_of
from credsync.core.schedule import Policy
from tests.core.builders import T0

SLOT, POLICY = "license", Policy()
NOW = T0 + timedelta(days=20)
MINUTE = timedelta(minutes=1)


def histogram(minutes: Iterable[float]) -> Histogram:
    """Counts of delays of so many minutes."""
    counts: dict[int, int] = {}
    for each in minutes:
        counts[bucket_of(each * MINUTE)] = counts.get(bucket_of(each * MINUTE), 0) + 1
    return Histogram(counts)


def weeks(*found: Iterable[float], measure: Measure = Measure.FOUND) -> dict[str, dict[Measure, Histogram]]:
    """Delays by week, the current one first."""
    return {week_of(NOW - timedelta(weeks=ago)): {measure: histogram(each)} for ago, each in enumerate(found)}


def judged(*found: Iterable[float], held: Deadline | None = None, policy: Policy = POLICY) -> Deadline:
    """The deadline after these weeks, the current one first."""
    return deadline_of(SLOT, None, weeks(*found), NOW, policy, held)


USUAL = [1 + 3 * n / 200 for n in range(200)] + [12] * 14
"""Minutes: mostly one to four, some twelve."""


def test_a_deadline_is_learnt_from_the_99th_percentile_of_the_last_weeks() -> None:
    """The overdue deadline is learnt: the 99th percentile of the last weeks, between a floor and a ceiling."""
    learnt = judged(USUAL)
    assert (learnt.source, learnt.samples) == (Source.LEARNT, 214)
    assert 12 * MINUTE <= learnt.after <= 12 * 1.05 * MINUTE
    assert learnt.sentence == "normally 1 to 4 minutes; overdue after 12 min 5 s, learnt from 214"
    assert judged([1.0] * 200).after == timedelta(minutes=5)
    assert judged([60 * 24 * 3] * 200).after == timedelta(days=1)


def test_somebodys_word_goes_before_what_was_learnt() -> None:
    """The slot's own `overdue_after` wins, then that of the settings, then what is learnt, then the default."""
    own = deadline_of(SLOT, 45 * MINUTE, weeks(USUAL), NOW, replace(POLICY, overdue_set=True), None)
    assert (own.source, own.after) == (Source.PORTAL_FILE, 45 * MINUTE)
    set_ = judged(USUAL, policy=replace(POLICY, overdue_set=True, overdue_after=20 * MINUTE))
    assert (set_.source, set_.after) == (Source.SETTINGS, 20 * MINUTE)
    assert set_.sentence == "normally 1 to 4 minutes; overdue after 20 min, set in the settings"


def test_below_thirty_there_is_too_little_to_say() -> None:
    """Below 30 delays nothing is learnt: too few to say."""
    few, enough = judged([2.0] * (FEWEST - 1)), judged([2.0] * FEWEST)
    assert (few.source, few.after, few.normally) == (Source.DEFAULT, timedelta(minutes=30), None)
    assert few.sentence == "too few to say what is normal (29 of 30); overdue after 30 min, the default"
    assert enough.source is Source.LEARNT
    assert judged().sentence.startswith("too few to say what is normal (0 of 30)")


def test_what_is_older_than_four_weeks_is_learnt_from_no_more() -> None:
    assert judged([], [], [], [], [2.0] * 300).source is Source.DEFAULT
    assert judged([], [], [], [2.0] * 300).source is Source.LEARNT


def test_one_bad_week_does_not_teach_that_bad_is_normal() -> None:
    """A week in which a workflow stood still moves no deadline."""
    good, bad = [20.0] * 100, [600.0] * 100
    assert judged(good, bad, good, good).after <= timedelta(minutes=21)
    assert judged(bad, bad, good, bad).after >= timedelta(hours=10)


def test_where_too_few_were_seen_to_come_their_creation_is_learnt_from() -> None:
    seen = weeks([20.0] * 10)
    created = weeks([15.0] * 100, measure=Measure.CREATED)
    both = {week: {**seen.get(week, {}), **each} for week, each in created.items()}
    learnt = deadline_of(SLOT, None, both, NOW, POLICY, None)
    assert (learnt.source, learnt.samples) == (Source.LEARNT, 100)


@pytest.mark.parametrize(("minutes", "moves"), [(11.0, False), (13.5, False), (16.0, True), (6.0, True)])
def test_a_learnt_deadline_holds_until_it_would_change_by_more_than_a_fifth(
    minutes: float, moves: bool
) -> None:
    """A learnt deadline is steady: only a change by more than a fifth replaces it."""
    held = judged([12.0] * 100)
    now = judged([minutes] * 100, held=held)
    assert (now.after != held.after) is moves


@given(
    st.lists(st.lists(st.floats(0.01, 30_000), max_size=60), max_size=5),
    st.sampled_from([1.0, 60.0]),
)
def test_what_is_learnt_is_steady_and_within_floor_and_ceiling(
    found: list[list[float]], speed: float
) -> None:
    """Judged again on the same delays, a deadline stays; learnt ones keep to floor and ceiling."""
    policy = POLICY.at_speed(speed)
    first = judged(*found, policy=policy)
    if first.source is Source.LEARNT:
        assert policy.overdue_floor <= first.after <= policy.overdue_ceiling
    assert judged(*found, held=first, policy=policy) == first


def test_a_rehearsal_divides_the_portal_files_word_too() -> None:
    assert deadline_of(SLOT, 45 * MINUTE, {}, NOW, POLICY.at_speed(60), None).after == timedelta(seconds=45)
