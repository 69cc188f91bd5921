"""The reserve: how often HubSpot may be asked beside the rounds, counted over all processes.

A call takes a seat when it begins and keeps it until a window after it ended, so that no window, wherever it begins
and however long calls travel, holds more calls than there are seats. The database's clock alone decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from credsync.store import portals
from credsync.store.database import now_plus
from credsync.store.tables import live_reads
from credsync.store.tables import portals as portal_rows

SEATS = 4
"""Calls in any window, for one portal."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One call's place in the window."""

    id: int


@dataclass(frozen=True, slots=True)
class Wait:
    """All seats are taken; the next is free after so many seconds, unless somebody else is faster."""

    seconds: float


def take_seat(connection: Connection, portal: str, window: float) -> Seat | Wait:
    """Take a seat for one call, if one is free.

    The portal's row is held until the transaction ends, so that whoever counts at the same time counts this one too.
    """
    portals.ensure(connection, portal)
    connection.execute(select(portal_rows.c.name).where(portal_rows.c.name == portal).with_for_update())
    mine = live_reads.c.portal == portal
    connection.execute(delete(live_reads).where(mine, live_reads.c.at <= now_plus(connection, -window)))
    taken, oldest, now = connection.execute(
        select(func.count(), func.min(live_reads.c.at), now_plus(connection)).where(mine)
    ).one()
    if taken >= SEATS:
        return Wait(max(0.0, window - (now - oldest).total_seconds()))
    taking = live_reads.insert().values(portal=portal, at=now_plus(connection))
    made = connection.execute(taking).inserted_primary_key
    assert made is not None
    return Seat(int(made[0]))


def leave_seat(connection: Connection, seat: Seat) -> None:
    """The call has ended: its seat is free a window from now."""
    connection.execute(update(live_reads).where(live_reads.c.id == seat.id).values(at=now_plus(connection)))
