"""Passwords, the slowing down of guesses, and how long a session lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.passwords import normal, password_fault
from credsync.core.sign_in import Attempts, counted, may_try_at, session_lasts

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EMAIL = "ada.example.person@example.org"


def test_a_password_has_fifteen_to_128_characters_and_is_not_the_address() -> None:
    """Nothing else is asked of it."""
    for fine in ("a" * 15, "a" * 128, " " * 15, "four plain words here"):
        assert password_fault(fine, EMAIL) is None
    for wrong in ("", "a" * 14, "a" * 129, EMAIL, EMAIL.upper()):
        assert password_fault(wrong, EMAIL) is not None


def test_characters_are_counted_as_people_write_them() -> None:
    """NFC: an accent typed apart is part of its letter, and the same password on every keyboard."""
    apart, whole = "e\u0301" * 14, "\u00e9" * 14
    assert normal(apart) == normal(whole) == whole
    assert password_fault(apart, EMAIL) is not None
    assert password_fault(apart + "x", EMAIL) is None


@given(st.integers(0, 10_000), st.integers(1, 50), st.floats(0, 7200))
def test_signing_in_is_slowed_down_and_never_locked_out(failures: int, free: int, passed: float) -> None:
    """However many failures: at most a minute after the last one the next attempt may be made."""
    attempts = Attempts(failures, NOW)
    now = NOW + timedelta(seconds=passed)
    at = may_try_at(attempts, free, now)
    assert now <= at <= max(now, NOW + timedelta(minutes=1))
    assert may_try_at(Attempts(failures + 1, NOW), free, now) >= at


def test_a_guess_every_moment_gets_few_looks_in_an_hour() -> None:
    """Five are free, then each takes twice as long until it is a minute: about 65 an hour."""
    now, attempts, looks = NOW, None, 0
    while now < NOW + timedelta(hours=1):
        if may_try_at(attempts, 5, now) == now:
            attempts, looks = counted(attempts, now), looks + 1
        now += timedelta(seconds=1)
    assert looks == 69


def test_an_hour_without_a_failure_begins_anew() -> None:
    """Both the waiting and the count."""
    worst = Attempts(1_000, NOW)
    later = NOW + timedelta(hours=1)
    assert may_try_at(worst, 5, later) == later
    assert counted(worst, later) == Attempts(1, later)
    assert counted(worst, later - timedelta(seconds=1)).failures == 1_001


def test_a_session_ends_after_half_an_hour_unused_and_after_twelve_hours() -> None:
    """To the moment."""
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert session_lasts(NOW, NOW, NOW + 29 * minute)
    assert not session_lasts(NOW, NOW, NOW + 30 * minute)
    assert session_lasts(NOW, NOW + 11 * hour + 59 * minute, NOW + 12 * hour - minute)
    assert not session_lasts(NOW, NOW + 12 * hour - minute, NOW + 12 * hour)
