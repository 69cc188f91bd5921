"""The audit is append-only by the database, one chain however many append, and no value is in it."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from credsync.core.audit import Deed
from credsync.store import audit
from credsync.store.audit import Whom
from credsync.store.database import Database
from credsync.store.people_tables import audit as table
from credsync.store.people_tables import audit_head
from tests.databases import PostgresServer
from tests.pgbouncer import MISSING, find_pgbouncer, pgbouncer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _append(connection: Connection, who: str = "cli:ada", name: str = "demo", why: str = "because") -> int:
    return audit.append(connection, NOW, who, Deed.PAUSED, Whom("portal", name), why=why)


def _three(database: Database) -> None:
    with database.write() as connection:
        for number in range(3):
            _append(connection, name=f"portal-{number}")


def _unguard(database: Database) -> None:
    """What only somebody with the right to change the schema can do."""
    with database.write() as connection:
        if database.is_sqlite:
            for name in ("audit_keeps_content", "audit_keeps_rows", "audit_keeps_places"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("DROP TRIGGER audit_is_append_only ON audit"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'cli:eve' WHERE seq = 2",
        "UPDATE audit SET who = who",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_row_of_the_audit(database: Database, change: str) -> None:
    """Whoever asks: a trigger of the database itself."""
    _three(database)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(text(change))
    with database.read() as connection:
        assert audit.verify(connection).entries == 3


def test_the_database_lets_no_row_take_the_place_of_another(database: Database) -> None:
    """Neither by REPLACE on SQLite nor by ON CONFLICT or TRUNCATE on PostgreSQL."""
    _three(database)
    with database.read() as connection:
        row = connection.execute(select(table).where(table.c.seq == 3)).one()._mapping
    forged = {**row, "who": "cli:eve"}
    attempts = [insert(table).prefix_with("OR REPLACE").values(forged)]
    if not database.is_sqlite:
        attempts = [text("TRUNCATE audit"), insert(table).values(forged)]
    for attempt in attempts:
        with pytest.raises(DBAPIError), database.write() as connection:
            connection.execute(attempt)
    with database.read() as connection:
        assert audit.verify(connection).broken is None


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        (update(table).where(table.c.seq == 2).values(why="another"), 2),
        (update(table).where(table.c.seq == 1).values(before="0" * 64), 1),
        (delete(table).where(table.c.seq == 2), 2),
        (delete(table).where(table.c.seq == 3), 3),
    ],
)
def test_whoever_takes_the_guard_away_is_found_by_the_chain(
    database: Database, change: object, seq: int
) -> None:
    """The first broken row is named, also where the end was cut off."""
    _three(database)
    _unguard(database)
    with database.write() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    with database.read() as connection:
        broken = audit.verify(connection).broken
    assert broken is not None
    assert broken.seq == seq


def test_a_last_row_written_anew_is_found(database: Database) -> None:
    """Its seal is right, and it is not what was written last."""
    _three(database)
    _unguard(database)
    with database.write() as connection:
        head = connection.execute(select(audit_head)).one()
        connection.execute(delete(table).where(table.c.seq == 3))
        before = connection.execute(select(table.c.hash).where(table.c.seq == 2)).scalar_one()
        connection.execute(update(audit_head).values(seq=2, hash=before))
        _append(connection, who="cli:eve")
        connection.execute(update(audit_head).values(seq=3, hash=head.hash))
    with database.read() as connection:
        broken = audit.verify(connection).broken
    assert broken is not None
    assert broken.seq == 3


def test_many_who_append_at_once_make_one_chain(database: Database) -> None:
    """Each in a transaction and on a connection of its own, as two processes are: nobody's row is lost or doubled."""
    _append_at_once(database)


def test_many_who_append_behind_pgbouncer_make_one_chain(
    postgres: PostgresServer, migrated_postgres: str
) -> None:
    """In transaction mode, where each transaction may have another connection of the server."""
    program = find_pgbouncer()
    if program is None:
        pytest.skip(MISSING)
    name = postgres.create_database(migrated_postgres)
    with pgbouncer(program, postgres.url(name)) as url, closing(Database(url)) as behind:
        _append_at_once(behind)
    postgres.drop_database(name)


def _append_at_once(database: Database) -> None:
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    start = threading.Barrier(len(others))
    failed: list[BaseException] = []

    def work(mine: Database, number: int) -> None:
        start.wait()
        try:
            for _ in range(10):
                with mine.write() as connection:
                    _append(connection, who=f"cli:{number}")
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(each, n)) for n, each in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in others:
        each.close()
    assert failed == []
    with database.read() as connection:
        judged = audit.verify(connection)
        assert (judged.entries, judged.broken) == (40, None)
        assert {row.entry.who for row in audit.page(connection, limit=100)} == {f"cli:{n}" for n in range(4)}


def test_an_act_that_is_undone_leaves_no_row(database: Database) -> None:
    """The row is part of the act's transaction, and the chain goes on without a gap."""

    def fail() -> None:
        with database.write() as connection:
            _append(connection)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    _three(database)
    with database.read() as connection:
        assert audit.verify(connection).entries == 3


def test_of_how_it_stood_only_a_hash_is_kept(database: Database) -> None:
    """No value is in the audit; the same state has the same hash."""
    with database.write() as connection:
        audit.append(
            connection,
            NOW,
            "token:backend",
            Deed.CHOICE,
            Whom("therapist", "x"),
            before={"record": "secret-value"},
            after={"record": "secret-value"},
        )
    with database.read() as connection:
        row = connection.execute(select(table)).one()
        assert "secret-value" not in str(row)
        assert row.before == row.after
        assert row.after is not None


def test_the_audit_of_one_whom_is_found_newest_first(database: Database) -> None:
    """And in pages."""
    with database.write() as connection:
        for number in range(5):
            _append(connection, name="demo" if number % 2 else "other", why=str(number))
    with database.read() as connection:
        found = audit.page(connection, limit=1, whom=Whom("portal", "demo"))
        more = audit.page(connection, limit=5, whom=Whom("portal", "demo"), before=found[-1].entry.seq)
    assert [row.entry.why for row in [*found, *more]] == ["3", "1"]
