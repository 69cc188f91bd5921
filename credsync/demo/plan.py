"""Who signs up when, and when each submits. Spans are seconds of HubSpot's time."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from credsync.demo.old_way import CASES, LOOKED_AFTER
from credsync.demo.people import Person, invent

WORKFLOW = "lognormal:90s:0.6"
"""How late everybody's records come but the four's: median 90 s, as the sandbox reads it."""
CASE_SUBMITS = LOOKED_AFTER + 30.0
"""When the four submit: after the old way's look, before any of their records came."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one person does."""

    person: Person
    signs_up: float
    """After the scene's beginning."""
    submits: float
    """After the sign-up or, with `waits_for_records`, after the records are there."""
    waits_for_records: bool = False
    workflow: float | None = None
    """The records' delay; None leaves it to chance."""


def the_cases(seed: int) -> list[Part]:
    """The four, all at once, each with its real lateness."""
    chance = Random(f"cases {seed}")  # noqa: S311 - made-up people, not a secret
    return [
        Part(invent(name, chance), 0.0, CASE_SUBMITS, workflow=case.delay) for name, case in CASES.items()
    ]


def the_crowd(people: int, minutes: float, seed: int) -> list[Part]:
    """Sign-ups spread over so many minutes; one in six is moving, every other submits before its records exist."""
    chance = Random(f"crowd {seed}")  # noqa: S311 - made-up people, not a secret
    parts = []
    for number, at in enumerate(sorted(chance.uniform(0, minutes * 60) for _ in range(people)), start=1):
        person = invent(f"{number:03}", chance, moving=chance.random() < 1 / 6)
        late = chance.random() < 0.5
        submits = chance.uniform(5, 60) if late else chance.uniform(5, 45)
        parts.append(Part(person, at, submits, waits_for_records=late))
    return parts
