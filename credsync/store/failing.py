"""What a database's failure means: it cannot be used for now, whatever was asked, or one statement was wrong.

Its name and remedy hold no value of a row.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum

from psycopg import errors as postgres
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Failing(StrEnum):
    """Why a database cannot be used for now; the value is the remedy."""

    BUSY = "another process keeps the database locked, or all its connections are taken: see who does"
    FULL = "the database's disk is full: make room"
    READ_ONLY = (
        "the database takes no changes: see its files' permissions, or whether database_url names a standby"
    )
    AWAY = "check database_url and the database"


_BUSY = (postgres.LockNotAvailable, postgres.TooManyConnections, postgres.ObjectInUse)


def failing(error: BaseException) -> Failing | None:
    """Why nothing can be asked of the database for now; None when it was one statement's own fault.

    What a transaction that ended so had changed is not known to be stored: its commit may have arrived.
    """
    if isinstance(error, PoolTimeout):
        return Failing.BUSY
    if not isinstance(error, DBAPIError):
        return None
    cause = error.orig
    if isinstance(cause, postgres.ReadOnlySqlTransaction):
        return Failing.READ_ONLY
    if isinstance(cause, postgres.DiskFull):
        return Failing.FULL
    if isinstance(cause, _BUSY):
        return Failing.BUSY
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(error, getattr(cause, "sqlite_errorname", ""))
    unusable = isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated
    return Failing.AWAY if unusable else None


def _of_sqlite(error: DBAPIError, name: str) -> Failing | None:
    for start, meaning in (
        ("SQLITE_BUSY", Failing.BUSY),
        ("SQLITE_LOCKED", Failing.BUSY),
        ("SQLITE_FULL", Failing.FULL),
        ("SQLITE_READONLY", Failing.READ_ONLY),
    ):
        if name.startswith(start):
            return meaning
    unusable = isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError
    return Failing.AWAY if unusable else None


def name_of(error: BaseException) -> str:
    """What the database calls it: SQLite's own code (`SQLITE_BUSY`), PostgreSQL's condition (`DiskFull`)."""
    cause = getattr(error, "orig", None)
    return str(getattr(cause, "sqlite_errorname", None) or type(cause or error).__name__)
