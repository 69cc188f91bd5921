"""What one process commits wakes another: at the commit and not before; where nothing can be heard, that is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from credsync.store.database import Database
from credsync.store.leases import acquire, release
from credsync.store.listening import changes, listener
from credsync.store.wakes import announce
from tests.pgbouncer import MISSING, find_pgbouncer, pgbouncer

SOON, LONG = 0.05, 20.0
postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def behind(database_url: str) -> Iterator[Database]:
    """The same database behind a PgBouncer in transaction mode."""
    program = find_pgbouncer()
    if program is None:
        pytest.skip(MISSING)
    with pgbouncer(program, database_url) as url:
        opened = Database(url)
        yield opened
        opened.close()


@postgresql
def test_what_is_announced_is_heard_once_it_is_committed(database: Database) -> None:
    """In the writer's own transaction: not while it is open, not if it is undone; many are one."""
    with listener(database.url) as ears:
        assert ears.hears()
        with database.write() as connection:
            announce(connection, "alpha")
            announce(connection, "alpha")
            assert ears.announced(SOON) == set()
        assert ears.announced(LONG) == {"alpha"}
        with database.write() as connection:
            announce(connection, "beta")
            connection.get_transaction().rollback()  # type: ignore[union-attr]
        assert ears.announced(SOON) == set()


@postgresql
def test_who_gives_a_portal_back_says_so(database: Database) -> None:
    """SIGTERM frees the lease at once, and whoever stands ready takes it at once."""
    with listener(database.url) as ears:
        with database.write() as connection:
            lease = acquire(connection, "portal:alpha", "a", 60)
        assert lease is not None
        assert ears.announced(SOON) == set()
        with database.write() as connection:
            release(connection, lease)
        assert ears.announced(LONG) == {"alpha"}


@postgresql
def test_a_database_that_announces_nothing_stays_silent(database: Database) -> None:
    """`listen = false`: for databases that take PostgreSQL's protocol and know no NOTIFY."""
    silent = Database(database.url.render_as_string(hide_password=False), announces=False)
    with listener(database.url) as ears:
        with silent.write() as connection:
            announce(connection, "alpha")
        assert ears.announced(SOON) == set()
    silent.close()


@postgresql
def test_a_lost_connection_is_an_error_of_the_database(database: Database) -> None:
    """Whoever listens must know, to look at everything again."""
    with listener(database.url) as ears:
        with database.write() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'credsync listens' AND datname = current_database()"
                )
            )
        with pytest.raises(OperationalError):
            ears.announced(LONG)


@postgresql
def test_behind_pgbouncer_nothing_is_heard_and_that_is_noticed(behind: Database) -> None:
    """In transaction mode LISTEN is answered well and nothing ever comes."""
    with listener(behind.url) as ears:
        assert not ears.hears(within=0.5)


@postgresql
def test_behind_pgbouncer_the_same_statement_runs_in_any_server_process(behind: Database) -> None:
    """A prepared statement would be known to one of them alone; a transaction each, from several connections."""
    with _several(behind, 4) as connections:
        for turn in range(12):
            for connection in connections:
                with connection.begin():
                    found = connection.execute(text("SELECT :turn + 0"), {"turn": turn}).scalar_one()
                    assert found == turn
        raw = connections[0].connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        assert raw.prepare_threshold is None


@postgresql
def test_without_a_pooler_statements_are_prepared(database: Database) -> None:
    """What is asked a hundred times a second is planned once."""
    with database.read() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        assert raw.prepare_threshold is not None


@sqlite
def test_a_commit_of_another_connection_is_seen(database: Database) -> None:
    """Of whatever process; looking and undoing are none."""
    assert database.url.database is not None
    with changes(database.url.database) as counter:
        assert not counter.came()
        with database.read() as connection:
            connection.execute(text("SELECT count(*) FROM portals"))
        assert not counter.came()
        with database.write() as connection:
            connection.execute(text("INSERT INTO portals (name) VALUES ('alpha')"))
            assert not counter.came()
        assert counter.came()
        assert not counter.came()


@contextmanager
def _several(database: Database, number: int) -> Iterator[list[Connection]]:
    connections = [database.engine.connect() for _ in range(number)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()
