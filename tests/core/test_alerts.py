"""Alerts: one per cause, steady while it holds, in words that hold no time of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.alert_words import words_of
from credsync.core.alerts import SEEN_EVERY, Alert, AlertKind, Cause, Holding, alert_changes

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAUSES = [Cause("alpha", AlertKind.OVERDUE, "credentialing", f"slot_{n}") for n in range(4)]
HOLDING = st.dictionaries(st.sampled_from(CAUSES), st.builds(Holding, st.integers(0, 9)))
SPAN = st.integers(0, 200).map(lambda seconds: timedelta(seconds=seconds))


def evolve(known: list[Alert], holding: dict[Cause, Holding], now: datetime) -> list[Alert]:
    """What the store makes of changes."""
    changes = alert_changes([a for a in known if a.closed_at is None], holding, now)
    ended = {alert.id for alert in changes.ended}
    after = []
    for alert in known:
        kept = changes.going_on.get(alert.id, alert.holding)
        seen = now if alert.id in changes.going_on else alert.last_seen_at
        closed = now if alert.id in ended else alert.closed_at
        after.append(Alert(alert.id, alert.cause, kept, alert.first_seen_at, seen, closed))
    opened = [
        Alert(len(known) + n, cause, held, now, now) for n, (cause, held) in enumerate(changes.opened.items())
    ]
    return after + opened


@given(st.lists(st.tuples(SPAN, HOLDING), max_size=12))
def test_after_every_evaluation_exactly_the_causes_that_hold_are_open(
    history: list[tuple[timedelta, dict[Cause, Holding]]],
) -> None:
    """An alert opens with its cause and closes with it, and while the cause goes on there is one alert."""
    now, alerts = NOW, []
    held_before: set[Cause] = set()
    for span, holding in history:
        now += span
        before = {a.cause: a.id for a in alerts if a.closed_at is None}
        alerts = evolve(alerts, holding, now)
        is_open = {a.cause: a for a in alerts if a.closed_at is None}
        assert is_open.keys() == holding.keys()
        assert len([a for a in alerts if a.closed_at is None]) == len(is_open)
        for cause in held_before & holding.keys():
            assert is_open[cause].id == before[cause]
        for cause, alert in is_open.items():
            assert alert.holding == holding[cause]
            assert now - alert.last_seen_at < SEEN_EVERY
        held_before = set(holding)


def test_an_evaluation_that_finds_nothing_new_changes_nothing() -> None:
    """Equal conditions are equal rows: nothing is written for an alert that merely goes on."""
    alert = Alert(1, CAUSES[0], Holding(3), NOW, NOW)
    assert not alert_changes([alert], {CAUSES[0]: Holding(3)}, NOW + timedelta(seconds=5))
    assert alert_changes([alert], {CAUSES[0]: Holding(3)}, NOW + SEEN_EVERY).going_on == {1: Holding(3)}


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("therapists", [0, 1, 1_200])
@pytest.mark.parametrize(
    "details", [{}, {"problem": "no such label."}, {"scopes": ["crm.objects.custom.write"]}], ids=str
)
def test_every_kind_has_words_without_a_time_of_day(
    kind: AlertKind, therapists: int, details: dict[str, object]
) -> None:
    """A message holds no time of day, so that no alert flaps; and every alert says what to do."""
    cause = Cause("my-portal", kind, "license", "license", "license_number", "write")
    told = words_of(cause, Holding(therapists, details))
    for text in (told.title, told.message, told.remedy):
        assert text
        assert "{" not in text
        assert ".." not in text
        assert not re.search(r"\d\d:\d\d|\b20\d\d\b", text)
