"""What both databases promise: moments kept to the microsecond, transactions whole, changes shared safely."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select

from credsync.store import schema
from credsync.store.database import Database, now_plus
from credsync.store.tables import portals, tokens


def _made(connection: Connection, name: str) -> str:
    connection.execute(insert(portals).values(name=name))
    return name


def _names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(portals.c.name)).scalars())


def test_a_moment_comes_back_as_it_went_in_utc(database: Database) -> None:
    """To the microsecond, whatever zone it was given in."""
    there = datetime(2025, 8, 26, 2, 13, 8, 65521, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as connection:
        connection.execute(insert(tokens).values(name="t", digest="d", scopes=[], created_at=there))
    with database.read() as connection:
        back = connection.execute(select(tokens.c.created_at)).scalar_one()
    assert (back, back.tzinfo) == (there, UTC)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    """A naive moment would mean another one on the next machine."""
    naive = datetime(2025, 8, 26)  # noqa: DTZ001 - what is refused
    with pytest.raises(Exception, match="time zone"), database.write() as connection:
        connection.execute(insert(tokens).values(name="t", digest="d", scopes=[], created_at=naive))


def test_the_databases_clock_can_be_asked_for_later(database: Database) -> None:
    """`now_plus` is the one clock of leases."""
    with database.read() as connection:
        now, later = connection.execute(select(now_plus(connection), now_plus(connection, 60))).one()
    assert timedelta(seconds=59) < later - now < timedelta(seconds=61)


def test_a_change_that_raises_changes_nothing(database: Database) -> None:
    """A transaction is whole."""

    def change(connection: Connection) -> None:
        _made(connection, "half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write_together(change)
    assert _names(database) == set()


def test_changes_made_together_each_get_their_own_end(database: Database) -> None:
    """One that fails takes nobody with it, and every result goes to its own thread."""
    together = threading.Barrier(24)
    ended: dict[int, str] = {}

    def work(number: int) -> None:
        def change(connection: Connection) -> str:
            name = _made(connection, f"portal-{number}")
            if number % 5 == 0:
                raise ValueError(f"no {number}")
            return name

        together.wait()
        try:
            ended[number] = database.write_together(change)
        except ValueError as error:
            ended[number] = str(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {n: f"no {n}" if n % 5 == 0 else f"portal-{n}" for n in range(24)}
    assert _names(database) == {f"portal-{n}" for n in range(24) if n % 5}


def test_sqlite_has_on_disk_what_was_committed(tmp_path: Path) -> None:
    """WAL, synchronous FULL: the default of a laptop is durable."""
    database = Database(f"sqlite:///{tmp_path}/new folder/credsync.db")
    schema.upgrade(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_an_empty_database_says_to_upgrade_and_an_upgraded_one_does_not(empty_database_url: str) -> None:
    """A start on another version of the schema says what to do."""
    database = Database(empty_database_url)
    with pytest.raises(schema.SchemaMismatch, match="credsync db upgrade"):
        schema.check(database)
    assert schema.upgrade(database) == schema.wanted_version()
    schema.check(database)
    assert schema.upgrade(database) == schema.wanted_version(), "upgrading again changes nothing"
    database.close()


def test_a_database_of_a_newer_program_is_left_alone(database: Database) -> None:
    """Neither served nor upgraded: the message names both ways out."""
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for attempt in (schema.check, schema.upgrade):
        with pytest.raises(schema.SchemaMismatch, match="newer credsync"):
            attempt(database)


def test_the_schema_that_migrations_make_is_the_one_of_the_tables(database: Database) -> None:
    """Nothing to migrate is left over between the tables and the migrations."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from credsync.store.tables import metadata

    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        count = select(func.count()).select_from(portals)
        assert connection.execute(count).scalar() == 0
