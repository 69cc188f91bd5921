"""Asks HubSpot when found records were created, where no answer has told it yet. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import anyio
import anyio.to_thread
from sqlalchemy import Connection, select

from credsync.core.links import LinkState
from credsync.hubspot.edge import Edge, PortalUnusable
from credsync.hubspot.objects import Record, batch_read
from credsync.operate.live import Live
from credsync.settings import SettingsError
from credsync.store.database import Database
from credsync.store.delays import keep_creation_times
from credsync.store.known import known_therapist
from credsync.store.tables import links

_Found = Mapping[str, str]
"""Record id by slot."""


async def ask_creation_times(live: Live, therapist_id: str, patience: float) -> None:
    """Fill them in for a report, from the reserve. A HubSpot that does not answer in time costs these times alone."""
    known = await live.read(known_therapist, therapist_id)
    if known is None or not await live.read(_unknown, known.portal, therapist_id):
        return
    with anyio.move_on_after(patience), suppress(SettingsError):
        async with live.asking(known.portal, f"created:{therapist_id}", patience) as asking:
            if asking.names is not None:
                await fill_creation_times(asking.edge, live.database, therapist_id)


async def fill_creation_times(edge: Edge, database: Database, therapist_id: str) -> None:
    """Store the creation times that are missing from a therapist's found links: one batch read per object type.

    What HubSpot does not tell stays unknown; nothing is raised for it.
    """
    found = await anyio.to_thread.run_sync(_read, database, edge.portal.name, therapist_id)
    by_object: dict[str, dict[str, str]] = defaultdict(dict)
    for slot, record_id in found.items():
        rule = edge.portal.slot_rule(slot)
        if rule is not None:
            by_object[rule.object][slot] = record_id
    if not by_object:
        return
    try:
        names = await edge.names(database.clock.now())
    except PortalUnusable:
        return
    created: dict[tuple[str, str, str], datetime] = {}
    for object_key, records in by_object.items():
        read = await batch_read(edge.client, names.type_id(object_key), sorted(set(records.values())), ())
        for slot, record_id in records.items():
            reading = read[record_id]
            if isinstance(reading, Record) and reading.created_at is not None:
                created[(therapist_id, slot, record_id)] = reading.created_at
    if created:
        await anyio.to_thread.run_sync(_store, database, edge.portal.name, created)


def _read(database: Database, portal: str, therapist_id: str) -> _Found:
    with database.read() as connection:
        return _unknown(connection, portal, therapist_id)


def _unknown(connection: Connection, portal: str, therapist_id: str) -> _Found:
    query = select(links.c.slot, links.c.record_id).where(
        links.c.therapist_id == therapist_id,
        links.c.portal == portal,
        links.c.state == LinkState.FOUND.value,
        links.c.record_id.is_not(None),
        links.c.record_created_at.is_(None),
    )
    return {row.slot: row.record_id for row in connection.execute(query)}


def _store(database: Database, portal: str, created: Mapping[tuple[str, str, str], datetime]) -> None:
    with database.write() as connection:
        keep_creation_times(connection, portal, created)
