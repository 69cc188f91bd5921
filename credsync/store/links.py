"""Saves links as a round saw them, what they lost, and whose contacts each record was seen under."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Update, and_, bindparam, delete, insert, select, update

from credsync.core.links import Link, LinkHistory, LinkState
from credsync.store.bulk import Bulk
from credsync.store.database import insert as insert_or
from credsync.store.tables import link_history, links, record_claims

Record = tuple[str, str]
"""(object key, record id)"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One therapist's links before and after a look, by slot, and what they lost."""

    therapist_id: str
    before: Mapping[str, Link]
    after: Mapping[str, Link]
    lost: Sequence[LinkHistory] = ()
    weighed: Collection[str] = ()
    """Other therapists who have a record of these, as it was decided."""


def claims_of(connection: Connection, portal: str, records: Iterable[Record]) -> dict[Record, set[str]]:
    """The therapists under whose contacts a slot's record was last seen."""
    by_object: dict[str, list[str]] = defaultdict(list)
    for object_key, record_id in records:
        by_object[object_key].append(record_id)
    claims: dict[Record, set[str]] = defaultdict(set)
    for object_key, ids in by_object.items():
        for start in range(0, len(ids), 500):
            query = select(record_claims.c.record_id, record_claims.c.therapist_id).where(
                record_claims.c.portal == portal,
                record_claims.c.object == object_key,
                record_claims.c.record_id.in_(ids[start : start + 500]),
            )
            for record_id, therapist_id in connection.execute(query):
                claims[(object_key, record_id)].add(therapist_id)
    return claims


def found_by_others(
    connection: Connection,
    portal: str,
    seen: Sequence[Seen],
    objects: Mapping[str, str],
    weighed: Collection[str] = (),
) -> set[str]:
    """The therapists of these who found a record that another has by now, `weighed` neither by them all nor by them."""
    found = {each.therapist_id: _found(each, objects) for each in seen}
    claims = claims_of(connection, portal, set().union(*found.values()))
    return {
        each.therapist_id
        for each in seen
        for record in found[each.therapist_id]
        if claims[record] - {each.therapist_id, *each.weighed} - set(weighed)
    }


def _found(seen: Seen, objects: Mapping[str, str]) -> set[Record]:
    """The records that were linked by this look."""
    return {
        (objects[slot.split(".", 1)[0]], link.record_id)
        for slot, link in seen.after.items()
        if link.state is LinkState.FOUND
        and link.record_id is not None
        and slot.split(".", 1)[0] in objects
        and (slot not in seen.before or seen.before[slot].record_id != link.record_id)
    }


def save_links(connection: Connection, portal: str, seen: Sequence[Seen], objects: Mapping[str, str]) -> None:
    """Store links as they now are, what they lost, and the claims on their records.

    `objects` maps a slot's rule to its object key.
    """
    _save_links(connection, portal, seen)
    _save_claims(connection, portal, seen, objects)
    history = [_history_row(each.therapist_id, lost) for each in seen for lost in each.lost]
    if history:
        connection.execute(insert(link_history), history)


_COLUMNS = [c.name for c in links.c if c.name not in ("therapist_id", "portal", "slot")]


_OF_THE_RECORD = ("record_created_at", "measured_from")
"""What others may have stored meanwhile of the record that a link had: another's is not known yet."""


def _change(names: Sequence[str]) -> Update:
    mine = (links.c.therapist_id == bindparam("for_therapist")) & (links.c.slot == bindparam("for_slot"))
    return update(links).where(mine).values({name: bindparam(name) for name in names if name in _COLUMNS})


_INSERT = Bulk(lambda _names: insert(links))
_CHANGE = Bulk(_change)


def _stored(name: str, value: Any) -> Any:
    """An attribute of a link as its column takes it."""
    if name in ("state", "reason"):
        return value.value
    return list(value) if name == "candidates" else value


def _save_links(connection: Connection, portal: str, seen: Sequence[Seen]) -> None:
    """Of a link that is known already, only what has changed: most looks change three of its columns."""
    made: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for each in seen:
        for slot, link in each.after.items():
            old = each.before.get(slot)
            if old is link:
                continue
            new = {name: getattr(link, name) for name in _COLUMNS}
            if old is None:
                key = {"therapist_id": each.therapist_id, "slot": slot, "portal": portal}
                made.append({**{name: _stored(name, value) for name, value in new.items()}, **key})
                continue
            anew = _OF_THE_RECORD if old.record_id != link.record_id else ()
            values = {
                name: _stored(name, new[name])
                for name in _COLUMNS
                if getattr(old, name) != new[name] or name in anew
            }
            if values:
                changed.append({**values, "for_therapist": each.therapist_id, "for_slot": slot})
    _INSERT.run(connection, made)
    _CHANGE.run_mixed(connection, changed)


def _claimed(known: Mapping[str, Link], objects: Mapping[str, str]) -> set[Record]:
    return {
        (objects[slot.split(".", 1)[0]], record_id)
        for slot, link in known.items()
        if slot.split(".", 1)[0] in objects
        for record_id in (link.record_id, *link.candidates)
        if record_id is not None
    }


def _save_claims(
    connection: Connection, portal: str, seen: Sequence[Seen], objects: Mapping[str, str]
) -> None:
    made, gone = [], []
    for each in seen:
        before, after = _claimed(each.before, objects), _claimed(each.after, objects)
        made += [_claim_row(portal, record, each.therapist_id) for record in after - before]
        gone += [_claim_row(portal, record, each.therapist_id) for record in before - after]
    if made:
        connection.execute(insert_or(connection, record_claims).on_conflict_do_nothing(), made)
    for row in gone:
        connection.execute(
            delete(record_claims).where(and_(*(record_claims.c[k] == v for k, v in row.items())))
        )


def _claim_row(portal: str, record: Record, therapist_id: str) -> dict[str, str]:
    return {"portal": portal, "object": record[0], "record_id": record[1], "therapist_id": therapist_id}


def _history_row(therapist_id: str, history: LinkHistory) -> dict[str, Any]:
    return {
        "therapist_id": therapist_id,
        "slot": history.slot,
        "record_id": history.record_id,
        "found_at": history.found_at,
        "lost_at": history.lost_at,
        "reason": history.reason.value,
    }
