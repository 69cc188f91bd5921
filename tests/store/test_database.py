"""What both databases promise: moments kept to the microsecond, transactions whole, changes shared safely."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, insert, select, text

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

    (ended,) = database.write_together([change])
    assert isinstance(ended, ValueError)
    with pytest.raises(ValueError, match="no"), database.write() as connection:
        change(connection)
    assert _names(database) == set()


def test_changes_made_together_each_get_their_own_end(database: Database) -> None:
    """One that fails takes nobody with it, and each result stands in its own place."""

    def changing(name: str, fails: bool) -> Callable[[Connection], str]:
        def change(connection: Connection) -> str:
            _made(connection, name)
            if fails:
                raise ValueError(f"no {name}")
            return name

        return change

    kept: set[str] = set()
    for fails in ([], [0], [23], [7, 8], [*range(0, 24, 5)], [*range(24)]):
        names = [f"portal-{len(fails)}-{n}-{fails[:1]}" for n in range(24)]
        ended = database.write_together([changing(name, n in fails) for n, name in enumerate(names)])
        assert [str(each) for each in ended] == [
            f"no {name}" if n in fails else name for n, name in enumerate(names)
        ]
        kept |= {name for n, name in enumerate(names) if n not in fails}
    assert _names(database) == kept


def test_a_change_sees_what_those_before_it_made(database: Database) -> None:
    """In their order, also where one between them fails."""

    def fail(connection: Connection) -> str:
        _made(connection, "third")
        raise ValueError("no")

    def count(connection: Connection) -> int:
        return len(connection.execute(select(portals.c.name)).all())

    ended = database.write_together([lambda c: _made(c, "first"), count, fail, count])
    assert (ended[1], ended[3]) == (1, 1)


def test_on_sqlite_changes_made_together_cost_one_commit(database: Database) -> None:
    """However many they are; on PostgreSQL none holds the rows of another."""
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    database.write_together([lambda c, n=n: _made(c, f"portal-{n}") for n in range(24)])
    assert len(commits) == (1 if database.is_sqlite else 24)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_after_the_server_was_gone_the_next_transaction_finds_it(database: Database) -> None:
    """However many connections rested meanwhile: a restart must not cost a caller for each of them."""
    resting = [database.engine.connect() for _ in range(3)]
    for connection in resting:
        connection.execute(text("SELECT 1"))
    for connection in resting:
        connection.close()
    ended = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.write() as connection:
        assert connection.execute(ended).scalars().all() == [True, True]
    for _ in range(3):
        assert _names(database) == set()


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
