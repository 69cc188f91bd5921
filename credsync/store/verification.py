"""Who is to be verified next, and what a verification sweep leaves: when, whom a round must take, when the next may begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, text, update

from credsync.store.cases import Claimed, claim_rows
from credsync.store.portals import ensure
from credsync.store.tables import VERIFIABLE, portals, therapists

_CHUNK = 500


def oldest_verified(
    connection: Connection, portal: str, portal_digest: str, now: datetime, every: timedelta, limit: int
) -> list[Claimed]:
    """Those who are to be verified, oldest first, if the oldest was not verified for so long.

    A call is filled up with the next oldest. Nobody who is given up, since that is looked at only when something
    happens. One statement over an index, however many there are.
    """
    query = (
        select(therapists)
        .where(therapists.c.portal == portal, text(VERIFIABLE), therapists.c.verified_at.is_not(None))
        .order_by(therapists.c.verified_at)
        .limit(limit)
    )
    oldest = connection.execute(query.limit(1)).one_or_none()
    if oldest is None or oldest.verified_at > now - every:
        return []
    return claim_rows(connection, connection.execute(query).all(), portal, portal_digest, now)


def verified(connection: Connection, therapist_ids: Iterable[str], at: datetime) -> None:
    """Note when they were verified. Their rows are the caller's (`row_locks`)."""
    for chunk in _chunks(sorted(therapist_ids)):
        connection.execute(update(therapists).where(therapists.c.id.in_(chunk)).values(verified_at=at))


def take_up_again(connection: Connection, therapist_ids: Iterable[str], now: datetime) -> None:
    """Let the next round plan them anew and look at everything, whether something is open or not. As above."""
    for chunk in _chunks(sorted(therapist_ids)):
        connection.execute(
            update(therapists)
            .where(therapists.c.id.in_(chunk))
            .values(generation=therapists.c.generation + 1, planned_by=None, due_at=now, rides=True)
        )


def may_sweep_from(connection: Connection, portal: str) -> datetime | None:
    """When the next sweep of a portal may begin; None where none has been."""
    query = select(portals.c.sweep_from).where(portals.c.name == portal)
    return connection.execute(query).scalar_one_or_none()


def sweep_again_from(connection: Connection, portal: str, moment: datetime) -> None:
    """Let no sweep begin before that, whichever process has the portal by then."""
    ensure(connection, portal)
    connection.execute(update(portals).where(portals.c.name == portal).values(sweep_from=moment))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
