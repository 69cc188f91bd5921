"""How one therapist stands: every link and write with its reason, and the ids a backend fills its columns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from credsync.core.deadlines import Deadline
from credsync.core.delays import rule_of
from credsync.core.links import Link, LinkState
from credsync.core.phrases import Joined
from credsync.core.portal import ByEach, Portal, id_key, stamp_properties
from credsync.core.reasons import sentence
from credsync.core.stamps import is_on_record, newest_of, say_submission
from credsync.core.states import complete, telling_writes
from credsync.core.writes import Write, WriteState
from credsync.operate.observed import observed_json, observed_writes
from credsync.operate.outlook import Outlook, outlooks, standing_reason, until_the_next_day, will_be_looked_at
from credsync.operate.portal_standing import standing_of
from credsync.operate.record_urls import Pages, pages_of
from credsync.store.clock import say_time
from credsync.store.contacts import shared_contacts
from credsync.store.delays import deadlines_of
from credsync.store.tables import link_history, submissions, therapists, writes

_UNTOLD = frozenset({WriteState.WAITING, WriteState.WRITTEN, WriteState.HELD, WriteState.SUPERSEDED})
"""Of a write in one of these states the last answer of HubSpot says nothing any more."""


def therapist_status(
    connection: Connection, portals: Mapping[str, Portal], therapist_id: str, now: datetime
) -> dict[str, Any] | None:
    """A therapist's status; None for an unknown one.

    `{id, portal, portal_state, portal_message, contact_id, contact_url, name, state, reason, message, state_since,
    next_look_at, contact_shared_with, complete, ids: {slot_id: str | None}, links: [...], writes: [...]}`
    """
    row = connection.execute(select(therapists).where(therapists.c.id == therapist_id)).one_or_none()
    if row is None:
        return None
    portal = portals.get(row.portal)
    standing = standing_of(connection, portals, row.portal)
    pages = pages_of(connection, row.portal)
    outlook = outlooks(connection, portals, [row], now)[row.id]
    goes_on_at = standing.goes_on_at(now)
    if goes_on_at is not None and row.contact_id is not None:
        outlook = until_the_next_day(outlook)
    reason = standing_reason(row, goes_on_at)
    looks = standing.looks and row.contact_id is not None
    shared = shared_contacts(connection, row.portal)
    deadlines = deadlines_of(connection, row.portal)
    unseen = row.generation != row.settled_generation
    past = _history(connection, row.id)
    current = {id(write) for write in telling_writes(outlook.writes)}
    shown = _shown_submissions(connection, portal, row.id, outlook)
    links = [
        {
            **link_json(link, _object_of(portal, link.slot), pages, past.get(link.slot, ())),
            **_overdue_json(deadlines.get(rule_of(link.slot))),
            "shows_submission": shown.get(link.slot),
            "next_look_at": not_before(
                (row.due_at if unseen else link.next_look_at)
                if looks and will_be_looked_at(link, outlook.writes)
                else None,
                goes_on_at,
            ),
        }
        for link in in_file_order(portal, outlook.links)
    ]
    rows = _write_rows(connection, row.id)
    observed = observed_writes(connection, portal, row.id, outlook)
    return {
        "id": row.id,
        "portal": row.portal,
        "portal_state": standing.state.value,
        "portal_message": standing.message,
        "contact_id": row.contact_id,
        "contact_url": pages.contact(row.contact_id),
        "name": row.name,
        "state": row.state,
        "reason": reason.value,
        "message": sentence(reason),
        "contact_shared_with": sorted(
            shared.get(row.merged_contact_id or row.contact_id or "", frozenset()) - {row.id}
        ),
        "state_since": say_time(row.state_since),
        "next_look_at": not_before(row.due_at if looks else None, goes_on_at),
        "complete": complete(outlook.links),
        "ids": ids_of(portal, outlook.links),
        "links": links,
        "writes": [
            write_json(
                write, rows.get(write.id), pages.record(_object_of(portal, write.slot), write.record_id)
            )
            | {"current": id(write) in current}
            | observed_json(observed.get(index), pages)
            for index, write in enumerate(outlook.writes)
        ],
    }


def not_before(at: datetime | None, goes_on_at: datetime | None) -> str | None:
    """A next look as the API says it: no sooner than rounds go on."""
    return time_or_none(at if at is None or goes_on_at is None else max(at, goes_on_at))


def time_or_none(at: datetime | None) -> str | None:
    """A moment as the API says it."""
    return None if at is None else say_time(at)


def ids_of(portal: Portal | None, links: Mapping[str, Link]) -> dict[str, str | None]:
    """The record id of every slot of the portal file, null while it is not found; a slot per value once it has a link."""
    rules = portal.slots.values() if portal is not None else ()
    slots = [rule.key for rule in rules if not isinstance(rule.marker, ByEach)]
    slots += [link.slot for link in in_file_order(portal, links) if link.slot not in slots]
    found = {slot: link.record_id for slot, link in links.items() if link.state is LinkState.FOUND}
    return {id_key(slot): found.get(slot) for slot in slots}


def in_file_order(portal: Portal | None, links: Mapping[str, Link]) -> list[Link]:
    """Links in the order of the portal file's slots, instances of one by name, those of no slot last."""
    order = {key: place for place, key in enumerate(portal.slots if portal is not None else ())}
    return sorted(
        links.values(), key=lambda link: (order.get(link.slot.split(".", 1)[0], len(order)), link.slot)
    )


