"""The model of the way before, and the four cases' own record."""

from __future__ import annotations

import pytest

from credsync.demo.old_way import CASES, left_behind
from credsync_sandbox.world import delays


@pytest.mark.parametrize(
    ("case", "least", "most"),
    [("K", 51.9, 111.9), ("P", 24.1, 84.1), ("W", 71.1, 131.1), ("S", 30.4, 90.4)],
)
def test_each_record_came_as_late_as_log_and_hubspot_say(case: str, least: float, most: float) -> None:
    assert CASES[case].late == (pytest.approx(least, abs=0.05), pytest.approx(most, abs=0.05))


def test_the_sandbox_knows_the_same_four() -> None:
    assert {name: case.delay for name, case in CASES.items()} == pytest.approx(delays.CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_old_way_left_each_of_the_four_without_its_data(case: str) -> None:
    left = left_behind({"credentialing_active_attested": CASES[case].delay})
    assert left.lost
    assert not left.written


def test_what_was_there_at_the_look_counts_as_written() -> None:
    left = left_behind({"license.NY": 0.0, "license.NJ": 60.0})
    assert left.written == {"license.NY", "license.NJ"}
    assert not left.lost


def test_what_came_later_is_told_with_how_much_later() -> None:
    left = left_behind({"license.NY": 59.9, "therapist_address_current": 60.5})
    assert left.written == {"license.NY"}
    assert left.too_late == {"therapist_address_current": pytest.approx(0.5)}
