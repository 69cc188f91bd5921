"""One record in a hundred holds a bad value, half of them such that nobody can know before sending: calls and losses.

The sandbox refuses a batch as HubSpot does, in the worst plausible form: it names neither value nor property. Beside
it, in the same run, the same applicants over HubSpot's own Python client, with a refused batch halved by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.by_hand import Said, Update, record_ids, sdk_in_batches
from bench.ground import ground
from bench.judge import Calls, Judge
from bench.portal import CREDENTIALING, LICENSE, OBJECTS, SLOTS, Applicant
from bench.processes import BenchFailed, Stage, start_service
from bench.report import Row, times
from bench.service import connected

WRITES = 2
EVERY = 100
"""One record of so many is bad."""
MOST_CALLS = 300
BEST_PEER = 1_765
"""Calls of the best other tool that was measured, for 1,000 records."""
DONE_WITHIN = 120.0
SANDBOX_SPEED = 100.0
_TOO_LONG = "x" * 90
_RULES = [
    {"ruleType": "MAX_LENGTH", "ruleArguments": ["80"]},
    {"ruleType": "REGEX", "ruleArguments": ["[^#]*"], "unpublished": True},
]
BAD_PROPERTY = {CREDENTIALING: "bio", LICENSE: "license_number"}


@dataclass(frozen=True, slots=True)
class Poisoned(Applicant):
    """An applicant one of whose values HubSpot does not take, in the record of `bad_in`, or none (an empty one)."""

    bad_in: str = ""
    untold: bool = False
    """Whether the rule it breaks is told by no call."""

    @property
    def bad_value(self) -> str:
        """Another for everybody."""
        return f"No. {self.number} #" if self.untold else f"No. {self.number} {_TOO_LONG}"

    def application(self) -> dict[str, Any]:
        """As any other's, but for the one value."""
        told = Applicant.application(self)
        if self.bad_in == CREDENTIALING:
            told["practice_preferences"]["bio"] = self.bad_value
        elif self.bad_in == LICENSE:
            told["custom"]["license_number"] = self.bad_value
        return told

    def submitted(self) -> dict[str, dict[str, str]]:
        """What was submitted for each written slot, the bad value included."""
        told = Applicant.expected(self, WRITES)
        if self.bad_in:
            told[self.bad_in][BAD_PROPERTY[self.bad_in]] = self.bad_value
        return told


def people_of(first: int, count: int) -> list[Poisoned]:
    """One record in a hundred of each type is bad, of these every other untold; never two of one applicant."""
    people = []
    for number in range(count):
        place, batch = number % EVERY, number // EVERY
        bad_in = {13 + batch: CREDENTIALING, 57 + batch: LICENSE}.get(place, "")
        people.append(Poisoned(first + number, bad_in=bad_in, untold=batch % 2 == 0))
    return people


@dataclass(slots=True)
class Side:
    """What one side did. `named` are the bad values it could name; `lost` good values that are not there."""

    calls: Calls
    named: int = 0
    lost: int = 0
    wrong: int = 0
    """Bad values that got in, or good properties that were called bad."""


@dataclass(frozen=True, slots=True)
class Poison:
    """Both sides."""

    therapists: int
    bad: int
    ours: Side
    by_hand: Side
    tells: str = "nothing"
    seconds: float = field(default=0.0, compare=False)


def measure(
    therapists: int = 1_000, settings: Mapping[str, str] | None = None, tells: str = "nothing"
) -> Poison:
    """Run both sides in one sandbox; `tells` is how much a refusal says (`all`, `names`, `nothing`)."""
    with ground(writes=WRITES, speed=SANDBOX_SPEED) as on:
        for slot, name in BAD_PROPERTY.items():
            on.judge.ask("PUT", "/validations", {"object": OBJECTS[slot], "property": name, "rules": _RULES})
        with start_service(on.folder, on.sandbox, settings or {}) as running:
            return asyncio.run(measure_on(running, on.judge, therapists, tells))


