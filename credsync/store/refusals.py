"""Which properties of whom HubSpot refused and nothing has answered since: kept as levels, so that counting is cheap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Select, and_, delete, func, select

from credsync.core.alerts import AlertKind, Cause, Holding
from credsync.core.portal import Portal
from credsync.core.states import telling_writes
from credsync.core.writes import Write, WriteState
from credsync.store.database import insert
from credsync.store.tables import refusals

Refused = frozenset[tuple[str, str]]
"""(object key, property); an empty property where HubSpot refused the record and named none."""

_REFUSED = frozenset({WriteState.PARTIAL, WriteState.REFUSED})


@dataclass(frozen=True, slots=True)
class Written:
    """One therapist's writes before and after a turn, oldest first."""

    therapist_id: str
    before: Iterable[Write]
    after: Iterable[Write]


def refused(writes: Iterable[Write], objects: Mapping[str, str]) -> Refused:
    """What is refused as things stand. `objects` maps a slot's rule to its object key; `writes` oldest first."""
    rows = list(writes)
    found: set[tuple[str, str]] = set()
    if not any(write.state in _REFUSED for write in rows):
        return frozenset()
    for write in telling_writes(rows):
        object_key = objects.get(write.slot.split(".", 1)[0])
        if object_key is not None and write.state in _REFUSED:
            found |= {(object_key, name) for name in write.refused or ("",)}
    return frozenset(found)


def save_refusals(
    connection: Connection, portal: str, written: Iterable[Written], objects: Mapping[str, str]
) -> None:
    """Keep what turns changed of it."""
    made, gone = [], []
    for each in written:
        before, after = refused(each.before, objects), refused(each.after, objects)
        made += [_row(portal, each.therapist_id, one) for one in sorted(after - before)]
        gone += [_row(portal, each.therapist_id, one) for one in sorted(before - after)]
    if made:
        connection.execute(insert(connection, refusals).on_conflict_do_nothing(), made)
    for row in gone:
        connection.execute(delete(refusals).where(and_(*(refusals.c[k] == v for k, v in row.items()))))


def refusal_causes(
    connection: Connection, portal: Portal, vanished: Iterable[tuple[str, str]]
) -> dict[Cause, Holding]:
    """One cause per refused property. `vanished` are mapped properties that HubSpot no longer has, hit or not."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    query = (
        select(refusals.c.object, refusals.c.property, func.count())
        .where(refusals.c.portal == portal.name)
        .group_by(refusals.c.object, refusals.c.property)
    )
    for object_key, name, count in connection.execute(query):
        counts[(object_key, name)] = count
    gone = set(vanished)
    return {
        Cause(
            portal.name,
            AlertKind.PROPERTY_VANISHED if each in gone else AlertKind.VALUES_REFUSED,
            each[0],
            property=each[1],
        ): Holding(counts[each])
        for each in sorted(gone | counts.keys())
    }


def refused_beneath(cause: Cause) -> Select[tuple[str]]:
    """The ids of the therapists of whom this property is refused."""
    return select(refusals.c.therapist_id).where(
        refusals.c.portal == cause.portal,
        refusals.c.object == cause.object,
        refusals.c.property == cause.property,
    )


def _row(portal: str, therapist_id: str, what: tuple[str, str]) -> dict[str, str]:
    return {"portal": portal, "object": what[0], "property": what[1], "therapist_id": therapist_id}
