"""Sync now is slowed by therapist and by who presses, on every machine alike, and never for what is one press anyway."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from credsync.store.acts import Actor, sync_all_now, sync_now
from credsync.store.database import Database
from credsync.store.intake import accept_therapist
from credsync.store.press_limits import BY_ONE, OF_ONE_THERAPIST, WINDOW, PressedTooOften
from credsync.store.tables import audit, syncs
from credsync.store.therapists import Door, Who

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ADA, BEN = Actor.person("ada@example.org"), Actor.token("backend")


def _id(number: int) -> str:
    return f"{number:08d}-1111-4111-8111-111111111111"


@pytest.fixture
def people(database: Database) -> Database:
    """A few therapists."""
    with database.write() as connection:
        for number in range(3):
            accept_therapist(connection, Door(NOW, SECOND), Who(_id(number), "demo"), None, None)
    return database


def _press(
    database: Database, number: int, actor: Actor, after: timedelta, *, round_comes: bool = True
) -> None:
    with database.write() as connection:
        sync_now(connection, Door(NOW + after, SECOND), actor, _id(number), "asked", False)
        if round_comes:
            connection.execute(update(syncs).values(planned_at=NOW + after))


def _counts(database: Database) -> tuple[int, int]:
    with database.read() as connection:
        tables = (syncs, audit)
        one, two = (
            connection.execute(select(func.count()).select_from(each)).scalar_one() for each in tables
        )
    return one, two


def test_one_therapist_is_pressed_so_often_and_then_waits(people: Database) -> None:
    """Whoever presses; others are not kept waiting, and when the first press is old enough it is taken again."""
    for number in range(OF_ONE_THERAPIST):
        _press(people, 0, (ADA, BEN)[number % 2], number * SECOND)
    before = _counts(people)
    for actor in (ADA, BEN):
        with pytest.raises(PressedTooOften, match="press again in 9 min 50 s") as refused:
            _press(people, 0, actor, 10 * SECOND)
        assert refused.value.wait == WINDOW - 10 * SECOND
    assert _counts(people) == before, "nothing was changed, nothing told to the audit"
    _press(people, 1, ADA, 10 * SECOND)
    _press(people, 0, ADA, WINDOW)
    with pytest.raises(PressedTooOften, match="again in 1 s"):
        _press(people, 0, ADA, WINDOW)


def test_what_is_one_press_is_taken_however_often(people: Database) -> None:
    for number in range(OF_ONE_THERAPIST * 2):
        _press(people, 0, ADA, number * SECOND, round_comes=False)
    assert _counts(people)[0] == 1


def test_one_who_presses_for_very_many_is_slowed_and_nobody_else(people: Database) -> None:
    """Of a person or a token; a press for several counts each of them."""
    row = {"reason": "asked", "include_held": False, "requested_by": ADA.by, "planned_at": NOW}
    with people.write() as connection:
        connection.execute(
            insert(syncs),
            [
                row | {"therapist_id": _id(2), "requested_at": NOW - n * SECOND / 10}
                for n in range(BY_ONE - 2)
            ],
        )
    with pytest.raises(PressedTooOften, match="resync"), people.write() as connection:
        sync_all_now(connection, Door(NOW, SECOND), ADA, [_id(0), _id(1), _id(2)], "all", False)
    with people.write() as connection:
        sync_all_now(connection, Door(NOW, SECOND), ADA, [_id(0), _id(1)], "both", False)
        connection.execute(update(syncs).values(planned_at=NOW))
    with pytest.raises(PressedTooOften, match="You pressed"):
        _press(people, 1, ADA, SECOND)
    _press(people, 1, BEN, SECOND)
    _press(people, 1, ADA, WINDOW)
