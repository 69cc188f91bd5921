"""Hints: where HubSpot's webhooks say that a look is worth while, kept until a round has looked there.

A hint is a row of its own, not a fact: it neither plans nor writes, and touches no therapist's row, so that webhooks
and rounds never wait for each other. `seq` tells a hint that came during a look from the one the look was made for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, or_, select, update

from credsync.core.hints import Touch
from credsync.core.states import TherapistState
from credsync.store.database import Moment, insert
from credsync.store.leases import Lease, fence
from credsync.store.tables import merged_contacts, record_claims, therapists
from credsync.store.wakes import announce
from credsync.store.webhook_tables import hints

ANYBODY = ""
"""The therapist of a hint that is for whoever waits for an object type."""
_CHUNK = 500
"""Ids in one IN list."""

_KEY = (hints.c.portal, hints.c.therapist_id, hints.c.object)
_THIS = (
    (hints.c.portal == bindparam("of_portal"))
    & (hints.c.therapist_id == bindparam("for_id"))
    & (hints.c.object == bindparam("of_object"))
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A hint that no look has answered yet. `therapist_id` is empty for whoever waits for the object type."""

    therapist_id: str
    object: str
    seq: int
    due_at: datetime


def keep_hints(
    connection: Connection, portal: str, touches: Sequence[Touch], woken: Iterable[str], due: datetime
) -> int:
    """Keep what webhooks hinted at, due no later than `due`; gives how many therapists were meant.

    Who has neither the contact nor a record of those that were touched is not ours, and costs nothing.
    """
    wanted = _therapists_of(connection, portal, touches)
    rows = {(therapist, key) for therapist, keys in wanted.items() for key in keys}
    rows |= {(ANYBODY, key) for key in woken}
    if rows:
        kept = insert(connection, hints).values(portal=portal, seq=1)
        sooner = case((hints.c.due_at <= kept.excluded.due_at, hints.c.due_at), else_=kept.excluded.due_at)
        connection.execute(
            kept.on_conflict_do_update(
                index_elements=list(_KEY), set_={"seq": hints.c.seq + 1, "due_at": sooner}
            ),
            [{"therapist_id": therapist, "object": key, "due_at": due} for therapist, key in sorted(rows)],
        )
        announce(connection, portal)
    return len(wanted)


def pending_hints(connection: Connection, portal: str) -> list[Pending]:
    """Every hint of a portal, soonest first, due or not."""
    query = select(hints).where(hints.c.portal == portal).order_by(hints.c.due_at, hints.c.therapist_id)
    return [Pending(row.therapist_id, row.object, row.seq, row.due_at) for row in connection.execute(query)]


def settle_hints(
    connection: Connection,
    lease: Lease,
    portal: str,
    looked: Collection[Pending],
    unanswered: Collection[Pending],
    *,
    soon: datetime,
    later: datetime,
) -> None:
    """After a look: forget the hints it answered. One that came again meanwhile is due `soon`, an unanswered `later`.

    Raises `LeaseLost`, having stored nothing, when the portal is no longer ours.
    """
    fence(connection, lease)
    keys = sorted(_row(portal, each) for each in looked)
    if keys:
        rows = [dict(zip(("of_portal", "for_id", "of_object", "seen"), key, strict=True)) for key in keys]
        connection.execute(delete(hints).where(_THIS, hints.c.seq == bindparam("seen")), rows)
        again = hints.c.due_at < bindparam("soon", type_=Moment())
        moved = update(hints).where(_THIS, hints.c.seq != bindparam("seen"), again)
        connection.execute(
            moved.values(due_at=bindparam("soon", type_=Moment())), [{**row, "soon": soon} for row in rows]
        )
    put_off = [
        dict(zip(("of_portal", "for_id", "of_object"), key[:3], strict=True))
        for key in sorted(_row(portal, each) for each in unanswered)
    ]
    if put_off:
        connection.execute(
            update(hints).where(_THIS).values(due_at=bindparam("later", type_=Moment())),
            [{**row, "later": later} for row in put_off],
        )


def bring_hints_back(connection: Connection, portal: str, objects: Collection[str], now: datetime) -> None:
    """The hints at these object types, put off while they could not be read, are due now."""
    if objects:
        here = (hints.c.portal == portal) & hints.c.object.in_(objects)
        connection.execute(update(hints).where(here, hints.c.due_at > now).values(due_at=now))


def _row(portal: str, hint: Pending) -> tuple[str, str, str, int]:
    return portal, hint.therapist_id, hint.object, hint.seq


def _therapists_of(
    connection: Connection, portal: str, touches: Sequence[Touch]
) -> dict[str, frozenset[str]]:
    """The object types to look at for each therapist who has one of the contacts or records touched."""
    by_id: dict[str, set[Touch]] = defaultdict(set)
    for touch in touches:
        for each in touch.ids:
            by_id[each].add(touch)
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    objects = sorted({key for touch in touches for key in touch.objects})
    ids = sorted(by_id)
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        for therapist, named, in_sync in _holders(connection, portal, some, objects):
            for touch in by_id[named]:
                if not (touch.waiting_only and in_sync):
                    found[therapist] |= touch.objects
    return found


def _holders(
    connection: Connection, portal: str, ids: Sequence[str], objects: Sequence[str]
) -> list[tuple[str, str, bool]]:
    """Therapist, the id that led to them, and whether they are in sync: by contact, merged contact, and record."""
    now: dict[str, list[str]] = defaultdict(list)
    for each in ids:
        now[each].append(each)
    away = select(merged_contacts.c.contact_id, merged_contacts.c.merged_into).where(
        merged_contacts.c.portal == portal, merged_contacts.c.contact_id.in_(ids)
    )
    for row in connection.execute(away):
        now[row.merged_into].append(row.contact_id)
    contacts = list(now)
    mine = (therapists.c.portal == portal) & or_(
        therapists.c.contact_id.in_(contacts), therapists.c.merged_contact_id.in_(contacts)
    )
    columns = (therapists.c.id, therapists.c.state)
    by_contact = select(*columns, therapists.c.contact_id, therapists.c.merged_contact_id).where(mine)
    found = [
        (row.id, named, row.state == TherapistState.IN_SYNC.value)
        for row in connection.execute(by_contact)
        for contact in (row.contact_id, row.merged_contact_id)
        for named in now.get(contact, ())
    ]
    by_record = (
        select(*columns, record_claims.c.record_id)
        .join(therapists, therapists.c.id == record_claims.c.therapist_id)
        .where(
            record_claims.c.portal == portal,
            record_claims.c.object.in_(objects),
            record_claims.c.record_id.in_(ids),
        )
    )
    found += [
        (row.id, row.record_id, row.state == TherapistState.IN_SYNC.value)
        for row in connection.execute(by_record)
    ]
    return found
