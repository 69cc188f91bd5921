"""Asks the database for a page or an answer: in a thread, in one transaction, so that it shows one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection

from credsync.store.database import Database

_T = TypeVar("_T")


async def ask(database: Database, limiter: CapacityLimiter, query: Callable[[Connection], _T]) -> _T:
    """What `query` finds."""

    def in_transaction() -> _T:
        with database.read() as connection:
            return query(connection)

    return await to_thread.run_sync(in_transaction, limiter=limiter)


async def change(database: Database, limiter: CapacityLimiter, act: Callable[[Connection], _T]) -> _T:
    """What `act` changes, once it is on disk."""

    def in_transaction() -> _T:
        with database.write() as connection:
            return act(connection)

    return await to_thread.run_sync(in_transaction, limiter=limiter)
