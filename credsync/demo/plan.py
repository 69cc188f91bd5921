"""Who signs up when, and when each submits. Spans are seconds of HubSpot's time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from credsync.demo.old_way import CASES, LOOKED_AFTER
from credsync.demo.people import NO_OPTION, Person, invent

WORKFLOW = "lognormal:90s:0.6"
"""How late everybody's records come but the four's: median 90 s, as the sandbox reads it."""
CASE_SUBMITS = LOOKED_AFTER + 30.0
"""When the four submit: after the old way's look, before any of their records came."""


class Kind(StrEnum):
    """What happens to somebody besides a workflow that comes late; the value is the line's name."""

    PLAIN = "Plain"
    EXTENDED = "Extended Sign Ups"
    HELD = "Older than a sign-up"
    RELOCATION = "Relocations"
    LICENCES = "Licences in two states"
    TWO_RECORDS = "Two records in one slot"
    BAD_VALUE = "Bad values"
    NEVER = "Never come"


SIGN_UP_AGAIN = frozenset({Kind.EXTENDED, Kind.HELD})
"""Whose second sign-up moves the label to a second Credentialing."""
_ONE_MORE = SIGN_UP_AGAIN | {Kind.LICENCES, Kind.TWO_RECORDS}


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
    kind: Kind = Kind.PLAIN

    @property
    def records(self) -> int:
        """How many records there will be: both Credentialings come to everybody, whichever is written."""
        if self.kind is Kind.NEVER:
            return 1
        return len(self.person.slots) + 1 + (self.kind in _ONE_MORE)

    @property
    def writes(self) -> int:
        """How many writes there will be."""
        match self.kind:
            case Kind.NEVER | Kind.TWO_RECORDS:
                return 1
            case Kind.EXTENDED:
                return len(self.person.slots) + 1
            case _:
                return len(self.person.slots)


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


def the_stories(seed: int) -> list[Part]:
    """Two or three therapists for each story; those whose records never come sign up first."""
    chance = Random(f"stories {seed}")  # noqa: S311 - made-up people, not a secret

    def parts(
        kind: Kind, number: int, workflow: float | None = None, states: tuple[str, ...] = ()
    ) -> list[Part]:
        made = []
        for each in range(1, number + 1):
            moving = kind is Kind.RELOCATION
            person = invent(f"{kind.name[0]}{each}", chance, moving=moving, states=states)
            if kind is Kind.BAD_VALUE:
                person = replace(person, medicare=NO_OPTION)
            at = 0.0 if kind is Kind.NEVER else chance.uniform(0, 30)
            late = kind in (Kind.TWO_RECORDS, Kind.LICENCES)
            made.append(Part(person, at, chance.uniform(5, 30), late, workflow, kind))
        return made

    return [
        *parts(Kind.EXTENDED, 3, workflow=30.0),
        *parts(Kind.HELD, 2, workflow=30.0),
        *parts(Kind.RELOCATION, 3),
        *parts(Kind.LICENCES, 3, states=("NY", "CA")),
        *parts(Kind.TWO_RECORDS, 2),
        *parts(Kind.BAD_VALUE, 3),
        *parts(Kind.NEVER, 2),
    ]
