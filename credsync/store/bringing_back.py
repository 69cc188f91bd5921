"""Brings back whoever waits for something that has just ended, and of whom nothing is due by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, exists, or_, select, update

from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.store.tables import links, therapists, writes


def bring_back(connection: Connection, portal: str, reason: Reason, now: datetime) -> None:
    """Everybody of the portal with a link or write that waits for this reason is due now."""
    connection.execute(
        update(therapists)
        .where(
            therapists.c.portal == portal,
            therapists.c.state != TherapistState.IN_SYNC.value,
            or_(
                *(
                    exists(
                        select(table.c.slot).where(
                            table.c.therapist_id == therapists.c.id, table.c.reason == reason.value
                        )
                    )
                    for table in (writes, links)
                )
            ),
        )
        .values(due_at=now)
    )
