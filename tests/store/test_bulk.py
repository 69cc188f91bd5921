"""Many rows through one statement, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from credsync.store.bulk import Bulk
from credsync.store.database import Database
from credsync.store.tables import events

T0 = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
MADE = [
    {"at": T0, "name": "a 100 % :name %s ?", "portal": "p", "slot": None, "details": {"é": [1, None]}},
    {
        "at": T0.astimezone(timezone(timedelta(hours=5))),
        "name": "b",
        "portal": "p",
        "slot": "s",
        "details": {},
    },
]

_INSERT = Bulk(lambda _names: insert(events))
_CHANGE = Bulk(
    lambda names: (
        update(events)
        .where(events.c.name == bindparam("for_name"))
        .values({name: bindparam(name) for name in names if name != "for_name"})
    )
)


def _rows(database: Database) -> list[tuple[object, ...]]:
    wanted = (events.c.at, events.c.name, events.c.portal, events.c.slot, events.c.details)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*wanted).order_by(events.c.id))]


def test_rows_are_stored_as_the_toolkit_stores_them(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(events), MADE)
    expected = _rows(database)
    with database.write() as connection:
        connection.execute(delete(events))
        _INSERT.run(connection, MADE)
    assert _rows(database) == expected
    assert [row[0] for row in expected] == [T0, T0]


def test_each_set_of_names_has_its_own_statement(database: Database) -> None:
    later = T0 + timedelta(days=1)
    with database.write() as connection:
        _INSERT.run(connection, MADE)
        _CHANGE.run(connection, [{"slot": "t", "for_name": "b"}])
        _CHANGE.run(connection, [{"at": later, "details": {"n": n}, "for_name": n} for n in ("b", "nobody")])
        _CHANGE.run(connection, [])
        _CHANGE.run_mixed(connection, [])
    assert _rows(database)[1] == (later, "b", "p", "t", {"n": "b"})


def test_rows_of_several_sets_of_names_each_change_what_they_name(database: Database) -> None:
    later = T0 + timedelta(days=1)
    with database.write() as connection:
        _INSERT.run(connection, MADE)
        mixed = [{"slot": "t", "for_name": "b"}, {"at": later, "for_name": MADE[0]["name"]}]
        _CHANGE.run_mixed(connection, [*mixed, {"slot": "u", "for_name": MADE[0]["name"]}])
    first, second = _rows(database)
    assert (first[0], first[3]) == (later, "u")
    assert (second[0], second[3]) == (T0, "t")


def test_what_the_database_refuses_is_raised_and_undoes_all(database: Database) -> None:
    refused = [MADE[0], {**MADE[1], "portal": None}]
    with pytest.raises(IntegrityError), database.write() as connection:
        _INSERT.run(connection, refused)
    assert _rows(database) == []


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    naive = [{**MADE[0], "at": datetime(2026, 3, 1)}]  # noqa: DTZ001 - the fault that is meant
    with pytest.raises((ValueError, StatementError), match="time zone"), database.write() as connection:
        _INSERT.run(connection, naive)
    assert _rows(database) == []
