"""A therapist is found by any part of the name, and by nothing of a name that is no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, text

from credsync.store import intake, schema
from credsync.store.database import Database
from credsync.store.imports import import_therapist
from credsync.store.names import FEW, endings, folded, found_by_name, name_endings, renamed
from credsync.store.therapists import Door, Who

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOOR = Door(NOW, timedelta(seconds=3))
ANN, BEA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def _named(database: Database, who: str, name: str | None) -> None:
    with database.write() as connection:
        intake.accept_therapist(connection, DOOR, Who(who, "demo", name=name), None, None)


def _found(database: Database, part: str) -> list[str] | None:
    with database.read() as connection:
        return found_by_name(connection, part)


def _kept(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(name_endings.c.ending)).scalars())


def test_by_every_part_of_the_name_however_short(database: Database) -> None:
    """One letter, a part of a word, of two words, or all of it; in any case of any script."""
    _named(database, ANN, "JOSÉ O'Neil 100%")
    _named(database, BEA, "Zoë Straße")
    for part in ("j", "osé", "É O", "o'n", "0%", "%", "josé o'neil 100%", "O'NEIL"):
        assert _found(database, part) == [ANN], part
    for part in ("STRASSE", "zoë", "ë s", "ß"):
        assert _found(database, part) == [BEA], part
    assert _found(database, "o") == [ANN, BEA]
    for part in ("jose", "x", "neil o", "\x00", " ", "_"):
        assert _found(database, part) == [], part


def test_a_new_name_is_found_and_the_old_one_is_not(database: Database) -> None:
    """Also where it came by an import; and a name that is forgotten leaves nothing behind."""
    _named(database, ANN, "Ada Bell")
    _named(database, ANN, "Ada Bellow")
    assert _kept(database) == endings("Ada Bellow")
    with database.write() as connection:
        import_therapist(connection, DOOR, Who(ANN, "demo", name="Ida Cole"), None, None)
    assert (_found(database, "bell"), _found(database, "cole")) == ([], [ANN])
    assert _kept(database) == endings("Ida Cole")
    with database.write() as connection:
        renamed(connection, ANN, "Ida Cole", None)
    assert _kept(database) == set()


def test_a_fact_without_a_new_name_costs_nothing_more(database: Database) -> None:
    """One statement where a name is set first, two where it changes, none else."""
    asked: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def keep(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    counts = []
    for name in ("Ada Bell", "Ada Bell", None, "Eve Ng"):
        asked.clear()
        _named(database, ANN, name)
        counts.append(sum("name_endings" in statement for statement in asked))
    assert counts == [1, 0, 0, 2]


def test_a_text_that_many_names_hold_is_not_read_to_its_end(database: Database) -> None:
    """Whoever asks reads the list name by name instead."""
    rows = [{"ending": "a", "therapist_id": f"{number:036d}"} for number in range(FEW + 1)]
    with database.write() as connection:
        connection.execute(insert(name_endings), rows)
    assert _found(database, "a") is None
    with database.write() as connection:
        connection.execute(name_endings.delete().where(name_endings.c.therapist_id == f"{0:036d}"))
    assert len(_found(database, "a") or ()) == FEW


def test_names_from_before_are_found_after_the_upgrade(empty_database_url: str) -> None:
    """The migration fills the table from the names that are there."""
    database = Database(empty_database_url)
    made = text(
        "INSERT INTO therapists (id, portal, name, generation, settled_generation, state, reason, state_since, rides,"
        " created_at) VALUES (:id, 'demo', :name, 1, 0, 'waiting', '', :at, false, :at)"
    )
    at = "2026-03-01T12:00:00.000000Z"
    with database.write() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
        rows = [{"id": f"{n:036d}", "name": f"Zoë Ng {n}" if n % 2 else None, "at": at} for n in range(4_100)]
        connection.execute(made, rows)
    schema.upgrade(database)
    assert _found(database, "ZOË NG 4099") == [f"{4_099:036d}"]
    assert _found(database, "zoë ng 1") is not None
    with database.read() as connection:
        kept = connection.execute(select(name_endings.c.therapist_id).distinct()).all()
    assert len(kept) == 2_050
    database.close()


@pytest.mark.parametrize("name", ["", None, "   "])
def test_no_name_has_no_ending(name: str | None) -> None:
    assert endings(name) == frozenset()


@given(st.text(min_size=1, max_size=30), st.data())
def test_every_part_begins_an_ending(name: str, data: st.DataObject) -> None:
    """Whatever stands in the name from a letter on is what an ending begins with."""
    whole = folded(name)
    start = data.draw(st.integers(0, max(len(whole) - 1, 0)))
    part = whole[start : start + data.draw(st.integers(1, 30))]
    assert part[:1].strip() == "" or any(each.startswith(part) for each in endings(name))
