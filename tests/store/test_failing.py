"""A database that cannot be used for now, told from a statement that is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from credsync.store.database import Database
from credsync.store.failing import Failing, failing, name_of
from credsync.store.tables import portals


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Database]:
    """An SQLite database that waits for nobody."""
    with closing(Database(f"sqlite:///{tmp_path / 'credsync.db'}?timeout=0")) as database:
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE rows (text TEXT PRIMARY KEY)")
        yield database


def _put(text_: str) -> Callable[[Connection], object]:
    return lambda c: c.execute(text("INSERT INTO rows VALUES (:t)"), {"t": text_})


def _raised(database: Database, change: Callable[[Connection], object]) -> Exception:
    [error] = database.write_together([change])
    assert isinstance(error, Exception)
    return error


def test_another_process_that_holds_the_lock_is_busy_and_fails_everybody_at_once(on_file: Database) -> None:
    """64 facts that wait do not wait 127 times, one half after the other."""
    tried: list[str] = []

    def change(connection: Connection) -> None:
        tried.append("tried")

    with closing(sqlite3.connect(str(on_file.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        errors = on_file.write_together([change] * 64)
    assert {failing(error) for error in errors if isinstance(error, Exception)} == {Failing.BUSY}
    assert (len(errors), tried) == (64, [])
    assert isinstance(errors[0], Exception)
    assert name_of(errors[0]) == "SQLITE_BUSY"


def test_a_full_disk_takes_all_of_a_turn_back(on_file: Database) -> None:
    """What went in before it was full goes out again: none of them was told yes."""
    with on_file.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 4")

        def whole(c: Connection) -> object:
            c.exec_driver_sql("PRAGMA max_page_count = 4")
            return _put("small")(c)

    errors = on_file.write_together([whole, _put("x" * 40_000)])
    assert [failing(e) for e in errors if isinstance(e, Exception)] == [Failing.FULL] * 2
    with on_file.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM rows")).scalar() == 0


def test_a_read_only_database_is_told_so(on_file: Database) -> None:
    """Not "check database_url": it is there."""

    def change(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = 1")
        _put("a")(connection)

    assert failing(_raised(on_file, change)) is Failing.READ_ONLY


def test_a_file_that_is_no_database_cannot_be_used(tmp_path: Path) -> None:
    """A disk that lost its content."""
    path = tmp_path / "credsync.db"
    path.write_bytes(b"not a database, whatever its name says" * 100)
    with closing(Database(f"sqlite:///{path}")) as database:
        assert failing(_raised(database, _put("a"))) is Failing.AWAY


def test_a_wrong_statement_is_no_failing_database(database: Database) -> None:
    """On both: what is wrong with one fact is nothing to the others, and another time would not help."""

    def twice(connection: Connection) -> None:
        for _ in range(2):
            connection.execute(insert(portals).values(name="alpha"))

    error = _raised(database, twice)
    assert isinstance(error, IntegrityError)
    assert failing(error) is None
    assert failing(ValueError()) is None


@pytest.mark.parametrize(
    ("state", "why"),
    [("53100", Failing.FULL), ("25006", Failing.READ_ONLY), ("53300", Failing.BUSY), ("57P01", Failing.AWAY)],
)
def test_what_postgresql_says_is_understood(state: str, why: Failing, postgres_only: Database) -> None:
    """Disk full, read only, too many connections, shut down."""
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '{state}'; END $$"
    error = _raised(postgres_only, lambda c: c.exec_driver_sql(raising))
    assert isinstance(error, DBAPIError)
    assert failing(error) is why


@pytest.fixture
def postgres_only(database: Database) -> Database:
    """The one of the two that has conditions of this kind."""
    if database.is_sqlite:
        pytest.skip("SQLite has codes of its own, above")
    return database
