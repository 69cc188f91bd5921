"""How many stand how, counted from the database: for metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from credsync.core.states import TherapistState
from credsync.metrics import PortalFigures
from credsync.store.portals import status_of
from credsync.store.tables import therapists


def figures(connection: Connection, portals: Iterable[str], now: datetime) -> list[PortalFigures]:
    """One row per configured portal. Reads indexes only."""
    states: dict[str, dict[str, int]] = defaultdict(dict)
    counted = select(therapists.c.portal, therapists.c.state, func.count()).group_by(
        therapists.c.portal, therapists.c.state
    )
    for portal, state, count in connection.execute(counted):
        states[portal][state] = count
    return [_of_portal(connection, name, states[name], now) for name in portals]


def _of_portal(connection: Connection, portal: str, states: dict[str, int], now: datetime) -> PortalFigures:
    mine = therapists.c.portal == portal
    due = select(func.count(), func.min(therapists.c.due_at)).where(mine, therapists.c.due_at <= now)
    count, oldest = connection.execute(due).one()
    lane = select(func.count()).where(mine, therapists.c.backfill_at.is_not(None))
    standing = status_of(connection, portal)
    return PortalFigures(
        portal,
        {state.value: states.get(state.value, 0) for state in TherapistState},
        count,
        0.0 if oldest is None else (now - oldest).total_seconds(),
        connection.execute(lane).scalar_one(),
        standing.problem is None,
        standing.paused_at is not None,
    )
