"""Keeps which values HubSpot refused, by record and property; never the value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, delete, insert, select

from credsync.core.quarantine import Place, Quarantined
from credsync.store.tables import quarantined_values

_CHUNK = 500
"""Ids in one IN list."""


def quarantined_of(
    connection: Connection, portal: str, therapist_ids: Sequence[str]
) -> dict[str, dict[Place, Quarantined]]:
    """What is quarantined of each of these therapists."""
    found: dict[str, dict[Place, Quarantined]] = defaultdict(dict)
    for start in range(0, len(therapist_ids), _CHUNK):
        query = select(quarantined_values).where(
            quarantined_values.c.portal == portal,
            quarantined_values.c.therapist_id.in_(therapist_ids[start : start + _CHUNK]),
        )
        for row in connection.execute(query):
            place = (row.object, row.record_id, row.property)
            found[row.therapist_id][place] = Quarantined(
                place, row.value_digest, row.definition_digest, row.code, row.message, row.since
            )
    return found


def save_quarantine(
    connection: Connection,
    portal: str,
    made: Iterable[tuple[str, Quarantined]],
    over: Iterable[Place],
) -> None:
    """Keep what is quarantined from now on, each with its therapist's id, and forget what no longer is."""
    rows = [
        {
            "portal": portal,
            "object": each.place[0],
            "record_id": each.place[1],
            "property": each.place[2],
            "therapist_id": therapist_id,
            "value_digest": each.value_digest,
            "definition_digest": each.definition_digest,
            "code": each.code,
            "message": each.message,
            "since": each.since,
        }
        for therapist_id, each in made
    ]
    table = quarantined_values.c
    for object_key, record_id, name in sorted({*over, *(each.place for _, each in made)}):
        connection.execute(
            delete(quarantined_values).where(
                and_(
                    table.portal == portal,
                    table.object == object_key,
                    table.record_id == record_id,
                    table.property == name,
                )
            )
        )
    if rows:
        connection.execute(insert(quarantined_values), rows)
