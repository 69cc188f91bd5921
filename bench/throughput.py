"""How much of HubSpot's ceiling the service uses: updates a second under the real limits, at real speed.

The sandbox holds the rolling window of 190 calls in 10 s, of 100 records each: 1,900 objects a second at most. The
service's own client looks the records up and writes them through its governor, as a round does between its two
transactions, in the lane of those who wait. `whole_rounds` measures what a service makes of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio

from bench.ground import ground
from bench.judge import Judge
from bench.portal import ADDRESS, CREDENTIALING, LICENSE, NAME, OBJECTS, SLOTS, Applicant
from bench.processes import BenchFailed, Process
from bench.report import Row
from credsync.app import edge_to
from credsync.core.observations import Seen
from credsync.core.verdicts import Outcome, Verdict
from credsync.hubspot.associations import read_associations
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.isolate import update_records
from credsync.hubspot.objects import RecordInput
from credsync.hubspot.paths import CONTACT_TYPE

OBJECTS_IN_ALL = 120_000
CEILING = 1_900.0
"""190 calls in 10 s of 100 records each."""
TARGET = 1_800.0
LEAST_SECONDS = 60.0
WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was counted from the first update sent to the last one answered."""

    objects: int
    written: int
    """By the sandbox's own count."""
    seconds: float
    calls: int
    refused: int
    most_in_a_window: int
    """Calls in the fullest 10 s."""
    service_cpu: float
    sandbox_cpu: float
    """Processor seconds."""

    @property
    def rate(self) -> float:
        """Objects a second."""
        return self.written / self.seconds


def measure(objects: int = OBJECTS_IN_ALL) -> Throughput:
    """Three records each of as many contacts as that takes, every record once."""
    os.environ.setdefault(f"CREDSYNC_HUBSPOT_TOKEN_{NAME.upper()}", "a-token-of-the-sandbox")
    with ground(writes=len(SLOTS)) as on:
        contacts = on.judge.make_contacts(objects // len(SLOTS))
        return anyio.run(_measure_on, edge_to(on.portal), on.sandbox, on.judge, contacts)


async def _measure_on(edge: Edge, sandbox: Process, judge: Judge, contacts: Sequence[str]) -> Throughput:
    async with edge.client as client:
        names = await edge.names(datetime.now(UTC))
        types = {slot: names.type_id(OBJECTS[slot]) for slot in (CREDENTIALING, LICENSE, ADDRESS)}
        wanted = {slot: await _inputs(client, types[slot], slot, contacts) for slot in types}
        since = await anyio.to_thread.run_sync(judge.last_call)
        verdicts: list[Verdict] = []

        async def write(slot: str) -> None:
            verdicts.extend((await update_records(client, types[slot], wanted[slot])).values())

        began, cpu, theirs = time.monotonic(), time.process_time(), sandbox.cpu_seconds()
        async with anyio.create_task_group() as tasks:
            for slot in wanted:
                tasks.start_soon(write, slot)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        theirs = sandbox.cpu_seconds() - theirs
    calls, moments = judge.calls(since), judge.moments(since)
    lacking = [each for each in verdicts if each.outcome is not Outcome.WRITTEN]
    if lacking:
        raise BenchFailed(f"{len(lacking)} records were not written; the first: {lacking[0].message}")
    return Throughput(
        objects=sum(map(len, wanted.values())),
        written=judge.progress()[0],
        seconds=seconds,
        calls=calls.total,
        refused=calls.refused,
        most_in_a_window=fullest(moments),
        service_cpu=cpu,
        sandbox_cpu=theirs,
    )


async def _inputs(
    client: HubSpotClient, type_id: str, slot: str, contacts: Sequence[str]
) -> list[RecordInput]:
    """What to write on each contact's record of this type, found as a round finds it."""
    seen = await read_associations(client, CONTACT_TYPE, type_id, contacts)
    inputs = []
    for number, contact in enumerate(contacts):
        sight = seen[contact]
        if not isinstance(sight, Seen) or len(sight.associations) != 1:
            raise BenchFailed(f"no single {slot} hangs on contact {contact}")
        record = sight.associations[0].record_id
        inputs.append(RecordInput(record, Applicant(number).expected(len(SLOTS))[slot]))
    return inputs


def fullest(moments: Sequence[float], window: float = WINDOW) -> int:
    """The most moments in any such span.

    >>> fullest([0, 1, 9.9, 10, 11], 10)
    3
    """
    most = first = 0
    for last, at in enumerate(moments):
        while at - moments[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def rows(found: Throughput, what: str = "objects written a second under the real limits") -> list[Row]:
    """The lines of the table."""
    return [
        Row(
            f"{what}, {found.written:,} in {found.seconds:.1f} s",
            f"{found.rate:,.0f}",
            f"{CEILING:,.0f} (HubSpot's ceiling)",
            f"{found.rate / CEILING:.1%} of it",
            f">= {TARGET:,.0f}",
            found.rate >= TARGET and found.written >= found.objects and found.seconds >= LEAST_SECONDS,
        ),
        Row(
            "  of its calls refused (429)",
            f"{found.refused} of {found.calls:,}",
            "",
            "",
            "0",
            found.refused == 0,
        ),
        Row("  most calls in any 10 s", f"{found.most_in_a_window}", "190 (the limit)"),
        Row(
            "  processor share: service; sandbox",
            f"{found.service_cpu / found.seconds:.0%}; {found.sandbox_cpu / found.seconds:.0%} of a core",
        ),
    ]
