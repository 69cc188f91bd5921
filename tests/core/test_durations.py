"""Durations are read as people write them, and nothing else is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credsync.core.durations import parse_duration, say_duration

READ = [
    ("90s", timedelta(seconds=90)),
    ("30m", timedelta(minutes=30)),
    ("12h", timedelta(hours=12)),
    ("7d", timedelta(days=7)),
    ("250ms", timedelta(milliseconds=250)),
    ("1.5h", timedelta(minutes=90)),
    (" 5s ", timedelta(seconds=5)),
    ("0s", timedelta(0)),
]
WRONG = ["", "5", "s", "-5s", "5 s", "5S", "1h30m", "1e3s", "٣s", "5 minutes", "1.s", ".5s"]


@pytest.mark.parametrize(("text", "span"), READ)
def test_a_duration_is_a_number_and_its_unit(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", WRONG)
def test_anything_else_is_refused_with_the_form_that_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 30m, 12h or 7d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9999999999d", "9" * 400 + "s"])
def test_a_duration_longer_than_any_calendar_is_refused_like_a_wrong_one(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 30m, 12h or 7d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (7_500, "2 h 5 min"),
        (90_061, "1 d 1 h"),
        (86_405, "1 d 5 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert say_duration(timedelta(seconds=seconds)) == said