def _object_of(portal: Portal | None, slot: str) -> str | None:
    rule = portal.slot_rule(slot) if portal is not None else None
    return rule.object if rule is not None else None


def link_json(
    link: Link, object_key: str | None, pages: Pages, history: Sequence[Row[Any]]
) -> dict[str, Any]:
    """A link without `next_look_at`, which depends on more than the link.

    `lateness_s` is how long after the first miss the record was created; null where either is unknown.
    """
    late = None
    if link.first_missed_at is not None and link.record_created_at is not None:
        late = max(0.0, round((link.record_created_at - link.first_missed_at).total_seconds(), 6))
    return {
        "slot": link.slot,
        "state": link.state.value,
        "reason": link.reason.value,
        "message": sentence(link.reason),
        "awaited": link.awaited,
        "record_id": link.record_id,
        "record_url": pages.record(object_key, link.record_id),
        "candidates": [
            {"record_id": id_, "record_url": pages.record(object_key, id_)} for id_ in link.candidates
        ],
        "awaited_since": say_time(link.awaited_since),
        "first_missed_at": time_or_none(link.first_missed_at),
        "last_looked_at": time_or_none(link.last_looked_at),
        "looks": link.looks,
        "found_at": time_or_none(link.found_at),
        "record_created_at": time_or_none(link.record_created_at),
        "lateness_s": late,
        "overdue_since": time_or_none(link.overdue_since),
        "doubtful_since": time_or_none(link.doubtful_since),
        "history": [
            {
                "record_id": past.record_id,
                "record_url": pages.record(object_key, past.record_id),
                "found_at": time_or_none(past.found_at),
                "lost_at": say_time(past.lost_at),
                "reason": past.reason,
                "message": sentence(past.reason),
            }
            for past in history
        ],
    }


def _shown_submissions(
    connection: Connection, portal: Portal | None, therapist_id: str, outlook: Outlook
) -> dict[str, str]:
    """By slot, the newest submission that was written to its record, where records of its object bear a stamp."""
    if portal is None or not stamp_properties(portal):
        return {}
    age = select(submissions.c.id, submissions.c.occurred_at).where(
        submissions.c.therapist_id == therapist_id
    )
    ages = {row.id: (row.occurred_at, row.id) for row in connection.execute(age)}
    shown: dict[str, str] = {}
    for link in outlook.links.values():
        key = _object_of(portal, link.slot)
        if key is not None and portal.objects[key].stamp is not None:
            on_it = [w for w in outlook.writes if is_on_record(portal, w, key, link.record_id)]
            newest = newest_of(on_it, ages)
            shown |= {} if newest is None else {link.slot: say_submission(newest)}
    return shown


def _overdue_json(deadline: Deadline | None) -> dict[str, Any]:
    """When a wait for the slot is overdue, and why then; null before a round has judged it."""
    return {
        "overdue_after_s": None if deadline is None else round(deadline.after.total_seconds(), 3),
        "overdue_message": None if deadline is None else deadline.sentence,
    }


def write_json(write: Write, row: Row[Any] | None, record_url: str | None) -> dict[str, Any]:
    """A write; `row` holds its verdict, None before a round has stored it."""
    message = sentence(write.reason)
    if row is not None and row.message and write.state not in _UNTOLD:
        message = Joined([message, f"({row.message})"])
    return {
        "form": write.form,
        "slot": write.slot,
        "rule": write.rule,
        "cause": write.cause.value,
        "record_id": write.record_id,
        "record_url": record_url,
        "state": write.state.value,
        "reason": write.reason.value,
        "message": message,
        "submitted_at": say_time(write.submitted_at),
        "sent_at": time_or_none(write.sent_at),
        "written_at": time_or_none(row.written_at if row is not None else None),
        "attempts": write.attempts,
        "properties": [_property(each) for each in (row.properties if row is not None else ())],
        "correlation_ids": [str(each) for each in (row.correlation_ids if row is not None else ())],
    }


def _property(told: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(told.get(key, "")) for key in ("name", "state", "code", "message")}


def _history(connection: Connection, therapist_id: str) -> dict[str, list[Row[Any]]]:
    query = (
        select(link_history).where(link_history.c.therapist_id == therapist_id).order_by(link_history.c.id)
    )
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.slot, []).append(row)
    return found


def _write_rows(connection: Connection, therapist_id: str) -> dict[int | None, Row[Any]]:
    query = select(writes).where(writes.c.therapist_id == therapist_id)
    return {row.id: row for row in connection.execute(query)}