async def measure_on(on: Stage, judge: Judge, therapists: int, tells: str = "nothing") -> Poison:
    """Both sides on a fresh stage, whose rules were set before the service started."""
    judge.ask("PUT", "/settings", {"refusals_tell": tells})
    contacts = judge.make_contacts(therapists)
    people = dict(zip(contacts, people_of(1, therapists), strict=True))
    bad = sum(1 for each in people.values() if each.bad_in)
    async with connected(on) as service:
        await service.pause()
        await service.apply_all((applicant, contact) for contact, applicant in people.items())
        since, began = judge.last_call(), time.monotonic()
        await service.resume()
        refused = await _until_ended(on, people)
        seconds = time.monotonic() - began
        await asyncio.sleep(3.0)
        ours = Side(judge.calls(since))
    _judge_values(judge, people, ours)
    for applicant in people.values():
        expected = {BAD_PROPERTY[applicant.bad_in]} if applicant.bad_in else set()
        found = refused.get(applicant.id, set())
        ours.named += found == expected != set()
        ours.wrong += len(found - expected)

    contacts = judge.make_contacts(therapists)
    others = dict(zip(contacts, people_of(therapists + 1, therapists), strict=True))
    judge.advance(60.0)
    since = judge.last_call()
    by_hand = await asyncio.to_thread(_by_hand, on.sandbox.url, others)
    theirs = Side(judge.calls(since), named=len(by_hand.named))
    _judge_values(judge, others, theirs)
    return Poison(therapists, bad, ours, theirs, tells, seconds)


async def _until_ended(on: Stage, people: Mapping[str, Poisoned]) -> dict[str, set[str]]:
    """Wait until everybody is written or partial; gives the refused properties of those who are partial."""
    token = {"Authorization": f"Bearer {on.token}"}
    give_up = time.monotonic() + DONE_WITHIN
    bad = sum(1 for each in people.values() if each.bad_in)
    async with httpx2.AsyncClient(
        base_url=on.service.url, headers=token, timeout=60, trust_env=False
    ) as http:
        while True:
            on.service.check()
            partial = await _listed(http, "partial", 500)
            if len(partial) == bad and not await _listed(http, "waiting", 1):
                break
            if time.monotonic() > give_up:
                raise BenchFailed(f"{len(partial)} partial of {bad} after {DONE_WITHIN:g} s")
            await asyncio.sleep(0.3)
        refused = {}
        for each in partial:
            status = (await http.get(f"/v1/therapists/{each}")).raise_for_status().json()
            properties = [p for write in status["writes"] for p in write["properties"]]
            refused[each] = {p["name"] for p in properties if p["state"] == "refused" and p["code"]}
        return refused


async def _listed(http: httpx2.AsyncClient, state: str, limit: int) -> list[str]:
    found = (await http.get(f"/v1/therapists?state={state}&limit={limit}")).raise_for_status().json()
    return [each["id"] for each in found["therapists"]]


def _judge_values(judge: Judge, people: Mapping[str, Poisoned], side: Side) -> None:
    """Every good value there, no bad one in."""
    for contact in judge.ask("GET", "/truth")["contacts"]:
        applicant = people.get(contact["id"])
        for record in contact["records"] if applicant is not None else ():
            assert applicant is not None
            slot = record["made_for"]
            for name, value in applicant.submitted().get(slot, {}).items():
                is_bad = applicant.bad_in == slot and name == BAD_PROPERTY[slot]
                there = record["properties"].get(name) == value
                side.lost += not is_bad and not there
                side.wrong += is_bad and there


def _by_hand(url: str, people: Mapping[str, Poisoned]) -> Said:
    """HubSpot's client: read the associations, write hundreds, halve what is refused."""
    records = record_ids(url, list(people), {slot: OBJECTS[slot] for slot in SLOTS})
    updates = [
        Update(OBJECTS[slot], records[contact][slot], people[contact].submitted()[slot])
        for slot in SLOTS[:WRITES]
        for contact in people
    ]
    return sdk_in_batches(url, updates, SANDBOX_SPEED, halve=True)


def rows(found: Poison) -> list[Row]:
    """The lines of the table."""
    ours, theirs = found.ours, found.by_hand
    told = {
        "all": "refusals name the property",
        "names": "refusals name no rule",
        "nothing": "refusals name nothing",
    }
    total = ours.calls.total
    return [
        Row(
            f"HubSpot calls for {found.therapists:,} therapists, {WRITES} writes each, {found.bad} values bad "
            f"({told[found.tells]})",
            f"{total:,}, {ours.calls.refused} of them refused",
            f"{theirs.calls.total:,} (HubSpot's client, halved by hand; best tool measured: {BEST_PEER:,})",
            times(theirs.calls.total, total),
            f"< {MOST_CALLS}",
            total < MOST_CALLS,
        ),
        Row(
            "  good values that are not written, bad ones not named",
            f"{ours.lost}, {found.bad - ours.named} ({ours.wrong} wrong)",
            f"{theirs.lost}, {found.bad - theirs.named}",
            "",
            "0, 0",
            (ours.lost, ours.named, ours.wrong) == (0, found.bad, 0),
        ),
    ]
