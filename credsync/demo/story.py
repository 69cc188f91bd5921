"""Plays the parts through the service's API, in time, and waits until nobody waits any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from credsync.core.links import LinkState
from credsync.core.states import TherapistState
from credsync.core.writes import UNFINISHED
from credsync.demo.calls import Json, Sandbox, Service
from credsync.demo.plan import SIGN_UP_AGAIN, Kind, Part
from credsync.demo.processes import DemoFailed, Stage

LONGEST_WORKFLOW = 1_200.0
"""HubSpot's seconds after the last sign-up in which everybody's records must have come."""
OWN_TIME = 20.0
"""Seconds of our clock on top of that for our own work."""
WATCHED_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Played:
    """What a person did, and when; `renewed` is the submission after an Extended Sign Up, or the one it overtook."""

    part: Part
    contact_id: str
    submitted: datetime
    renewed: datetime | None = None


@dataclass(slots=True)
class Progress:
    """How far a scene has come; `whole` is what it comes to."""

    signed_up: int = 0
    submitted: int = 0
    records: int = 0
    written: int = 0


def whole(parts: Sequence[Part]) -> Progress:
    """What a scene comes to."""
    records, writes = sum(part.records for part in parts), sum(part.writes for part in parts)
    return Progress(len(parts), len(parts), records, writes)


def settled(played: Played, status: Json) -> bool:
    """Whether nothing more is to be expected: who waits waits for what never comes, and whatever can go has gone."""
    part, state = played.part, TherapistState(status["state"])
    if part.kind is Kind.NEVER:
        waits = state is not TherapistState.OVERDUE
    else:
        waits = state in (TherapistState.WAITING, TherapistState.OVERDUE)
    rows = len(part.person.slots) + (played.renewed is not None)
    found = {link["slot"] for link in status["links"] if link["state"] == LinkState.FOUND}
    stays = part.kind in (Kind.NEVER, Kind.TWO_RECORDS)
    under_way = [
        row for row in status["writes"] if row["state"] in UNFINISHED and (row["slot"] in found or not stays)
    ]
    return not waits and len(status["writes"]) >= rows and not under_way


class Story:
    """One scene after the other on a running stage."""

    def __init__(self, on: Stage, service: Service, sandbox: Sandbox, speed: float) -> None:
        self._stage = on
        self._service = service
        self._sandbox = sandbox
        self._speed = speed

    async def play(
        self, parts: Sequence[Part], show: Callable[[Progress], None]
    ) -> list[tuple[Played, Json]]:
        """Everybody's part, each with the status the service gives at the end.

        Raises `DemoFailed` when a call fails, a process ends, or the parts take longer than they possibly can.
        """
        began = time.monotonic()
        seconds = (max(part.signs_up for part in parts) + LONGEST_WORKFLOW) / self._speed + OWN_TIME
        progress, played = Progress(), list[Played]()
        seen = await self._sandbox.counts()
        async with anyio.create_task_group() as watching:
            watching.start_soon(self._watch, progress, seen, show)
            with anyio.move_on_after(seconds):
                async with anyio.create_task_group() as acting:
                    for part in parts:
                        acting.start_soon(self._act, part, began, progress, played)
            if len(played) < len(parts):
                raise DemoFailed(f"Only {len(played)} of {len(parts)} had submitted after {seconds:.0f} s.")
            result = [(each, await self._settled(each, began + seconds)) for each in played]
            watching.cancel_scope.cancel()
        await self._count(progress, seen)
        show(progress)
        return sorted(result, key=lambda each: parts.index(each[0].part))

    async def _act(self, part: Part, began: float, progress: Progress, played: list[Played]) -> None:
        await self._until(began + part.signs_up / self._speed)
        person, kind = part.person, part.kind
        never = ("credentialing",) if kind is Kind.NEVER else ()
        made = await self._sandbox.make_contact(person, part.workflow, never)
        signed_up = time.monotonic()
        await self._service.sign_up(person, made.contact_id, datetime.now(UTC))
        progress.signed_up += 1
        wait = part.submits + (made.last_comes if part.waits_for_records else 0.0)
        await self._until(signed_up + wait / self._speed)
        if kind is Kind.TWO_RECORDS:
            await self._sandbox.double(made.contact_id, person.definitive_slot)
        elif kind is Kind.LICENCES:
            await self._sandbox.double(made.contact_id, person.slots[1], made.records[person.other_slot])
        submitted = datetime.now(UTC)
        await self._service.submit(person, submitted)
        progress.submitted += 1
        one = Played(part, made.contact_id, submitted)
        played.append(await self._renewed(one) if kind in SIGN_UP_AGAIN else one)

    async def _renewed(self, played: Played) -> Played:
        """Once all is written they sign up again, the backend moves the label, and they submit again.

        Of those it overtakes, the submission is older than that sign-up but arrives after it.
        """
        person, overtaken = played.part.person, played.part.kind is Kind.HELD
        await self._settled(played, math.inf)
        older = datetime.now(UTC)
        await self._service.extend(person, datetime.now(UTC))
        await self._sandbox.extend(played.contact_id)
        renewed = older if overtaken else datetime.now(UTC)
        await self._service.renew(person, renewed)
        return replace(played, renewed=renewed)

    async def _settled(self, played: Played, latest: float) -> Json:
        while True:
            status = await self._service.status(played.part.person)
            if settled(played, status) or time.monotonic() > latest:
                return status
            await anyio.sleep(0.25)

    async def _watch(
        self, progress: Progress, seen: tuple[int, int], show: Callable[[Progress], None]
    ) -> None:
        while True:
            self._stage.check()
            await self._count(progress, seen)
            show(progress)
            await anyio.sleep(WATCHED_EVERY)

    async def _count(self, progress: Progress, seen: tuple[int, int]) -> None:
        records, written = await self._sandbox.counts()
        progress.records, progress.written = records - seen[0], written - seen[1]

    async def _until(self, at: float) -> None:
        await anyio.sleep(max(0.0, at - time.monotonic()))
