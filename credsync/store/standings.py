"""What lies ahead of each portal, in one statement for all of them: when somebody is due, and whose it is until when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, Select, Table, literal, select, union_all

from credsync.store.database import now_plus
from credsync.store.leases import OF_A_PORTAL
from credsync.store.tables import leases, therapists
from credsync.store.webhook_tables import hints


@dataclass(frozen=True, slots=True)
class Standing:
    """One portal's: when the next is due, the lease's holder, and seconds until it runs out (0 where nobody holds it)."""

    due: datetime | None
    holder: str | None
    held_for: float


def standings(connection: Connection, portals: Collection[str]) -> dict[str, Standing]:
    """How each portal stands."""
    if not portals:
        return {}
    rows = connection.execute(union_all(*(_one(connection, name) for name in portals)))
    return {row.name: _standing(row) for row in rows}


def _standing(row: Row[Any]) -> Standing:
    due = min((each for each in (row.due, row.backfill, row.hint) if each is not None), default=None)
    if row.expires_at is None or row.expires_at <= row.now:
        return Standing(due, None, 0.0)
    return Standing(due, row.owner, (row.expires_at - row.now).total_seconds())


def _one(connection: Connection, name: str) -> Select[Any]:
    lease = leases.c.name == OF_A_PORTAL + name
    return select(
        literal(name).label("name"),
        now_plus(connection).label("now"),
        select(leases.c.owner).where(lease).scalar_subquery().label("owner"),
        select(leases.c.expires_at).where(lease).scalar_subquery().label("expires_at"),
        _soonest(therapists, "due_at", name).label("due"),
        _soonest(therapists, "backfill_at", name).label("backfill"),
        _soonest(hints, "due_at", name).label("hint"),
    )


def _soonest(table: Table, when: str, portal: str) -> ScalarSelect[Any]:
    column = table.c[when]
    mine = select(column).where(table.c.portal == portal, column.is_not(None))
    return mine.order_by(column).limit(1).scalar_subquery()
