"""The sandbox's time: faster, moved forward, and always reported as the wall's."""

from __future__ import annotations

import itertools
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync_sandbox.world.clock import Clock
from credsync_sandbox.world.delays import CASES, parse_delay
from credsync_sandbox.world.times import BadDuration, parse_duration
from tests.sandbox.driver import Driver, running


class Hands:
    """A wall clock and a monotonic one, moved by hand; they began at different moments."""

    def __init__(self) -> None:
        self.passed = 0.0

    def wall(self) -> float:
        return 1_000_000.0 + self.passed

    def monotonic(self) -> float:
        return 500.0 + self.passed


def clock_of(speed: float) -> tuple[Clock, Hands]:
    """A clock whose hands a test moves."""
    hands = Hands()
    return Clock(speed, wall=hands.wall, monotonic=hands.monotonic), hands


def test_sandbox_time_is_start_plus_elapsed_times_speed_plus_advances() -> None:
    """The rule as such."""
    clock, hands = clock_of(10)
    start = clock.now()
    hands.passed = 3.0
    assert clock.now() == start + 30
    clock.advance(5)
    assert clock.now() == start + 35
    hands.passed = 4.0
    assert clock.now() == start + 45


def test_a_moment_is_stamped_with_the_wall_moment_at_which_it_was_reached() -> None:
    """On the way, leapt over by an advance, and after it."""
    clock, hands = clock_of(10)
    start, began = clock.now(), hands.wall()
    hands.passed = 3.0
    clock.advance(100)
    hands.passed = 60.0
    assert clock.wall_of(start + 20) == pytest.approx(began + 2)
    assert clock.wall_of(start + 30.001) == pytest.approx(began + 3)
    assert clock.wall_of(start + 130) == pytest.approx(began + 3)
    assert clock.wall_of(start + 140) == pytest.approx(began + 4)


def test_time_that_stands_still_moves_by_advances_only() -> None:
    """Speed 0: what lies ahead is never reached by waiting."""
    clock, hands = clock_of(0)
    start = clock.now()
    hands.passed = 1000.0
    assert clock.now() == start
    assert clock.wall_of(start + 1) == float("inf")
    clock.advance(2)
    hands.passed = 2000.0
    assert clock.wall_of(start + 1) == pytest.approx(1_001_000.0)


@given(
    speed=st.sampled_from([0.0, 0.5, 1.0, 60.0]),
    moves=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1000)), max_size=6),
)
def test_later_sandbox_moments_are_never_reached_earlier(
    speed: float, moves: list[tuple[float, float]]
) -> None:
    """Whatever is waited and advanced; and what is past was reached in the past."""
    clock, hands = clock_of(speed)
    start = clock.now()
    for waited, advanced in moves:
        hands.passed += waited
        clock.advance(advanced)
    moments = [start + (clock.now() - start) * part / 20 for part in range(21)]
    reached = [clock.wall_of(moment) for moment in moments]
    assert all(one <= other + 1e-6 for one, other in itertools.pairwise(reached))
    assert reached[-1] <= hands.wall() + 1e-6


def test_what_falls_due_between_two_calls_is_stamped_when_it_fell_due(tmp_path: Path) -> None:
    """Not when somebody looked: createdAt can be compared with the service's own clock."""
    with running(tmp_path, speed=1000) as sandbox:
        made = sandbox.do("/contacts", {"delay": "20s"})
        due = datetime.fromisoformat(made["planned"][0]["due_at"])
        while time.time() < due.timestamp() + 0.3:
            sandbox.do("/health", method="GET")
        seen = sandbox.objects("read", [{"id": made["planned"][0]["id"]}]).json()["results"][0]["createdAt"]
        assert abs((datetime.fromisoformat(seen) - due).total_seconds()) < 0.1
        truth = sandbox.records(made["id"])["credentialing_active_attested"]
        assert datetime.fromisoformat(truth["visible_at"]) == datetime.fromisoformat(truth["created_at"])
        ahead = datetime.fromisoformat(truth["created_at_sandbox"]) - datetime.fromisoformat(
            sandbox.truth(made["id"])["created_at_sandbox"]
        )
        assert ahead.total_seconds() == pytest.approx(20, abs=0.001)


def test_what_an_advance_leaps_over_is_stamped_with_the_moment_of_the_advance(sandbox: Driver) -> None:
    """Wall time, although an hour went by in the sandbox."""
    contact = sandbox.do("/contacts", {"delay": "1h"})["id"]
    before = time.time()
    sandbox.advance("2h")
    after = time.time()
    created = datetime.fromisoformat(sandbox.records(contact)["credentialing_relocation"]["created_at"])
    assert before - 0.001 <= created.timestamp() <= after + 0.001


def test_time_is_told_and_can_go_to_the_next_step(sandbox: Driver) -> None:
    """`to_next` advances to what is due next."""
    sandbox.do("/contacts", {"delay": {"credentialing": "1m", "therapist_address": "2m"}})
    told = sandbox.do("/time", method="GET")
    assert (told["pending"], told["next_due_in_s"], told["speed"]) == (3, 60.0, 0)
    told = sandbox.do("/time", {"to_next": True})
    assert (told["pending"], told["next_due_in_s"]) == (1, 60.0)
    for bad in ({}, {"advance": "soon"}, {"advance": -1}, {"advance": None}, {"more": 1}):
        sandbox.do("/time", bad, status=400)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("90s", 90), ("1h30m", 5400), ("7d", 604800), ("1.5m", 90), (3, 3), ("4", 4)],
)
def test_durations_are_read_as_people_write_them(text: object, seconds: float) -> None:
    """Units and plain seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "5x", "-5s", "5s!", -1, True, None, float("nan"), float("inf"), [5]]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """With a word on what would be one."""
    with pytest.raises(BadDuration, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["lognormal", "lognormal:90s", "lognormal:90s:x", "lognormal:90s:-1", "case", "x"]
)
def test_what_is_no_delay_is_refused(text: str) -> None:
    """At the start, not at the first contact."""
    with pytest.raises(BadDuration):
        parse_delay(text, 1)


def test_the_four_cases_are_sixty_seconds_plus_the_middle_of_their_lateness() -> None:
    """From the table of the real cases, each creation known to the minute."""
    late = {"K": (51.9, 111.9), "P": (24.1, 84.1), "W": (71.1, 131.1), "S": (30.4, 90.4)}
    assert {case: pytest.approx(60 + sum(ends) / 2) for case, ends in late.items()} == CASES
