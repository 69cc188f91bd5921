"""The storm can fail: planted faults are found by the seeds that are known to find them."""

from __future__ import annotations

import pytest

from storm.bugs import BUGS, found_by

KNOWN = {
    "answer_before_the_commit": 3,
    "drop_the_lease": 1,
    "forget_retry_after": 5,
    "forget_the_guard": 31,
    "ignore_settling": 11,
    "ignore_what_a_batch_says_of_single_records": 3,
    "keep_what_is_sensitive": 1,
    "leave_null_alone": 5,
    "let_the_later_arrival_win": 1,
    "look_once": 2,
    "mix_up_therapists": 1,
    "never_renew": 1,
    "send_everything_with_each_fact": 1,
    "send_twice": 1,
    "send_what_is_held": 1,
    "skip_the_label": 1,
    "skip_the_read_back": 3,
    "take_any_parent": 1,
    "take_silence_for_absence": 35,
    "take_the_first_of_two": 3,
    "trust_a_stored_id": 1,
}
"""Seeds that find a fault; the rest of `BUGS` needs more of them than a test run has."""
NEXT = 10
"""Where the service has come to act otherwise, one of those that follow finds it."""


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_storm_finds_a_planted_fault(name: str) -> None:
    """Each by the seed that found it first."""
    assert name in BUGS
    assert found_by(name, range(KNOWN[name], KNOWN[name] + NEXT)) is not None
