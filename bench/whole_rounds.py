"""How much of HubSpot's ceiling whole rounds use: what was taken in is claimed, looked up, decided, written and recorded.

A real service on a database in which everybody has signed up and submitted, and a sandbox that holds the rolling window
of HubSpot's real limits, at real speed. Measured from the first update that reached the sandbox to the last.
"""

from __future__ import annotations

import time
from itertools import islice

from sqlalchemy import func, select

from bench.ground import Ground, ground
from bench.judge import Judge
from bench.one_round import apply_all, new_database
from bench.portal import SLOTS, Applicant
from bench.processes import BenchFailed, Process, Stage, start_service
from bench.throughput import OBJECTS_IN_ALL, Throughput, fullest
from credsync.core.states import TherapistState
from credsync.store.database import Database
from credsync.store.tables import therapists

WHAT = "the same in whole rounds, from what was taken in to what is recorded"
UPDATE = "objects batch/update"
_TOGETHER = 1_000
_STALLS_AFTER = 60.0
"""Seconds without a write after which the measure gives up."""
_LOOKED_AT = 100
"""Contacts of which every value is compared."""


def measure(objects: int = OBJECTS_IN_ALL) -> Throughput:
    """Three records each of as many therapists as that takes, every record once."""
    with ground(writes=len(SLOTS)) as on:
        people = dict(enumerate(on.judge.make_contacts(objects // len(SLOTS))))
        with new_database(on.folder) as database:
            numbers = iter(people)
            while some := list(islice(numbers, _TOGETHER)):
                apply_all(database, on.portal, {number: people[number] for number in some})
            since = on.judge.last_call()
            with start_service(on.folder, on.sandbox, {}) as running:
                found = _measure_on(running, on, len(people), since)
            settled = _in_sync(database)
        if settled != len(people):
            raise BenchFailed(f"{settled:,} of {len(people):,} therapists are in sync")
        _compare(on.judge, people)
        return found


def _measure_on(running: Stage, on: Ground, count: int, since: int) -> Throughput:
    wanted = count * len(SLOTS)
    sampled = _until_written(running.service, on, wanted)
    moments, calls = on.judge.moments(since, UPDATE), on.judge.calls(since)
    return Throughput(
        objects=wanted,
        written=on.judge.progress()[0],
        seconds=moments[-1] - moments[0],
        calls=calls.total,
        refused=calls.refused,
        most_in_a_window=fullest(moments),
        service_cpu=sampled[0],
        sandbox_cpu=sampled[1],
    )


def _until_written(service: Process, on: Ground, wanted: int) -> tuple[float, float]:
    """Processor seconds of service and sandbox from the first write to the last."""
    written, moved = 0, time.monotonic()
    before: tuple[float, float] | None = None
    while written < wanted:
        service.check()
        now, _ = on.judge.progress()
        if now > written:
            written, moved = now, time.monotonic()
            before = before or (service.cpu_seconds(), on.sandbox.cpu_seconds())
        elif time.monotonic() - moved > _STALLS_AFTER:
            raise BenchFailed(f"{written:,} of {wanted:,} written, and no more for {_STALLS_AFTER:g} s")
        service.wait(0.5)
    before = before or (0.0, 0.0)
    used = service.cpu_seconds() - before[0], on.sandbox.cpu_seconds() - before[1]
    service.wait(2.0)
    return used


def _in_sync(database: Database) -> int:
    in_sync = therapists.c.state == TherapistState.IN_SYNC.value
    with database.read() as connection:
        return int(connection.execute(select(func.count()).where(in_sync)).scalar_one())


def _compare(judge: Judge, people: dict[int, str]) -> None:
    """Every value of some, evenly chosen."""
    some = list(people)[:: max(1, len(people) // _LOOKED_AT)]
    for number in some:
        truth = judge.ask("GET", f"/truth/contacts/{people[number]}")
        expected = Applicant(number).expected(len(SLOTS))
        held = {record["made_for"]: record["properties"] for record in truth["records"]}
        for slot, values in expected.items():
            if any(held[slot].get(name) != value for name, value in values.items()):
                raise BenchFailed(f"contact {people[number]} holds other values in {slot}")
