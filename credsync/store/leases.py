"""Who owns a portal: one row, one fencing token, the database's clock.

A lease ends by itself when its holder stops renewing it; the next holder's token is higher, and what the old one
still tries to record is refused in its own transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from credsync.store.database import insert, now_plus
from credsync.store.tables import leases
from credsync.store.wakes import announce

OF_A_PORTAL = "portal:"
"""How the name of a portal's lease begins."""
OF_A_WORKER = "worker:"
"""How the name of what a worker holds begins, for as long as it is there."""


class LeaseLost(Exception):
    """Another process owns the portal now; nothing more of this one is recorded."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease; `token` fences what its holder records."""

    name: str
    owner: str
    token: int


def acquire(connection: Connection, name: str, owner: str, seconds: float) -> Lease | None:
    """Take the lease if nobody holds it or its time is up; None while somebody does.

    One statement: whoever comes second sees the first one's row. `owner` is unique to a process and its start.
    """
    row = insert(connection, leases).values(
        name=name, owner=owner, token=1, expires_at=now_plus(connection, seconds)
    )
    taken = row.on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={
            "owner": row.excluded.owner,
            "token": leases.c.token + 1,
            "expires_at": row.excluded.expires_at,
        },
        where=leases.c.expires_at < now_plus(connection),
    ).returning(leases.c.token)
    token = connection.execute(taken).scalar_one_or_none()
    return None if token is None else Lease(name, owner, token)


def renew(connection: Connection, lease: Lease, seconds: float) -> None:
    """Hold it for `seconds` from now; raises `LeaseLost` when it has run out or changed hands."""
    done = connection.execute(
        update(leases)
        .where(_held(lease), leases.c.expires_at > now_plus(connection))
        .values(expires_at=now_plus(connection, seconds))
    )
    if done.rowcount != 1:
        raise LeaseLost(lease.name)


def fence(connection: Connection, lease: Lease) -> None:
    """Raises `LeaseLost` unless the lease is held; keeps it from changing hands until this transaction ends."""
    held = (
        select(leases.c.token)
        .where(_held(lease), leases.c.expires_at > now_plus(connection))
        .with_for_update()
    )
    if connection.execute(held).one_or_none() is None:
        raise LeaseLost(lease.name)


def release(connection: Connection, lease: Lease) -> None:
    """Let the next process take it at once, and tell it. The row stays, so that tokens go on rising."""
    connection.execute(update(leases).where(_held(lease)).values(expires_at=now_plus(connection, -1)))
    announce(connection, lease.name.removeprefix(OF_A_PORTAL))


def end_all(connection: Connection) -> None:
    """Free every lease: for a process that knows that it is the only worker, and whose predecessor is dead."""
    connection.execute(update(leases).values(expires_at=now_plus(connection, -1)))


def join(connection: Connection, worker: str, seconds: float) -> None:
    """Be counted among the workers for so long; those that have been gone for an hour are forgotten."""
    gone = leases.c.expires_at < now_plus(connection, -3600)
    connection.execute(delete(leases).where(leases.c.name.startswith(OF_A_WORKER), gone))
    expires_at = now_plus(connection, seconds)
    row = insert(connection, leases).values(
        name=OF_A_WORKER + worker, owner=worker, token=1, expires_at=expires_at
    )
    connection.execute(
        row.on_conflict_do_update(index_elements=[leases.c.name], set_={"expires_at": expires_at})
    )


def leave(connection: Connection, worker: str) -> None:
    """Be counted no more."""
    connection.execute(delete(leases).where(leases.c.name == OF_A_WORKER + worker))


def renew_all(
    connection: Connection, worker: str, portals: Collection[str], seconds: float
) -> dict[str, int]:
    """Hold those of these portals that this worker holds, and its own place, for `seconds` from now, in one statement.

    Gives the token of each lease that was renewed, by its name.

    A lease that a round is just recording under is left out: its holder renews it by itself.
    """
    names = [OF_A_WORKER + worker, *(OF_A_PORTAL + each for each in portals)]
    held = and_(leases.c.owner == worker, leases.c.expires_at > now_plus(connection))
    mine = select(leases.c.name).where(leases.c.name.in_(names), held)
    renewed = connection.execute(
        update(leases)
        .where(leases.c.name.in_(mine.with_for_update(skip_locked=True)))
        .values(expires_at=now_plus(connection, seconds))
        .returning(leases.c.name, leases.c.token)
    )
    return {row.name: row.token for row in renewed}


def held_now(connection: Connection) -> dict[str, str]:
    """The owner of each lease that is held, by its name; each worker's own is among them."""
    held = select(leases.c.name, leases.c.owner).where(leases.c.expires_at > now_plus(connection))
    return {row.name: row.owner for row in connection.execute(held)}


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.token == lease.token)
