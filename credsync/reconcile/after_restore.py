"""Compares with HubSpot what a restored backup holds back. Nothing is asked where nothing is held for that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.objects import Reading, batch_read
from credsync.reconcile.apply import RecordKey
from credsync.reconcile.turn import TurnInProgress


async def compare_held(edge: Edge, names: Names, turns: Sequence[TurnInProgress], now: datetime) -> None:
    """Read the records of held writes, 100 a call, and let every turn settle its own."""
    asking = [turn for turn in turns if turn.to_compare]
    wanted: dict[str, set[str]] = defaultdict(set)
    ids: dict[str, set[str]] = defaultdict(set)
    for outgoing in (each for turn in asking for each in turn.to_compare):
        wanted[outgoing.object_key].update(outgoing.properties)
        ids[outgoing.object_key].add(outgoing.record_id)
    read: dict[RecordKey, Reading] = {}
    for key in sorted(ids):
        found = await batch_read(edge.client, names.type_id(key), sorted(ids[key]), sorted(wanted[key]))
        read.update({(key, record_id): reading for record_id, reading in found.items()})
    for turn in asking:
        turn.compare(read, now)
