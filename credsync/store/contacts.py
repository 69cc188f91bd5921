"""Which contact a therapist has: ids that HubSpot merged away, a contact that two therapists share, and the contact's
own link to the therapist's page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, exists, func, or_, select, update

from credsync.store.database import Moment, insert
from credsync.store.row_locks import lock_therapists
from credsync.store.tables import merged_contacts, therapists

_NOW = func.coalesce(
    select(merged_contacts.c.merged_into)
    .where(
        merged_contacts.c.portal == bindparam("of_portal"),
        merged_contacts.c.contact_id == bindparam("contact"),
    )
    .scalar_subquery(),
    bindparam("contact"),
)
_CONTACT_NOW = select(
    _NOW.label("contact_id"),
    select(therapists.c.id)
    .where(
        therapists.c.portal == bindparam("of_portal"),
        therapists.c.contact_id == _NOW,
        therapists.c.id != bindparam("but"),
    )
    .scalar_subquery()
    .label("holder"),
)
"""The id a contact lives under, and which other therapist has it."""


@dataclass(frozen=True, slots=True)
class ContactMerged:
    """HubSpot merged a therapist's contact into another; `taken` when that one is another therapist's already."""

    old: str
    new: str
    taken: bool = False


def contact_now(
    connection: Connection, portal: str, contact_id: str, therapist_id: str
) -> tuple[str, str | None]:
    """The id a contact lives under (its own, or what HubSpot merged it into), and another therapist who has it."""
    asked = {"of_portal": portal, "contact": contact_id, "but": therapist_id}
    row = connection.execute(_CONTACT_NOW, asked).one()
    return row.contact_id, row.holder


def owners_of(connection: Connection, portal: str, contact_ids: Iterable[str]) -> dict[str, str]:
    """The therapist of each of these contacts that has one."""
    query = select(therapists.c.contact_id, therapists.c.id).where(
        therapists.c.portal == portal, therapists.c.contact_id.in_(list(contact_ids))
    )
    return {row.contact_id: row.id for row in connection.execute(query)}


def shared_contacts(connection: Connection, portal: str) -> dict[str, frozenset[str]]:
    """The therapists of each contact that two or more therapists of a portal have, since theirs were merged into it."""
    merged = select(therapists.c.merged_contact_id, therapists.c.id).where(
        therapists.c.portal == portal, therapists.c.merged_contact_id.is_not(None)
    )
    claims: dict[str, set[str]] = defaultdict(set)
    for contact, therapist in connection.execute(merged):
        claims[contact].add(therapist)
    if not claims:
        return {}
    for contact, therapist in owners_of(connection, portal, claims).items():
        claims[contact].add(therapist)
    return {contact: frozenset(found) for contact, found in claims.items() if len(found) > 1}


def follow_merges(
    connection: Connection, portal: str, merges: Mapping[str, ContactMerged], now: datetime
) -> None:
    """Store what became of therapists' contacts, by therapist id.

    A contact that another therapist has is not taken from them: both are marked due, and neither is written to.
    """
    for therapist_id, merge in merges.items():
        connection.execute(
            update(merged_contacts)
            .where(merged_contacts.c.portal == portal, merged_contacts.c.merged_into == merge.old)
            .values(merged_into=merge.new)
        )
        moved_on = (therapists.c.portal == portal) & (therapists.c.merged_contact_id == merge.old)
        connection.execute(update(therapists).where(moved_on).values(merged_contact_id=merge.new))
        row = {"portal": portal, "contact_id": merge.old, "merged_into": merge.new, "seen_at": now}
        made = insert(connection, merged_contacts).values(row)
        known = [merged_contacts.c.portal, merged_contacts.c.contact_id]
        connection.execute(
            made.on_conflict_do_update(index_elements=known, set_={"merged_into": merge.new, "seen_at": now})
        )
        other = therapists.alias()
        free = ~exists().where(
            other.c.portal == portal, other.c.contact_id == merge.new, other.c.id != therapist_id
        )
        adopted = connection.execute(
            update(therapists)
            .where(therapists.c.id == therapist_id, therapists.c.contact_id == merge.old, free)
            .values(contact_id=merge.new, merged_contact_id=None, sync_url_at=now)
        )
        if adopted.rowcount == 0:
            connection.execute(
                update(therapists)
                .where(therapists.c.id == therapist_id, therapists.c.contact_id == merge.old)
                .values(merged_contact_id=merge.new)
            )
            warn_sharers(connection, portal, [merge.new], now)


def sharers_of(connection: Connection, portal: str, contact_ids: Iterable[str]) -> set[str]:
    """Whoever has one of these contacts, or had theirs merged into one."""
    contacts = list(contact_ids)
    return set(connection.execute(select(therapists.c.id).where(_shares(portal, contacts))).scalars())


def _shares(portal: str, contact_ids: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        therapists.c.portal == portal,
        or_(therapists.c.contact_id.in_(contact_ids), therapists.c.merged_contact_id.in_(contact_ids)),
    )


def warn_sharers(connection: Connection, portal: str, contact_ids: Sequence[str], now: datetime) -> None:
    """Whoever `sharers_of` names is looked at again, now; their rows are taken by then (`lock_therapists`)."""
    connection.execute(
        update(therapists)
        .where(_shares(portal, contact_ids))
        .values(generation=therapists.c.generation + 1, due_at=now, rides=True)
    )


def lacking_sync_url(
    connection: Connection, portal: str, now: datetime, company: timedelta, limit: int
) -> list[tuple[str, str]]:
    """Therapist and contact ids that are to get their `sync_url` now: a full batch, or whoever waited long enough.

    The longest waiting first; empty while neither is so.
    """
    waiting = list(
        connection.execute(
            select(therapists.c.id, therapists.c.contact_id, therapists.c.sync_url_at)
            .where(
                therapists.c.portal == portal,
                therapists.c.sync_url_at <= now,
                therapists.c.contact_id.is_not(None),
            )
            .order_by(therapists.c.sync_url_at)
            .limit(limit)
        )
    )
    if not waiting or (len(waiting) < limit and waiting[0].sync_url_at > now - company):
        return []
    return [(row.id, row.contact_id) for row in waiting]


def record_sync_urls(connection: Connection, told: Mapping[tuple[str, str], datetime | None]) -> None:
    """Store, by therapist and contact id, when the contact is tried again; None for one that has its link."""
    if not told:
        return
    lock_therapists(connection, (therapist for therapist, _ in told))
    connection.execute(
        update(therapists)
        .where(therapists.c.id == bindparam("for_id"), therapists.c.contact_id == bindparam("having_contact"))
        .values(sync_url_at=bindparam("again", type_=Moment())),
        [
            {"for_id": therapist, "having_contact": contact, "again": again}
            for (therapist, contact), again in told.items()
        ],
    )
