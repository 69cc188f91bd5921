"""Slow, never fired, or nothing the matter: what one slot's waits and arrivals say of its workflow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.workflows import IN_A_ROW, MANY, Came, Trouble, trouble_of
from tests.core.builders import at

DEADLINE = timedelta(minutes=12)
MINUTE = 60.0


def seen(
    delays: Mapping[float, float | None], now: float, others: int = 0, deadline: timedelta = DEADLINE
) -> Trouble | None:
    """What is said at minute `now`, by sign-up minute and the minutes until its record came (None: never)."""
    came = {since: since + each for since, each in delays.items() if each is not None and since + each <= now}
    waiting = sorted(at(since * MINUTE) for since in delays if since <= now and since not in came)
    longest = waiting[0] if waiting else at(0)
    arrivals = [Came(at(s * MINUTE), at(f * MINUTE)) for s, f in came.items() if at(f * MINUTE) >= longest]
    return trouble_of(waiting, arrivals, others, deadline, at(now * MINUTE))


def every(first: float, last: float, delay: float | None, apart: float = 1) -> dict[float, float | None]:
    """A sign-up each so many minutes, all with the same delay."""
    return {first + n * apart: delay for n in range(int((last - first) / apart))}


def test_a_workflow_that_was_off_for_a_while_never_fired_for_those_who_signed_up_then() -> None:
    """Several in a row without a record while later ones come on time: the workflow never fired for them."""
    delays = every(0, 30, 3) | every(30, 36, None) | every(36, 90, 3)
    assert seen(delays, 35) is None
    assert seen(delays, 48) is Trouble.NEVER_FIRED
    assert seen(delays, 90) is Trouble.NEVER_FIRED


def test_a_workflow_that_is_off_is_told_once_other_records_come_and_this_one_does_not_for_long() -> None:
    """Nothing of a slot comes while other records of the same therapists do: the workflow never fired."""
    delays = every(0, 30, 3) | every(30, 200, None)
    assert seen(delays, 50, others=8) is Trouble.SLOW
    assert seen(delays, 67, others=30) is Trouble.NEVER_FIRED
    assert seen(delays, 67, others=0) is Trouble.SLOW


def test_many_who_are_late_at_once_and_come_late_are_a_slow_workflow() -> None:
    """Many late at once, or come late: the workflow is slow."""
    delays = every(0, 30, 3) | every(30, 200, 25)
    for now in (50, 60, 80, 120):
        assert seen(delays, now, others=99) is Trouble.SLOW
    recovered = every(0, 30, 25) | every(30, 80, 3)
    assert seen(recovered, 60) is None


def test_some_who_are_late_are_no_trouble_of_the_workflow() -> None:
    few = every(0, 60, 3) | {10.5: None, 20.5: None}
    assert seen(few, 60) is None
    scattered = every(0, 600, 3) | {n + 0.5: None for n in range(0, 500, 100)}
    assert seen(scattered, 600) is None


def test_it_is_over_when_they_came() -> None:
    delays = every(0, 30, 3) | every(30, 40, 25) | every(40, 200, 3)
    assert seen(delays, 60, others=99) is not None
    assert seen(delays, 100, others=99) is None


DELAYS = st.dictionaries(
    st.integers(0, 300).map(float), st.one_of(st.none(), st.floats(0.1, 100)), max_size=60
)


@given(DELAYS, st.integers(0, 400), st.integers(0, 60))
def test_nothing_is_said_unless_enough_are_late(
    delays: dict[float, float | None], now: int, others: int
) -> None:
    """Nothing is said of a workflow unless several are late."""
    told = seen(delays, now, others)
    late = [s for s, d in delays.items() if s + 12 <= now and (d is None or s + d > now)]
    if len(late) < IN_A_ROW:
        assert told is None
    if told is Trouble.SLOW:
        assert len(late) >= MANY
