"""Sends: one input per record, batches per object type, a verdict for every record.

What a crash or a broken answer left without a verdict is read back first, and sent again only if it is not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from credsync.core.outgoing import Outgoing
from credsync.core.readback import is_there
from credsync.core.verdicts import Outcome, Verdict, both
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.isolate import update_records
from credsync.hubspot.learnt import Learnt
from credsync.hubspot.objects import Missing, NotRead, RecordInput, batch_read

RecordKey = tuple[str, str]
"""(object key, record id)"""


@dataclass(frozen=True, slots=True)
class Send:
    """One record's input; `doubtful` when it may be there already and must be read back first."""

    outgoing: Outgoing
    doubtful: bool

    @property
    def key(self) -> RecordKey:
        """The record it goes to."""
        return (self.outgoing.object_key, self.outgoing.record_id)


async def apply(edge: Edge, names: Names, sends: Sequence[Send]) -> dict[RecordKey, Verdict]:
    """Put every input on its record. Errors are verdicts; nothing is raised. Each record occurs once in `sends`."""
    by_type: dict[str, list[Send]] = defaultdict(list)
    for send in sends:
        if send.outgoing.properties:
            by_type[send.outgoing.object_key].append(send)
    verdicts: dict[RecordKey, Verdict] = {}
    learnt = Learnt()

    async def one_type(object_key: str, of_type: Sequence[Send]) -> None:
        verdicts.update(await _apply_type(edge, names, object_key, of_type, learnt))

    async with anyio.create_task_group() as tasks:
        for object_key, of_type in by_type.items():
            tasks.start_soon(one_type, object_key, of_type)
    return verdicts


async def _apply_type(
    edge: Edge, names: Names, object_key: str, sends: Sequence[Send], learnt: Learnt
) -> dict[RecordKey, Verdict]:
    verdicts = await _read_back(edge, names, object_key, [s for s in sends if s.doubtful])
    left = [s.outgoing for s in sends if s.key not in verdicts]
    type_id = names.type_id(object_key)
    first = [_input(o, _without_again(o)) for o in left if not o.apart]
    told = await update_records(edge.client, type_id, [each for each in first if each.properties], learnt)
    second = [
        _input(o, _apart(o))
        for o in left
        if o.record_id not in told or told[o.record_id].outcome in (Outcome.WRITTEN, Outcome.PARTIAL)
    ]
    tried = [each for each in second if each.properties]
    for record_id, verdict in (await update_records(edge.client, type_id, tried, learnt, wary=True)).items():
        told[record_id] = both(told[record_id], verdict) if record_id in told else verdict
    verdicts.update({(object_key, record_id): verdict for record_id, verdict in told.items()})
    return verdicts


def _input(outgoing: Outgoing, properties: dict[str, str | None]) -> RecordInput:
    """Some or all of an input, with the stamp that goes along."""
    return RecordInput(outgoing.record_id, outgoing.stamped(properties), stamp=outgoing.stamp)


def _without_again(outgoing: Outgoing) -> dict[str, str | None]:
    return {name: value for name, value in outgoing.properties.items() if name not in outgoing.again}


def _apart(outgoing: Outgoing) -> dict[str, str | None]:
    """What goes after all the others, where it can hurt none of them."""
    return {
        name: value for name, value in outgoing.properties.items() if outgoing.apart or name in outgoing.again
    }


async def _read_back(
    edge: Edge, names: Names, object_key: str, sends: Sequence[Send]
) -> dict[RecordKey, Verdict]:
    """Verdicts for what is there already, is gone, or could not be read; what is missing from it must be sent."""
    if not sends:
        return {}
    wanted = {name for s in sends for name in s.outgoing.properties}
    wanted |= {s.outgoing.stamp.name for s in sends if s.outgoing.stamp is not None}
    ids = [s.outgoing.record_id for s in sends]
    read = await batch_read(edge.client, names.type_id(object_key), ids, sorted(wanted))
    known = names.properties[object_key]
    verdicts: dict[RecordKey, Verdict] = {}
    for send in sends:
        reading = read[send.outgoing.record_id]
        if isinstance(reading, Missing):
            verdicts[send.key] = Verdict(
                Outcome.MISSING, "OBJECT_NOT_FOUND", "HubSpot no longer knows the record"
            )
        elif isinstance(reading, NotRead):
            verdicts[send.key] = Verdict(
                Outcome.UNKNOWN, reading.code, reading.message, scopes=reading.scopes
            )
        elif is_there(send.outgoing, reading.properties, known):
            verdicts[send.key] = Verdict(Outcome.WRITTEN, "read_back", created_at=reading.created_at)
    return verdicts
