"""Hears what other processes announce or commit, on a connection of its own. Everything here blocks: it is for a thread."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from credsync.store.wakes import CHANNEL

HEARD_WITHIN = 2.0
"""Seconds in which our own word must come back, or nothing is heard here."""
_CONNECTED_WITHIN = 5


class Listener:
    """LISTEN on PostgreSQL: gives the portals that were announced. Raises `OperationalError` when the connection is lost."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], address: str) -> None:
        self._connection = connection
        self._address = address

    def hears(self, within: float = HEARD_WITHIN) -> bool:
        """Whether what another connection announces arrives here.

        Behind a pooler in transaction mode LISTEN is answered well and nothing ever comes.
        """
        word = f"?{secrets.token_hex(8)}"
        with _failing_as_ours():
            with closing(psycopg.connect(self._address, autocommit=True, prepare_threshold=None)) as other:
                other.execute("SELECT pg_notify(%s, %s)", (CHANNEL, word))
            ends = time.monotonic() + within
            while (left := ends - time.monotonic()) > 0:
                if any(
                    each.payload == word for each in self._connection.notifies(timeout=left, stop_after=1)
                ):
                    return True
            self._connection.execute("UNLISTEN *")
            return False

    def announced(self, within: float) -> set[str]:
        """Which portals were announced; waits for the first of them so many seconds."""
        with _failing_as_ours():
            return {each.payload for each in self._connection.notifies(timeout=within, stop_after=1)}


@contextmanager
def listener(url: URL) -> Iterator[Listener]:
    """A listener. Raises `OperationalError` while the database does not answer."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with _failing_as_ours():
        connection = psycopg.connect(
            address,
            autocommit=True,
            prepare_threshold=None,
            application_name="credsync listens",
            connect_timeout=_CONNECTED_WITHIN,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
    with closing(connection):
        with _failing_as_ours():
            connection.execute(f"LISTEN {CHANNEL}")
        yield Listener(connection, address)


@contextmanager
def _failing_as_ours() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise OperationalError("LISTEN", None, error, hide_parameters=True) from error


class Changes:
    """SQLite: whether another connection, of any process, has committed since the last time it was asked.

    It asks a counter in memory that all processes share; no table is read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._version = self._now()

    def came(self) -> bool:
        """Whether anything was committed."""
        before, self._version = self._version, self._now()
        return before != self._version

    def _now(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def changes(file: str) -> Iterator[Changes]:
    """A look at the changes of a SQLite file."""
    with closing(sqlite3.connect(file, check_same_thread=False, isolation_level=None)) as connection:
        yield Changes(connection)
