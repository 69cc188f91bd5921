"""Therapists' rows taken in one order, so that two transactions that need the same ones never wait in a circle.

SQLite has one writer at a time: there is nothing to take.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from credsync.store.database import has_one_writer
from credsync.store.tables import therapists

_CHUNK = 500


def lock_therapists(connection: Connection, therapist_ids: Iterable[str]) -> None:
    """Take these rows, by id, until the transaction ends. Whoever takes more than one takes all of them here, first.

    Facts that only refer to a therapist are not kept from coming in (`FOR NO KEY UPDATE`).
    """
    if has_one_writer(connection):
        return
    wanted = sorted(set(therapist_ids))
    for start in range(0, len(wanted), _CHUNK):
        connection.execute(
            select(therapists.c.id)
            .where(therapists.c.id.in_(wanted[start : start + _CHUNK]))
            .order_by(therapists.c.id)
            .with_for_update(key_share=True)
        )
