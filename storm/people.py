"""One therapist's life in the storm: sign-up, submissions, Sync now and Extended Sign Ups in any order."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import anyio

from storm.callers import Callers, uuid_of
from storm.hubspot_side import Control, HubSpotSide


class People:
    """The therapists of one seed, and what HubSpot's side does to their records meanwhile."""

    def __init__(self, seed: int, callers: Callers, hubspot: HubSpotSide, control: Control) -> None:
        self._seed = seed
        self._say = callers
        self._hubspot = hubspot
        self._control = control
        self.therapists: list[str] = []
        self.unfinished: dict[str, str] = {}
        """Of whom something is left undone on purpose, and why."""

    async def live(self, number: int) -> None:
        """From sign-up to the last submission of the storm."""
        chance = Random(f"life {self._seed} {number}")
        therapist, say = uuid_of(number), self._say
        self.therapists.append(therapist)
        await anyio.sleep(chance.uniform(0, 50))
        moving = chance.random() < 0.3
        states = tuple(chance.sample(["NY", "CA", "TX"], chance.choice((0, 1, 2))))
        never = {"never": ["therapist_address"]} if chance.random() < 0.1 else {}
        apart = {"link_delay": f"{chance.randint(1, 60)}s"} if chance.random() < 0.2 else {}
        made = await self._control(
            "POST", "/_sandbox/contacts", licenses=list(states), moving=moving, **never, **apart
        )
        contact = str(made["id"])
        bad = chance.random() < 0.1
        if bad:
            self.unfinished[therapist] = "a value is refused"
        known = contact if chance.random() < 0.9 else None
        first = [
            lambda: say.sign_up(therapist, known, moving=moving),
            lambda: say.submit(therapist, "ca", say.ca(states, bad)),
        ]
        if chance.random() < 0.2:
            first.reverse()
        for step in first:
            step()
            await anyio.sleep(chance.uniform(0, 35))
        say.sign_up(therapist, contact, moving=moving)
        for _ in range(chance.randint(0, 4)):
            await anyio.sleep(chance.uniform(0.2, 60))
            await self._goes_on(therapist, contact, moving, states, bad, chance)

    async def _goes_on(
        self, therapist: str, contact: str, moving: bool, states: tuple[str, ...], bad: bool, chance: Random
    ) -> None:
        say, what = self._say, chance.random()
        if what < 0.25:
            say.submit(therapist, "ca", say.ca(states, bad))
        elif what < 0.35:
            await self._hurry(therapist, states, chance)
        elif what < 0.42:
            say.submit(therapist, "ca", say.ca(states), occurred_at=say.moment(chance.uniform(1, 200)))
        elif what < 0.54:
            say.submit(therapist, "af", say.af())
        elif what < 0.6:
            say.section(therapist)
        elif what < 0.68:
            say.sync(therapist, chance.random() < 0.3)
        elif what < 0.8:
            say.sign_up(therapist, None, kind="extended", moving=moving)
            await self._hubspot.extended(contact, moving, chance)
            if chance.random() < 0.5:
                await anyio.sleep(chance.uniform(0.1, 30))
                say.submit(therapist, "ca", say.ca(states, bad))
        elif what < 0.82:
            say.forbidden(therapist)
        else:
            await self._hubspot.change(contact, chance)

    async def _hurry(self, therapist: str, states: tuple[str, ...], chance: Random) -> None:
        """Again and again, so that a fact comes in the middle of a round."""
        facts: list[Mapping[str, Any]] = [self._say.ca(states) for _ in range(chance.randint(2, 4))]
        for fact in facts:
            self._say.submit(therapist, "ca", fact)
            await anyio.sleep(chance.uniform(0.02, 0.4))
