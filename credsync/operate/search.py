"""From what a person pastes to therapists: a UUID, a contact id, a record id, or a HubSpot page's address."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_, select

from credsync.core.portal import CONTACT
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.operate.record_urls import parse_record_url
from credsync.store.portals import PortalStatus, statuses
from credsync.store.tables import link_history, links, merged_contacts, record_claims, therapists

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS = re.compile(r"[0-9]{1,32}")


def resolve(connection: Connection, text: str) -> list[str]:
    """The therapists that one ID means, as the command line takes it; usually one, none for an unknown ID.

    A record id finds the therapist that has it in a slot now, or had it, or has it among a slot's candidates.
    """
    return by_id(connection, text) or []


def by_id(connection: Connection, text: str) -> list[str] | None:
    """The therapists that an ID means; None when the text is no ID at all."""
    text = text.strip()
    if _UUID.fullmatch(text):
        query = select(therapists.c.id).where(therapists.c.id == text.lower())
        return list(connection.execute(query).scalars())
    known = statuses(connection)
    if _DIGITS.fullmatch(text):
        return sorted(
            {*_of_contact(connection, text, ()), *_of_record(connection, text, known, ())},
        )
    address = parse_record_url(text)
    if address is None:
        return None
    elsewhere = [s.name for s in known if s.portal_id is not None and s.portal_id != address.portal_id]
    if address.type_id == CONTACT_TYPE:
        return _of_contact(connection, address.record_id, elsewhere)
    return sorted(set(_of_record(connection, address.record_id, known, elsewhere)))


def _of_contact(connection: Connection, contact_id: str, elsewhere: Iterable[str]) -> list[str]:
    """Whose contact this is, or was until HubSpot merged it into another."""
    out = list(elsewhere)
    mine = select(therapists.c.id).where(
        therapists.c.contact_id == contact_id, therapists.c.portal.not_in(out)
    )
    heirs = (
        select(therapists.c.id)
        .join(
            merged_contacts,
            and_(
                merged_contacts.c.portal == therapists.c.portal,
                merged_contacts.c.merged_into == therapists.c.contact_id,
            ),
        )
        .where(merged_contacts.c.contact_id == contact_id, therapists.c.portal.not_in(out))
    )
    return sorted({each for query in (mine, heirs) for each in connection.execute(query).scalars()})


def _of_record(
    connection: Connection, record_id: str, known: Iterable[PortalStatus], elsewhere: Iterable[str]
) -> list[str]:
    out = list(elsewhere)
    found: set[str] = set()
    held = select(links.c.therapist_id).where(links.c.record_id == record_id, links.c.portal.not_in(out))
    found.update(connection.execute(held).scalars())
    once = (
        select(link_history.c.therapist_id)
        .join(therapists, therapists.c.id == link_history.c.therapist_id)
        .where(link_history.c.record_id == record_id, therapists.c.portal.not_in(out))
    )
    found.update(connection.execute(once).scalars())
    places = [
        and_(record_claims.c.portal == status.name, record_claims.c.object == key)
        for status in known
        if status.name not in out
        for key in status.types
        if key != CONTACT
    ]
    if places:
        claimed = select(record_claims.c.therapist_id).where(
            or_(*(and_(place, record_claims.c.record_id == record_id) for place in places))
        )
        found.update(connection.execute(claimed).scalars())
    return list(found)
