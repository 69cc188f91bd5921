"""Counts attempts to sign in, by person and by address, so that guessing is slow on every machine alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from credsync.core.sign_in import FORGOTTEN, Attempts, counted, may_try_at
from credsync.store.database import insert
from credsync.store.digests import digest
from credsync.store.people_tables import sign_in_attempts


@dataclass(frozen=True, slots=True)
class Count:
    """Whose attempts are counted (`person:ada@example.org`, `address:192.0.2.1`), and how many failures are free."""

    of: str
    free: int

    @property
    def digest(self) -> str:
        """What is kept of whom it is."""
        return digest(self.of)


def begin_attempt(connection: Connection, counts: Sequence[Count], now: datetime) -> datetime | None:
    """Count one more failure everywhere, or, having changed nothing, give the moment it has to wait for.

    It counts as failed from before the password is looked at, so that many at once are no faster than one after another.
    """
    ordered = sorted(counts, key=lambda each: each.digest)
    known = {each: _held(connection, each, now) for each in ordered}
    earliest = max(may_try_at(known[each], each.free, now) for each in ordered)
    if earliest > now:
        return earliest
    for each in ordered:
        after = counted(known[each], now)
        mine = sign_in_attempts.c.digest == each.digest
        connection.execute(update(sign_in_attempts).where(mine).values(failures=after.failures, last_at=now))
    _forget_old(connection, now)
    return None


def succeeded(connection: Connection, person: Count, others: Sequence[Count]) -> None:
    """It did not fail: the person begins anew. An address is only given this one attempt back, else whoever has one
    password of their own could guess others' at full speed.
    """
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.digest == person.digest))
    for each in others:
        mine = sign_in_attempts.c.digest == each.digest
        less = update(sign_in_attempts).where(mine, sign_in_attempts.c.failures > 0)
        connection.execute(less.values(failures=sign_in_attempts.c.failures - 1))


def _held(connection: Connection, each: Count, now: datetime) -> Attempts:
    """What is counted, held until the transaction ends."""
    fresh = insert(connection, sign_in_attempts).values(digest=each.digest, failures=0, last_at=now)
    held = fresh.on_conflict_do_update(
        index_elements=["digest"], set_={"failures": sign_in_attempts.c.failures}
    ).returning(sign_in_attempts.c.failures, sign_in_attempts.c.last_at)
    row = connection.execute(held).one()
    return Attempts(row.failures, row.last_at)


def _forget_old(connection: Connection, now: datetime) -> None:
    """Last, and past the rows that others hold, so that none waits for another in a circle."""
    old = select(sign_in_attempts.c.digest).where(sign_in_attempts.c.last_at < now - FORGOTTEN)
    free = old.with_for_update(skip_locked=True)
    connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.digest.in_(free)))
