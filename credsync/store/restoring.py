"""After a backup was restored: HubSpot may show newer data than this database knows of, which nothing may overwrite.

So no record id is believed before a look finds it again, and what was not sent by then is not sent by itself, but
compared with its record (`credsync.core.restored`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, delete, exists, func, select, text, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.writes import UNFINISHED, WriteState
from credsync.store import timeline
from credsync.store.database import insert
from credsync.store.tables import (
    HELD_BY_BACKUP,
    links,
    portals,
    record_claims,
    submissions,
    therapists,
    writes,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in doubt now."""

    therapists: int
    links: int
    held: int


def take_up_backup(connection: Connection, portal: str, now: datetime) -> Restored:
    """Doubt all that the database knows of a portal's records, and hold what it has not sent.

    Doing it again changes nothing that was settled since, but for looking again.
    """
    held = _hold(connection, portal, now)
    doubted = connection.execute(
        update(links)
        .where(links.c.portal == portal, links.c.record_id.is_not(None))
        .values(
            state=LinkState.AWAITED.value,
            reason=Reason.NOT_LOOKED_YET.value,
            record_id=None,
            candidates=[],
            awaited_since=now,
            next_look_at=now,
            found_at=None,
            doubtful_since=None,
            doubted_record_id=None,
            overdue_since=None,
            measured_from=None,
        )
    ).rowcount
    connection.execute(delete(record_claims).where(record_claims.c.portal == portal))
    everybody = (
        update(therapists)
        .where(therapists.c.portal == portal)
        .values(generation=therapists.c.generation + 1, planned_by=None, due_at=now)
    )
    looked_at = connection.execute(everybody).rowcount
    last = select(func.max(submissions.c.id)).scalar_subquery()
    told = {"restored_upto": last, "restored_at": now}
    row = insert(connection, portals).values(name=portal, **told)
    connection.execute(row.on_conflict_do_update(index_elements=[portals.c.name], set_=told))
    return Restored(looked_at, doubted, held)


def in_doubt(connection: Connection, portal: str, since: datetime) -> int | None:
    """How many therapists have something held since a backup was restored at `since`; None once all is settled.

    One statement, over the held rows and whoever is due since then alone.
    """
    held = select(func.count()).select_from(held_beneath(portal).subquery()).scalar_subquery()
    unseen = exists().where(therapists.c.portal == portal, therapists.c.due_at <= since)
    count, waits = connection.execute(select(held, unseen)).one()
    return int(count) if count or waits else None


def held_beneath(portal: str) -> Select[tuple[str]]:
    """The ids of the therapists of whom something is held since a backup was restored."""
    return (
        select(writes.c.therapist_id)
        .join(therapists, therapists.c.id == writes.c.therapist_id)
        .where(therapists.c.portal == portal, text(f"writes.{HELD_BY_BACKUP}"))
        .distinct()
    )


def _hold(connection: Connection, portal: str, now: datetime) -> int:
    """Everything unsent, sent without a verdict, or to be sent again."""
    query = (
        select(writes.c.id, writes.c.form, writes.c.slot, therapists.c.id, therapists.c.contact_id)
        .join(therapists, writes.c.therapist_id == therapists.c.id)
        .where(therapists.c.portal == portal, writes.c.state.in_([s.value for s in UNFINISHED]))
    )
    rows = connection.execute(query).all()
    reason = Reason.RESTORED.value
    connection.execute(
        update(writes)
        .where(
            writes.c.state.in_([s.value for s in UNFINISHED]),
            writes.c.therapist_id.in_(select(therapists.c.id).where(therapists.c.portal == portal)),
        )
        .values(state=WriteState.HELD.value, reason=reason, not_before=None)
    )
    timeline.append(
        connection,
        [
            TimelineEvent(
                EventName.WRITE_HELD, portal, who, contact, now, slot, None, {"form": form, "reason": reason}
            )
            for _, form, slot, who, contact in rows
        ],
    )
    with_held = update(therapists).where(therapists.c.id.in_({row[3] for row in rows}))
    if rows:
        connection.execute(with_held.values(state=TherapistState.HELD.value, reason=reason))
    return len(rows)
