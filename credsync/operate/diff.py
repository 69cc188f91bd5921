"""A therapist's differences as the API and the command line tell them. Submitted values stand in the answer alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from credsync.core.differences import PropertyDifference, SlotDifference, Why
from credsync.core.links import Link
from credsync.core.portal import DEFINITIVE, Portal
from credsync.core.reasons import Reason, sentence
from credsync.core.verdicts import PropertyFault
from credsync.operate.portal_standing import standing_of
from credsync.operate.record_urls import Pages, pages_of
from credsync.store.clock import say_time
from credsync.store.tables import therapists, writes

AWAITED = "awaited"


@dataclass(frozen=True, slots=True)
class Answered:
    """What is to be told of the asking itself.

    `problem` says why HubSpot could not be asked at all; `ask_again_in_s` is set where the reserve ran out on the way.
    """

    asked_at: datetime
    problem: str
    ask_again_in_s: int | None
    contact_id: str | None
    contact_reason: Reason
    pressed: bool


def diff_json(
    connection: Connection,
    portals: Mapping[str, Portal],
    therapist_id: str,
    answered: Answered,
    found: Sequence[SlotDifference],
    stored: Mapping[str, Link],
) -> dict[str, Any]:
    """`{id, portal, portal_state, portal_message, name, contact_id, contact_url, asked_at, seen_from, complete,
    ask_again_in_s, message, differing, to_be_written, records: [{slot, state, …, properties: [{name, hubspot,
    submitted, …}]}]}`

    `complete` is true when HubSpot answered for everything. `stored` are the links as the last round left them.
    """
    row = connection.execute(select(therapists).where(therapists.c.id == therapist_id)).one()
    standing = standing_of(connection, portals, row.portal)
    pages = pages_of(connection, row.portal)
    records = [_record(portals.get(row.portal), pages, each, stored.get(each.slot)) for each in found]
    properties = [each for slot in found for each in slot.properties]
    return {
        "id": row.id,
        "portal": row.portal,
        "portal_state": standing.state.value,
        "portal_message": standing.message,
        "name": row.name,
        "contact_id": answered.contact_id,
        "contact_url": pages.contact(answered.contact_id),
        "asked_at": say_time(answered.asked_at),
        "seen_from": "sync_now" if answered.pressed else "next_round",
        "complete": not answered.problem and all(each.unread is None for each in found),
        "ask_again_in_s": answered.ask_again_in_s,
        "reason": answered.contact_reason.value,
        "message": answered.problem or sentence(answered.contact_reason),
        "differing": sum(each.differs is True for each in properties),
        "to_be_written": sum(each.will_be_written for each in properties),
        "records": records,
    }


def refusals_of(connection: Connection, therapist_id: str) -> dict[int, dict[str, PropertyFault]]:
    """What HubSpot said of each property it refused, by write id and name."""
    query = select(writes.c.id, writes.c.properties).where(writes.c.therapist_id == therapist_id)
    return {
        row.id: {
            each["name"]: PropertyFault(each["name"], each["code"], each["message"])
            for each in row.properties
            if each["state"] == "refused"
        }
        for row in connection.execute(query)
    }


def _record(
    portal: Portal | None, pages: Pages, found: SlotDifference, stored: Link | None
) -> dict[str, Any]:
    rule = portal.slot_rule(found.slot) if portal is not None else None
    object_key = rule.object if rule is not None else None
    link, unread = found.link, found.unread
    return {
        "slot": found.slot,
        "state": link.state.value if link is not None else AWAITED,
        "reason": found.reason.value,
        "message": sentence(found.reason),
        "awaited": link.awaited if link is not None else found.slot == DEFINITIVE,
        "record_id": found.record_id,
        "record_url": pages.record(object_key, found.record_id),
        "stored_record_id": stored.record_id if stored is not None else None,
        "candidates": [
            {"record_id": each, "record_url": pages.record(object_key, each)}
            for each in (link.candidates if link is not None else ())
        ],
        "readable": unread is None,
        "not_read": None if unread is None else {"code": unread.code, "message": unread.message},
        "will_be_written": any(each.will_be_written for each in found.properties),
        "properties": [_property(each) for each in found.properties],
    }


def _property(found: PropertyDifference) -> dict[str, Any]:
    return {
        "name": found.name,
        "hubspot": found.hubspot,
        "submitted": found.submitted,
        "clears": found.clears,
        "differs": found.differs,
        "will_be_written": found.will_be_written,
        "why": found.why.value,
        "reason": found.reason.value if found.why in (Why.WAITING, Why.HELD) else "",
        "code": found.code,
        "message": found.message,
    }
