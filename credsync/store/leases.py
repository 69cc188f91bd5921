"""Who owns a portal: one row, one fencing token, the database's clock.

A lease ends by itself when its holder stops renewing it; the next holder's token is higher, and what the old one
still tries to record is refused in its own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select, update

from credsync.store.database import insert, now_plus
from credsync.store.tables import leases
from credsync.store.wakes import announce

OF_A_PORTAL = "portal:"
"""How the name of a portal's lease begins."""


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


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.token == lease.token)
