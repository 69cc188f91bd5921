"""How many calls 1,000 therapists cost whose records are there: the floor, counted by the sandbox."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from bench.judge import Calls, Judge, Verdict
from bench.old_way import LOOKS_AFTER, OldClient
from bench.portal import SLOTS, Applicant
from bench.processes import BenchFailed, Stage, stage
from bench.report import Row, times
from bench.service import connected

WRITES = 2
DONE_WITHIN = 60.0
SANDBOX_SPEED = 100.0
"""So that the old way meets no limit: it is counted, not timed."""


def floor(therapists: int) -> int:
    """The fewest calls: an association read per object type and 1,000 contacts, an update per 100 records.

    >>> floor(1_000), floor(30)
    (23, 5)
    """
    return len(SLOTS) * math.ceil(therapists / 1_000) + WRITES * math.ceil(therapists / 100)


@dataclass(frozen=True, slots=True)
class Floor:
    """What was counted, on both sides."""

    therapists: int
    start_up: Calls
    calls: Calls
    verdict: Verdict
    seconds: float
    old_calls: Calls
    old_written: int


def measure(therapists: int = 1_000, settings: Mapping[str, str] | None = None) -> Floor:
    """Run both sides in one sandbox."""
    with (
        stage(sandbox_speed=SANDBOX_SPEED, writes=WRITES, settings=settings) as on,
        closing(Judge(on.sandbox.url)) as judge,
    ):
        return asyncio.run(measure_on(on, judge, therapists))


async def measure_on(on: Stage, judge: Judge, therapists: int) -> Floor:
    """Both sides on a fresh stage."""
    async with connected(on) as service:
        first = Applicant(0)
        contact = judge.make_contacts(1)[0]
        await service.apply(first, contact)
        await _until_written(on, judge, WRITES)
        start_up = judge.calls()

        contacts = judge.make_contacts(therapists)
        people = {contact: Applicant(number) for number, contact in enumerate(contacts, 1)}
        await service.pause()
        await service.apply_all((applicant, contact) for contact, applicant in people.items())
        since = judge.last_call()
        began = time.monotonic()
        await service.resume()
        await _until_written(on, judge, WRITES * (therapists + 1))
        seconds = time.monotonic() - began
        await asyncio.sleep(1.0)
        calls, verdict = judge.calls(since), judge.verdict(people, WRITES)

    old_contacts = judge.make_contacts(therapists)
    since = judge.last_call()
    judge.advance(LOOKS_AFTER)
    with closing(OldClient(on.sandbox.url)) as old:
        old_written = old.sync_all(
            ((Applicant(number), contact) for number, contact in enumerate(old_contacts, 1)), WRITES
        )
    return Floor(therapists, start_up, calls, verdict, seconds, judge.calls(since), old_written)


@dataclass(frozen=True, slots=True)
class Licences:
    """What was counted where licences are told by a property."""

    therapists: int
    calls: Calls
    verdict: Verdict


def with_reads(therapists: int) -> int:
    """The floor and a read per 100 licences: only their properties say which slot each one holds.

    >>> with_reads(1_000), with_reads(30)
    (33, 6)
    """
    return floor(therapists) + math.ceil(therapists / 100)


def measure_licences(therapists: int = 1_000, settings: Mapping[str, str] | None = None) -> Licences:
    """Our side alone, in a sandbox whose licences have a state instead of a label."""
    with (
        stage(sandbox_speed=SANDBOX_SPEED, writes=WRITES, by_property=True, settings=settings) as on,
        closing(Judge(on.sandbox.url)) as judge,
    ):
        return asyncio.run(measure_licences_on(on, judge, therapists))


async def measure_licences_on(on: Stage, judge: Judge, therapists: int) -> Licences:
    """On a fresh stage with licences told by a property."""
    async with connected(on) as service:
        await service.apply(Applicant(0, by_property=True), judge.make_contacts(1, by_property=True)[0])
        await _until_written(on, judge, WRITES)
        contacts = judge.make_contacts(therapists, by_property=True)
        people = {contact: Applicant(number, by_property=True) for number, contact in enumerate(contacts, 1)}
        await service.pause()
        await service.apply_all((applicant, contact) for contact, applicant in people.items())
        since = judge.last_call()
        await service.resume()
        await _until_written(on, judge, WRITES * (therapists + 1))
        await asyncio.sleep(1.0)
        return Licences(therapists, judge.calls(since), judge.verdict(people, WRITES))


def licence_rows(found: Licences) -> list[Row]:
    """The lines of the table."""
    target, label = with_reads(found.therapists), floor(found.therapists)
    written = len(found.verdict.fates) - found.verdict.lost
    return [
        Row(
            "  the same with licences told by a property",
            f"{found.calls.total:,}",
            f"{label} (told by a label)",
            times(found.calls.total, label),
            f"{target}",
            found.calls.total == target,
        ),
        Row(
            "  of them written, exactly once, with the right values",
            f"{written:,} of {WRITES * found.therapists:,}",
            "",
            "",
            "all",
            found.verdict.exact and len(found.verdict.fates) == WRITES * found.therapists,
        ),
    ]


async def _until_written(on: Stage, judge: Judge, writes: int) -> None:
    give_up = time.monotonic() + DONE_WITHIN
    while judge.progress()[0] < writes:
        on.service.check()
        if time.monotonic() > give_up:
            raise BenchFailed(f"{judge.progress()[0]} of {writes} writes after {DONE_WITHIN:g} s")
        await asyncio.sleep(0.2)


def rows(found: Floor) -> list[Row]:
    """The lines of the table."""
    target = floor(found.therapists)
    written = len(found.verdict.fates) - found.verdict.lost
    return [
        Row(
            f"HubSpot calls for {found.therapists:,} therapists, records there, {WRITES} writes each",
            f"{found.calls.total:,}",
            f"{found.old_calls.total:,} (one contact at a time)",
            times(found.old_calls.total, found.calls.total),
            f"{target}",
            found.calls.total == target,
        ),
        Row(
            "  of them written, exactly once, with the right values",
            f"{written:,} of {WRITES * found.therapists:,}",
            f"{found.old_written:,}",
            "",
            "all",
            found.verdict.exact and len(found.verdict.fates) == WRITES * found.therapists,
        ),
        Row("  looked up once at start (types, labels, properties, account)", f"{found.start_up.start_up}"),
    ]
