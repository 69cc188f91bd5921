"""When to look again: max(5 s, a tenth of the time waited), at most an hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.schedule import Policy, look_again_after, next_look, send_again_after
from tests.core.builders import T0, at

POLICY = Policy(look_again_min=timedelta(seconds=5), look_again_share=0.1)
SECONDS = st.floats(min_value=0, max_value=40 * 86_400)


@pytest.mark.parametrize(
    ("waited", "again"),
    [(0, 5), (49, 5), (51, 5.1), (600, 60), (35_999, 3_599.9), (36_000, 3_600), (10**7, 3_600)],
)
def test_the_next_look_is_after_a_tenth_of_the_time_waited_within_five_seconds_and_an_hour(
    waited: float, again: float
) -> None:
    """The next look is after a share of the time waited, within a few seconds and an hour."""
    assert look_again_after(timedelta(seconds=waited), POLICY) == timedelta(seconds=again)


@given(SECONDS, SECONDS)
def test_who_has_waited_longer_is_never_looked_at_sooner(one: float, other: float) -> None:
    """The longer somebody has waited, the longer until the next look."""
    shorter, longer = sorted([one, other])
    assert look_again_after(timedelta(seconds=shorter), POLICY) <= look_again_after(
        timedelta(seconds=longer), POLICY
    )


@given(SECONDS, SECONDS)
def test_a_later_look_never_leads_to_an_earlier_next_one(one: float, other: float) -> None:
    """A later look never brings the next one forward."""
    sooner, later = sorted([one, other])
    assert next_look(T0, at(sooner), POLICY) <= next_look(T0, at(later), POLICY)


@given(SECONDS)
def test_the_next_look_is_always_ahead(waited: float) -> None:
    """There is always a next look, and it is never now."""
    assert next_look(T0, at(waited), POLICY) > at(waited)


POLICIES = st.builds(
    Policy,
    look_again_min=st.integers(1, 3_600).map(lambda n: timedelta(seconds=n)),
    look_again_max=st.integers(3_600, 86_400).map(lambda n: timedelta(seconds=n)),
    look_again_share=st.floats(0.001, 1),
)


@given(SECONDS, POLICIES)
def test_the_next_look_keeps_to_its_bounds_however_they_are_set(waited: float, policy: Policy) -> None:
    """The next look is after a share of the time waited, within a few seconds and an hour."""
    again = look_again_after(timedelta(seconds=waited), policy)
    assert policy.look_again_min <= again <= policy.look_again_max
    exact = timedelta(seconds=waited) * policy.look_again_share
    assert again in (exact, policy.look_again_min, policy.look_again_max)


@given(POLICIES, st.integers(60, 7 * 86_400))
def test_looking_on_and_on_is_cheap_and_finds_soon(policy: Policy, appears: int) -> None:
    """Whenever a record appears, the look that finds it comes at most one span later, after few looks."""
    moment, looks = T0, 0
    while moment < at(appears):
        span = next_look(T0, moment, policy) - moment
        moment, looks = moment + span, looks + 1
    assert moment - at(appears) <= span
    longest_gap = max(policy.look_again_min, (moment - T0) * policy.look_again_share)
    assert span <= min(policy.look_again_max, longest_gap)
    assert looks <= appears / policy.look_again_min.total_seconds() + 1


@given(st.integers(0, 10_000), POLICIES)
def test_sending_again_waits_longer_each_time_within_the_same_bounds(attempts: int, policy: Policy) -> None:
    """A write without a verdict waits longer with every try, at most as long as the longest look."""
    span, longer = send_again_after(attempts, policy), send_again_after(attempts + 1, policy)
    assert policy.look_again_min <= span <= longer <= policy.look_again_max


def test_a_wait_that_begins_in_the_future_counts_as_just_begun() -> None:
    assert next_look(at(1_000), T0, POLICY) == at(5)


def test_at_speed_shortens_every_span_and_keeps_the_share() -> None:
    fast = POLICY.at_speed(10)
    assert fast.look_again_share == POLICY.look_again_share
    for name in Policy.__slots__:
        if isinstance(getattr(POLICY, name), timedelta):
            assert getattr(fast, name) * 10 == getattr(POLICY, name), name


def test_the_deadline_is_the_slots_own_then_the_settings_then_what_was_learnt_then_the_default() -> None:
    """A deadline is the slot's own word, then the settings', then what was learnt, then the default."""
    own, set_, learnt, default = (timedelta(minutes=m) for m in (45, 20, 12, 30))
    policy = Policy(overdue_after=set_, overdue_set=True, learnt={"license": learnt})
    assert policy.overdue_of("license", own) == own
    assert policy.overdue_of("license") == set_
    unset = Policy(learnt={"license": learnt})
    assert unset.overdue_of("license") == learnt
    assert unset.overdue_of("address") == default
    fast = unset.at_speed(60)
    assert (fast.overdue_of("license", own), fast.overdue_of("license")) == (own / 60, learnt)


@given(SECONDS, st.sampled_from([1, 2, 10, 60]))
def test_a_rehearsal_at_speed_is_the_same_schedule_made_shorter(waited: float, speed: int) -> None:
    """`--speed N` divides every span of the schedule by N."""
    real = look_again_after(timedelta(seconds=waited), POLICY)
    rehearsed = look_again_after(timedelta(seconds=waited) / speed, POLICY.at_speed(speed))
    assert abs(rehearsed * speed - real) <= timedelta(milliseconds=1)


def test_a_write_without_a_verdict_waits_twice_as_long_each_time_at_most_an_hour() -> None:
    spans = [send_again_after(attempts, POLICY).total_seconds() for attempts in range(14)]
    assert spans[:4] == [5, 10, 20, 40]
    assert spans[-1] == 3_600
    assert spans == sorted(spans)


@pytest.mark.parametrize(("waited", "again"), [(0, 20), (300, 20), (600, 30)])
def test_looks_are_a_little_rarer_while_hubspot_has_only_begun_to_call(waited: float, again: float) -> None:
    """It may not have had anything to tell yet; where no hint is counted on, the rule is the usual one."""
    policy = replace(Policy(), hints_likely=True)
    assert look_again_after(timedelta(seconds=waited), policy) == timedelta(seconds=again)
    assert policy.without_hints() == Policy()
