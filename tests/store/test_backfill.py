"""The backfill lane: behind everybody who is due, a few a round, and nobody is forgotten in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from credsync.core.facts import SignUpKind
from credsync.store import cases, intake
from credsync.store.cases import claim_due, next_due_at
from credsync.store.database import Database
from credsync.store.imports import ImportVerdict, import_therapist
from credsync.store.therapists import ContactTaken, Door, PortalDiffers, Who

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = timedelta(seconds=4)
DOOR, LANE = Door(NOW, SOON), Door(NOW, SOON, backfill=True)


def uuid(number: int) -> str:
    return str(UUID(int=number))


def bring(database: Database, *numbers: int, door: Door = LANE) -> list[ImportVerdict]:
    with database.write() as connection:
        return [
            import_therapist(connection, door, Who(uuid(n), "demo", str(100 + n), f"Name {n}"), None, None)
            for n in numbers
        ]


def sign_up(database: Database, number: int) -> None:
    with database.write() as connection:
        who = Who(uuid(number), "demo", str(100 + number))
        intake.accept_sign_up(connection, DOOR, who, SignUpKind.FIRST, NOW, None, None)


def claimed(database: Database, at: datetime, limit: int = 1_000) -> list[str]:
    with database.read() as connection:
        return [c.case.therapist_id for c in claim_due(connection, "demo", "digest", at, limit)]


def test_who_is_imported_is_looked_at_behind_everybody_who_is_due(database: Database) -> None:
    bring(database, 1, 2)
    sign_up(database, 3)
    assert claimed(database, NOW + SOON) == [uuid(3), uuid(1), uuid(2)]


def test_the_lane_starts_a_round_by_itself(database: Database) -> None:
    with database.read() as connection:
        assert next_due_at(connection, "demo") is None
    bring(database, 1)
    with database.read() as connection:
        assert next_due_at(connection, "demo") == NOW
        assert next_due_at(connection, "another") is None
    assert claimed(database, NOW) == [uuid(1)]


def test_a_round_takes_few_of_the_lane_so_that_a_fact_does_not_wait_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "FEWEST_BACKFILLED", 1)
    monkeypatch.setattr(cases, "MOST_BACKFILLED", 2)
    bring(database, 1, 2, 3)
    assert claimed(database, NOW) == [uuid(1), uuid(2)]


def test_a_full_round_leaves_some_seats_to_the_lane_and_drops_who_is_due_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "FEWEST_BACKFILLED", 1)
    for number in (1, 2, 3):
        sign_up(database, number)
    bring(database, 4, 5)
    full = claimed(database, NOW + SOON, limit=3)
    assert full == [uuid(1), uuid(2), uuid(4)]


def test_a_fact_takes_a_therapist_out_of_the_lane(database: Database) -> None:
    """Who is due does not wait behind others of the lane, and is claimed once."""
    bring(database, 1, 2)
    sign_up(database, 2)
    assert claimed(database, NOW + SOON) == [uuid(2), uuid(1)]


def test_nobody_is_in_a_round_twice(database: Database) -> None:
    """Who is in a round is in it once, however many reasons there are."""
    bring(database, 1, 2, 3)
    sign_up(database, 2)
    sign_up(database, 4)
    bring(database, 4)
    with database.write() as connection:
        intake.accept_section(connection, DOOR, Who(uuid(2)), "ca", "npi_and_caqh", NOW)
        intake.accept_sync(connection, DOOR, uuid(3), "asked", False, "test")
    for limit in (1_000, 4, 3):
        found = claimed(database, NOW + SOON, limit)
        assert len(set(found)) == len(found) == min(limit, 4)


def test_a_file_may_be_imported_again(database: Database) -> None:
    assert bring(database, 1) == [ImportVerdict.NEW]
    with database.write() as connection:
        again = import_therapist(connection, LANE, Who(uuid(1), "demo", "101", "Name 1"), None, None)
        other = import_therapist(connection, LANE, Who(uuid(1), "demo", "101", "Ann Other"), None, None)
    assert [again, other] == [ImportVerdict.UNCHANGED, ImportVerdict.CHANGED]


def test_a_word_on_moving_is_taken_once(database: Database) -> None:
    def verdict(moving: bool | None, at: datetime | None) -> ImportVerdict:
        with database.write() as connection:
            return import_therapist(connection, LANE, Who(uuid(1), "demo"), moving, at)

    earlier = NOW - timedelta(days=30)
    assert verdict(True, earlier) is ImportVerdict.NEW
    assert verdict(True, earlier) is ImportVerdict.UNCHANGED
    assert verdict(True, None) is ImportVerdict.UNCHANGED
    assert verdict(False, None) is ImportVerdict.CHANGED
    assert verdict(True, earlier) is ImportVerdict.UNCHANGED


def test_anothers_contact_or_portal_is_refused_and_changes_nothing(database: Database) -> None:
    bring(database, 1, 2)
    with database.write() as connection:
        with pytest.raises(ContactTaken):
            import_therapist(connection, LANE, Who(uuid(2), "demo", "101", "Changed"), None, None)
        with pytest.raises(PortalDiffers):
            import_therapist(connection, LANE, Who(uuid(2), "other", None, "Changed"), None, None)
        unchanged = import_therapist(connection, LANE, Who(uuid(2), "demo", "102", "Name 2"), None, None)
    assert unchanged is ImportVerdict.UNCHANGED
