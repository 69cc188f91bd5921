"""What bad values, unknown ids and storms of 429 cost, and what is lost by them, beside two other ways in the same sandbox.

Each way writes records of its own, in the same scenario, one after another; a storm begins anew for each. The sandbox
counts calls and says what the records hold. It runs faster than real time, and its own limit is out of the way, so
that only the faults set here are met. A bad value breaks a rule that no call tells; unknown ids are of deleted records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from bench.by_hand import Said, Update, one_by_one, sdk_in_batches
from bench.judge import Judge
from bench.portal import CREDENTIALING, LICENSE, OBJECTS, Applicant
from bench.processes import Stage, stage
from bench.report import Row, times
from bench.service import Service, connected

THERAPISTS = 300
WRITES = 2
SPEED = 20.0
STORM = 120.0
"""Sandbox seconds of a storm."""
DONE_WITHIN = 1_200.0
"""Sandbox seconds until what is not written counts as lost."""
FIRST = 20_000
LONGEST_BIO = 60
Way = Callable[[str, Sequence[Update], float], Said]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Shares of records with a bad value, of records that are gone, and of calls that a storm refuses."""

    name: str
    bad: float = 0.0
    gone: float = 0.0
    storm: float = 0.0


SCENARIOS = (
    Scenario("all good"),
    Scenario("1 % with a bad value", bad=0.01),
    Scenario("429 to 10 % of calls, 2 min", storm=0.1),
    Scenario("429 to 50 % of calls, 2 min", storm=0.5),
    Scenario("429 to every call, 2 min", storm=1.0),
    Scenario("10 % unknown ids", gone=0.1),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in one scenario. `named` are bad and missing records that it says are so; `written` hold every good value."""

    calls: int
    written: int
    named: int
    lost: int

    def __str__(self) -> str:
        return f"{self.calls:,} / {self.written:,} / {self.named:,} / {self.lost:,}"


@dataclass(frozen=True, slots=True)
class Compared:
    """A scenario and what became of it: ours, one call per record, HubSpot's client."""

    scenario: Scenario
    records: int
    faulty: int
    ours: Outcome
    old: Outcome
    sdk: Outcome


@dataclass(slots=True)
class _Records:
    """One way's own: applicants by contact, what to write, and which of it is bad or gone."""

    people: dict[str, Applicant]
    updates: list[Update]
    bad: set[str]
    gone: set[str]

    @property
    def faulty(self) -> set[str]:
        return self.bad | self.gone


def measure(therapists: int = THERAPISTS, scenarios: Sequence[Scenario] = SCENARIOS) -> list[Compared]:
    """All of them, on one stage."""
    with (
        stage(sandbox_speed=SPEED, speed=SPEED, writes=WRITES) as on,
        closing(Judge(on.sandbox.url)) as judge,
    ):
        return asyncio.run(measure_on(on, judge, therapists, scenarios))


async def measure_on(
    on: Stage, judge: Judge, therapists: int, scenarios: Sequence[Scenario]
) -> list[Compared]:
    """On a stage at this speed."""
    judge.settings({"calls_per_10s": 100_000, "association_calls_per_10s": 100_000})
    judge.forbid_longer(OBJECTS[CREDENTIALING], "bio", LONGEST_BIO)
    found = []
    async with connected(on) as service:
        for place, scenario in enumerate(scenarios):
            first = FIRST + place * therapists
            mine, *others = (_prepare(judge, scenario, first, therapists) for _ in range(3))
            ours = await _ours(on, judge, service, scenario, mine)
            await service.pause()
            await asyncio.sleep(1.0)
            old, sdk = (
                _theirs(on, judge, scenario, records, way)
                for records, way in zip(others, (one_by_one, sdk_in_batches), strict=True)
            )
            found.append(Compared(scenario, len(mine.updates), len(mine.faulty), ours, old, sdk))
    return found


def _prepare(judge: Judge, scenario: Scenario, first: int, therapists: int) -> _Records:
    """Contacts whose records are there; then, in HubSpot, some are deleted."""
    contacts = judge.make_contacts(therapists)
    records = WRITES * therapists
    bad = set(_spread(round(scenario.bad * records), therapists))
    people = {contact: Applicant(first + place, wordy=place in bad) for place, contact in enumerate(contacts)}
    ids = judge.record_ids(contacts)
    updates = [
        Update(OBJECTS[slot], ids[contact][slot], applicant.sends(WRITES)[slot])
        for contact, applicant in people.items()
        for slot in (CREDENTIALING, LICENSE)
    ]
    places = _spread(round(scenario.gone * records), records)
    gone = {updates[place + 1 + number % 2].record_id for number, place in enumerate(places)}
    for record in gone:
        judge.delete(record)
    wordy = {ids[contact][CREDENTIALING] for contact, each in people.items() if each.wordy}
    return _Records(people, updates, wordy, gone)


def _spread(count: int, among: int) -> list[int]:
    """So many places, evenly.

    >>> _spread(3, 10), _spread(0, 10)
    ([0, 3, 6], [])
    """
    return [place * among // count for place in range(count)]


async def _ours(on: Stage, judge: Judge, service: Service, scenario: Scenario, records: _Records) -> Outcome:
    await service.pause()
    await service.apply_all((applicant, contact) for contact, applicant in records.people.items())
    since = _begin(judge, scenario)
    await service.resume()
    give_up = time.monotonic() + DONE_WITHIN / SPEED
    while _lost(judge, records) and time.monotonic() < give_up:
        on.service.check()
        await asyncio.sleep(0.3)
    await asyncio.sleep(1.0)
    named = 0
    for applicant in records.people.values():
        if applicant.wordy:
            named += await service.names_refused(applicant, CREDENTIALING, "bio")
    if records.gone:
        named += sum([await service.waits(each) for each in records.people.values()])
    return _outcome(judge, records, since, named)


def _theirs(on: Stage, judge: Judge, scenario: Scenario, records: _Records, way: Way) -> Outcome:
    since = _begin(judge, scenario)
    said = way(on.sandbox.url, records.updates, SPEED)
    return _outcome(judge, records, since, len(said.named & records.faulty))


def _begin(judge: Judge, scenario: Scenario) -> int:
    judge.no_faults()
    if scenario.storm:
        judge.storm(scenario.storm, STORM)
    return judge.last_call()


def _outcome(judge: Judge, records: _Records, since: int, named: int) -> Outcome:
    calls = judge.calls(since).total
    lost = _lost(judge, records)
    return Outcome(calls, len(records.updates) - len(records.gone) - lost, named, lost)


def _lost(judge: Judge, records: _Records) -> int:
    """Records that are there and lack a good value that was to be written."""
    fates = judge.verdict(records.people, WRITES).fates
    return sum(1 for fate in fates if not fate.right) - len(records.gone)


def rows(found: Sequence[Compared]) -> list[Row]:
    """The lines of the table."""
    told = [
        Row(
            "calls / written / named as bad or gone / lost",
            "ours, looks included",
            "one call per record | HubSpot's client by hand",
        )
    ]
    told += [
        Row(
            f"  {each.scenario.name}: {each.records:,} records, {each.faulty} faulty",
            str(each.ours),
            f"{each.old} | {each.sdk}",
            f"{times(each.old.calls, each.ours.calls)} | {times(each.sdk.calls, each.ours.calls)}",
            f"{each.faulty} named, 0 lost",
            each.ours.lost == 0 and each.ours.named == each.faulty,
        )
        for each in found
    ]
    return told
