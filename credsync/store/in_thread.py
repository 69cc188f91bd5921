"""The database for async code: each transaction in a thread of its own, so that the loop goes on meanwhile.

In a rehearsal everything runs in the caller's turn instead: virtual time has no threads, so that it repeats exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import anyio.to_thread
from sqlalchemy import Connection

from credsync.store.database import Database

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def read(
    database: Database, query: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Run a query in a transaction that only reads."""

    def in_transaction() -> _T:
        with database.read() as connection:
            return query(connection, *args, **kwargs)

    return await aside(database, in_transaction)


async def write(
    database: Database, change: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Run a change in a transaction of its own."""

    def in_transaction() -> _T:
        with database.write() as connection:
            return change(connection, *args, **kwargs)

    return await aside(database, in_transaction)


async def aside(database: Database, work: Callable[[], _T], *, abandon: bool = False) -> _T:
    """Run anything that blocks. With `abandon` a cancelled caller does not wait for its end."""
    if database.rehearsal is not None:
        await database.rehearsal.turn()
        return work()
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=abandon)
