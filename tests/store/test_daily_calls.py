"""The count of a day's calls, on either database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from credsync.store.daily_calls import CallsMade, add_calls, calls_on, stops_of
from credsync.store.database import Database
from credsync.store.tables import daily_calls

TODAY, TOMORROW = date(2026, 11, 24), date(2026, 11, 25)


def add(database: Database, day: date, portal: str = "alpha", **calls: int) -> None:
    with database.write() as connection:
        add_calls(connection, portal, day, {bucket: CallsMade(made, 1_000) for bucket, made in calls.items()})


def kept(database: Database, day: date, portal: str = "alpha") -> dict[str, int]:
    with database.read() as connection:
        told = calls_on(connection, portal, day)
    assert all(each.allowed == 1_000 for each in told.values())
    return {bucket: each.calls for bucket, each in told.items()}


def test_calls_of_one_day_add_up_by_bucket_and_portal(database: Database) -> None:
    add(database, TODAY, objects=3, associations=1)
    add(database, TODAY, objects=4)
    add(database, TODAY, "beta", objects=100)
    assert kept(database, TODAY) == {"objects": 7, "associations": 1}


def test_a_new_day_begins_with_its_own_and_nothing_older_is_kept(database: Database) -> None:
    add(database, TODAY, objects=3)
    add(database, TOMORROW, objects=2)
    assert (kept(database, TODAY), kept(database, TOMORROW)) == ({}, {"objects": 2})
    with database.read() as connection:
        assert len(connection.execute(select(daily_calls)).all()) == 1


def test_nothing_to_add_asks_nothing(database: Database) -> None:
    add(database, TODAY)
    assert kept(database, TODAY) == {}


def test_hubspots_word_to_stop_outlives_the_day_and_what_is_counted_after_it(database: Database) -> None:
    until = datetime(2026, 11, 25, 5, 0, 5, tzinfo=UTC)
    with database.write() as connection:
        add_calls(connection, "alpha", TODAY, {"objects": CallsMade(0, None, until)})
    add(database, TODAY, objects=1)
    add(database, TOMORROW, objects=1, associations=1)
    with database.read() as connection:
        assert stops_of(connection, "alpha") == {"objects": until}
        assert stops_of(connection, "beta") == {}
    later = until + timedelta(days=1)
    with database.write() as connection:
        add_calls(connection, "alpha", TOMORROW, {"objects": CallsMade(0, None, later)})
    with database.read() as connection:
        assert stops_of(connection, "alpha") == {"objects": later}
