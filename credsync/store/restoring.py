"""After a backup was restored: HubSpot may show newer data than this database knows of, which nothing may overwrite.

So no record id is believed before a look finds it again, and what was not sent by then is not sent by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.links import LinkState
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.writes import UNFINISHED, WriteState
from credsync.store import timeline
from credsync.store.database import insert
from credsync.store.tables import links, portals, record_claims, submissions, therapists, writes


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
    row = insert(connection, portals).values(name=portal, restored_upto=last)
    connection.execute(
        row.on_conflict_do_update(index_elements=[portals.c.name], set_={"restored_upto": last})
    )
    return Restored(looked_at, doubted, held)


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
