"""The one place that knows which database is beneath: how it is opened, its transactions, its clock, its upsert.

SQLite serves one process (WAL, `synchronous=FULL`: what is committed is on disk); PostgreSQL serves many.
"""

from __future__ import annotations

import json
import select as polling
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    String,
    Table,
    all_,
    create_engine,
    event,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.types import TypeDecorator

from credsync.store.clock import Clock, SystemClock, say_time
from credsync.store.failing import failing
from credsync.store.wakes import SILENT

_T = TypeVar("_T")

_BUSY_SECONDS = 10
"""How long to wait for another process's lock on SQLite; `?timeout=` in the URL says otherwise."""
_UNREACHABLE_SECONDS = 5
"""How long to wait for a connection to PostgreSQL."""
_DEAD_MILLISECONDS = 15_000
"""How long what was sent to PostgreSQL may go unacknowledged by its machine."""
_BOUNDS: Mapping[str, Any] = {
    "connect_timeout": _UNREACHABLE_SECONDS,
    "tcp_user_timeout": _DEAD_MILLISECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_MOST_TOGETHER = 64
"""Changes in one shared transaction."""
_WRITERS = 6
"""Transactions of facts at once on PostgreSQL; below the pool, so that rounds and questions find a connection."""


class Moment(TypeDecorator[datetime]):
    """A UTC moment to the microsecond: `timestamptz` on PostgreSQL, sortable RFC 3339 text on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The column type beneath, by dialect."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database; a moment without a zone is refused with `ValueError`."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return say_time(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database, in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class JsonText:
    """JSON that is written already: a JSON column takes it as it is."""

    text: str


def _json(value: object) -> str:
    if value == []:
        return "[]"
    return value.text if isinstance(value, JsonText) else json.dumps(value)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a database takes part in virtual time: `clock` is the database's own, which decides about leases, and `turn`
    is awaited where otherwise a thread would begin.
    """

    clock: Clock
    turn: Callable[[], Awaitable[object]]


class Database:
    """An opened database. `write()` and `read()` give connections inside a transaction.

    `writers` is how many threads that take facts in help it, `most_together` how many facts one transaction takes well.
    With a `rehearsal`, which is for virtual time, async code uses no threads for it, and nothing waits for a disk.
    Without `announces` nobody is told by PostgreSQL's NOTIFY that a round is due.
    """

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        rehearsal: Rehearsal | None = None,
        announces: bool = True,
    ) -> None:
        self.url = make_url(url)
        self.clock = clock or SystemClock()
        self.rehearsal = rehearsal
        self._own_clock = rehearsal.clock if rehearsal is not None else self.clock
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = self._open_sqlite()
        else:
            options: dict[str, object] = {} if rehearsal is None else {"credsync_clock": rehearsal.clock}
            if rehearsal is not None or not announces:
                options[SILENT] = True
            self.engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                pool_size=8,
                max_overflow=8,
                hide_parameters=True,
                execution_options=options,
                json_serializer=_json,
                connect_args={k: v for k, v in _BOUNDS.items() if k not in self.url.query},
            )
            event.listen(self.engine, "connect", _prepare_nothing_behind_a_pooler)
            event.listen(self.engine, "checkout", _refuse_what_was_ended)
        self._writer = threading.Lock()
        self.writers, self.most_together = (1, _MOST_TOGETHER) if self.is_sqlite else (_WRITERS, 1)

    def _open_sqlite(self) -> Engine:
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            self.url.set(drivername="sqlite"),
            pool_size=8,
            max_overflow=32,
            hide_parameters=True,
            json_serializer=_json,
            connect_args={
                **({} if "timeout" in self.url.query else {"timeout": _BUSY_SECONDS}),
                "check_same_thread": False,
                "isolation_level": None,
            },
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if self.rehearsal is None else 'OFF'}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-16000")
            connection.create_function("credsync_now", 1, self._sqlite_now)

        return engine

    def _sqlite_now(self, seconds: float) -> str:
        return say_time(self._own_clock.now() + timedelta(seconds=seconds))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back on an exception.

        SQLite has one writer: threads of this process queue here fairly instead of polling its lock.
        """
        if self.is_sqlite:
            with self._writer, self.engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        else:
            with self.engine.begin() as connection:
                yield connection

    def write_together(self, changes: Sequence[Callable[[Connection], _T]]) -> list[_T | Exception]:
        """Run each of `changes` and give, once they are committed, its result, or what it raised.

        On SQLite they go into one transaction: a commit costs a write to disk, however much is in it. If one raises,
        all is undone and each half of them is run again, until that one is alone: what is wrong with one is nothing to
        the others. So a change must not have effects but through its connection. A database that fails fails all of
        them, at once. On PostgreSQL each has its own transaction, so that none holds the rows of another.
        """
        if len(changes) > 1 and not self.is_sqlite:
            return [ended for change in changes for ended in self.write_together([change])]
        if not changes:
            return []
        try:
            with self.write() as connection:
                return [change(connection) for change in changes]
        except Exception as error:  # noqa: BLE001 - raised where the change came from
            if len(changes) == 1 or failing(error) is not None:
                return [error] * len(changes)
        middle = len(changes) // 2
        return [*self.write_together(changes[:middle]), *self.write_together(changes[middle:])]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, of one consistent state."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _prepare_nothing_behind_a_pooler(connection: psycopg.Connection[Any], _record: object) -> None:
    """A pooler in transaction mode gives each transaction another server process, which knows no prepared statement.

    It is known by the process that it names at the start, which is not the one that answers.
    """
    with connection.cursor() as cursor:
        answering = cursor.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if answering is None or answering[0] != connection.info.backend_pid:
        connection.prepare_threshold = None


def _refuse_what_was_ended(connection: psycopg.Connection[Any], _record: object, _fairy: object) -> None:
    """Take no connection that the server has ended meanwhile: it said so, and what it said waits to be read.

    It costs no statement, where a ping would double those of an idle process.
    """
    waiting = polling.poll()
    waiting.register(connection.fileno(), polling.POLLIN | polling.POLLHUP | polling.POLLERR)
    if waiting.poll(0):
        raise InvalidatePoolError


def has_one_writer(connection: Connection) -> bool:
    """Whether a transaction that writes is the only one, so that no row need be locked."""
    return connection.dialect.name == "sqlite"


def now_plus(connection: Connection, seconds: float = 0) -> ColumnElement[datetime]:
    """SQL for the database's own clock, `seconds` from now: it alone decides about leases."""
    if connection.dialect.name == "sqlite":
        return func.credsync_now(seconds, type_=Moment())
    clock: Clock | None = connection.get_execution_options().get("credsync_clock")
    if clock is not None:
        return literal(clock.now() + timedelta(seconds=seconds), Moment())
    return type_coerce(func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds), Moment())


def not_among(
    connection: Connection, column: ColumnElement[str], texts: Collection[str]
) -> ColumnElement[bool]:
    """SQL for a column that has none of these, however many: they are one value, where `NOT IN` has one for each."""
    if connection.dialect.name == "sqlite":
        each = func.json_each(json.dumps(sorted(texts))).table_valued("value")
        return column.not_in(select(each.c.value))
    return column != all_(literal(sorted(texts), postgresql.ARRAY(String)))


def insert_row(connection: Connection, table: Table, **values: Any) -> int:
    """Insert one row and give the id the database chose for it."""
    made = connection.execute(table.insert(), values).inserted_primary_key
    assert made is not None
    return int(made[0])


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An `INSERT` of the dialect beneath, which both offer `on_conflict_do_update` and `…_do_nothing`."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
