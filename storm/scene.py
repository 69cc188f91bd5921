"""One seed's storm: people, HubSpot's own changes, bad weather, dying processes; then calm, rest and judgement."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import httpx2
from sqlalchemy import select

from credsync.core.portal_file import parse_portal
from credsync.core.schedule import Policy
from credsync.operate.status import therapist_status
from credsync.store.database import Database, Rehearsal
from credsync.store.tables import leases, metadata
from credsync_sandbox.app import App, build_app
from credsync_sandbox.world.clock import Clock
from storm.callers import CANARY, Callers, uuid_of
from storm.loop import VirtualTime
from storm.network import Weather
from storm.process import Fate, Process, statements_kept
from tests.oracle import Evidence, judge

PORTAL = Path(__file__).parents[1] / "portals" / "demo.toml"
STORMY = 420.0
"""Seconds of bad weather."""
CALM = 1_500.0
"""Seconds until all is at rest: more than a wait that began in the storm can be long."""
AGAIN = 600.0
"""Seconds at rest in which nothing may be written any more."""


@dataclass
class Outcome:
    """What a seed's storm came to."""

    seed: int
    wrongs: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    """Faults by kind."""
    story: list[list[object]] = field(default_factory=list)
    """Every call and every change, but for correlation ids: what a seed that is run again repeats."""
    steps: int = 0
    """Durable steps of the first process."""
    calls: int = 0
    told: int = 0
    writes: int = 0


class Scene:
    """One storm over one database."""

    def __init__(self, seed: int, url: str) -> None:
        self.seed = seed
        self.url = url
        self.time = VirtualTime()
        self.chance = Random(f"storm {seed}")
        self.weather = Weather(Random(f"weather {seed}"))
        self.portal = parse_portal("demo", PORTAL.read_text(encoding="utf-8"))
        self.policy = Policy(settle_after=timedelta(seconds=self.chance.choice((60, 300))))
        clock = Clock(1.0, wall=self.time.timestamp, monotonic=self.time.monotonic)
        delay = f"lognormal:{self.chance.choice((20, 90, 240))}s:0.6"
        self.app: App = build_app(PORTAL, delay=delay, seed=seed, clock=clock)
        self._asgi = httpx2.ASGITransport(app=self.app)
        self.hubspot = httpx2.AsyncClient(transport=self._asgi, base_url=self.portal.hubspot.base_url)
        self.database = Database(url, self.time, rehearsal=Rehearsal(self.time, anyio.lowlevel.checkpoint))
        self.database.engine = statements_kept(self.database.engine)
        self.processes: list[Process] = []
        self.callers = Callers(self.database, self.portal, self.time, Random(f"callers {seed}"), self._wake)
        self.outcome = Outcome(seed)
        self._numbers = 0
        self.therapists: list[str] = []
        self.contacts: dict[str, str] = {}
        self.unfinished: dict[str, str] = {}

    async def run(self) -> Outcome:
        """The whole of it."""
        await self._control("PUT", "/_sandbox/settings", journal=True)
        async with anyio.create_task_group() as tasks:
            await self._storm(tasks)
            self.weather.trouble = self.callers.broken = 0.0
            for process in self.processes:
                process.kill_quietly()
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            self._begin(tasks, Fate(), calm=True)
            await anyio.sleep(CALM)
            before = await self._effects()
            await anyio.sleep(AGAIN)
            if await self._effects() != before:
                self._wrong("at rest, and yet something was written")
            for process in self.processes:
                process.kill_quietly()
            tasks.cancel_scope.cancel()
        await self._judge()
        self.database.close()
        await self.hubspot.aclose()
        return self.outcome

    # What happens

    async def _storm(self, tasks: anyio.abc.TaskGroup) -> None:
        """Everything until it is calm."""
        for _ in range(self.chance.randint(1, 3)):
            self._begin(tasks)
        self.weather.trouble = self.chance.choice((0.0, 0.02, 0.1, 0.3))
        self.callers.broken = self.chance.choice((0.0, 0.1))
        tasks.start_soon(self._bad_luck, tasks)
        async with anyio.create_task_group() as people:
            for number in range(self.chance.randint(2, 5)):
                people.start_soon(self._life, number)
        await anyio.sleep(max(0.0, STORMY - self.time.seconds))

    async def _life(self, number: int) -> None:
        """One therapist, from sign-up to the last submission of the storm, events in any order."""
        chance = Random(f"life {self.seed} {number}")
        therapist = uuid_of(number)
        self.therapists.append(therapist)
        await anyio.sleep(chance.uniform(0, 120))
        moving = chance.random() < 0.3
        states = tuple(chance.sample(["NY", "CA", "TX"], chance.choice((0, 1, 2))))
        made = await self._control(
            "POST", "/_sandbox/contacts", licenses=list(states), moving=moving,
            **({"never": ["therapist_address"]} if chance.random() < 0.1 else {}),
        )  # fmt: skip
        contact = str(made["id"])
        self.contacts[therapist] = contact
        say = self.callers
        bad = chance.random() < 0.1
        if bad:
            self.unfinished[therapist] = "a value is refused"

        def signs_up() -> None:
            say.sign_up(therapist, contact if chance.random() < 0.9 else None, moving=moving)

        def submits() -> None:
            say.submit(therapist, "ca", say.ca(states, bad))

        first = [signs_up, submits]
        if chance.random() < 0.2:
            first.reverse()
        for step in first:
            step()
            await anyio.sleep(chance.uniform(0, 90))
        say.sign_up(therapist, contact, moving=moving)
        for _ in range(chance.randint(0, 4)):
            await anyio.sleep(chance.uniform(0.2, 150))
            what = chance.random()
            if what < 0.35:
                say.submit(therapist, "ca", say.ca(states, bad))
            elif what < 0.45:
                say.submit(therapist, "ca", say.ca(states), occurred_at=say.moment(chance.uniform(1, 200)))
            elif what < 0.6:
                say.submit(therapist, "af", say.af())
            elif what < 0.7:
                say.section(therapist)
            elif what < 0.8:
                say.sync(therapist, chance.random() < 0.3)
            elif what < 0.9:
                say.sign_up(therapist, None, kind="extended", moving=moving)
                slot = "credentialing_relocation" if moving else "credentialing_active_attested"
                await self._control(
                    "POST", "/_sandbox/esu", contact=contact, slots=[slot], pause="5s", allow=True
                )
            else:
                await self._somebody_changes(contact, chance)

    async def _somebody_changes(self, contact: str, chance: Random) -> None:
        """In HubSpot: a record is deleted, unlinked, doubled for a while."""
        truth = await self._control("GET", f"/_sandbox/truth/contacts/{contact}")
        there = [r for r in truth["records"] if r["archived_at"] is None and r["slots"] and r["parents"]]
        if not there:
            return
        record = chance.choice(there)
        what = chance.choice(("delete", "unlink", "double"))
        self.outcome.met[f"hubspot_{what}"] += 1
        if what == "double":
            slot = record["slots"][0]
            parent = record["parents"][0]
            second = await self._control(
                "POST", "/_sandbox/records/create", contact=contact, slot=slot, parent=parent, allow=True
            )
            await anyio.sleep(chance.uniform(1, 60))
            if second.get("id"):
                await self._control("POST", "/_sandbox/records/delete", id=second["id"], allow=True)
        else:
            await self._control("POST", f"/_sandbox/records/{what}", id=record["id"], allow=True)

    async def _bad_luck(self, tasks: anyio.abc.TaskGroup) -> None:
        """Processes are frozen, and those that died are started again."""
        freezes = self.chance.choice((0, 0, 1, 2))
        moments = sorted(self.chance.uniform(10, STORMY - 100) for _ in range(freezes))
        while True:
            await anyio.sleep(1)
            if moments and self.time.seconds >= moments[0]:
                moments.pop(0)
                alive = [p for p in self.processes if not p.killed]
                if alive:
                    self.chance.choice(alive).freeze(self.chance.uniform(3, 60))
                    self.outcome.met["frozen"] += 1
            if all(p.killed for p in self.processes):
                await anyio.sleep(self.chance.uniform(0, 20))
                self._begin(tasks)

    def _begin(self, tasks: anyio.abc.TaskGroup, fate: Fate | None = None, calm: bool = False) -> None:
        self._numbers += 1
        if fate is None:
            fate = Fate(ahead=timedelta(seconds=self.chance.choice((0, 0, -2, 2))))
            if self.chance.random() < 0.5:
                fate.dies_at_step = self.chance.randint(1, 60)
                fate.after_commit = self.chance.random() < 0.5
        process = Process(
            f"process {self._numbers}", self.url, self.portal, self._asgi, self.time, self.weather,
            self.policy, fate, self.seed * 100 + self._numbers, calm,
            watchful=self.seed % 10 == 0,
        )  # fmt: skip
        process.network.on_call = lambda: self._check_owner(process)
        self.processes.append(process)
        tasks.start_soon(process.run)

    def _check_owner(self, process: Process) -> None:
        """One process calls HubSpot for a portal: whoever holds its lease at that moment."""
        with self.database.read() as connection:
            row = connection.execute(select(leases.c.owner, leases.c.expires_at)).one_or_none()
        if row is None or row.owner != process.name or row.expires_at < self.time.now():
            self._wrong(f"{process.name} called HubSpot without the lease at {self.time.now()}")

    def _wake(self, after: float) -> None:
        """The API runs in one of the processes, or elsewhere."""
        alive = [p for p in self.processes if not p.killed]
        if alive and self.chance.random() < 0.8:
            self.chance.choice(alive).worker.wake.set(after)

    # Rest and judgement

    async def _judge(self) -> None:
        evidence = await self._evidence()
        self._wrong(*sorted(str(wrong) for wrong in judge(evidence)))
        self.outcome.story = [
            [each[name] for name in ("at", "method", "path", "status", "text")] for each in evidence.requests
        ] + [[each[name] for name in ("at", "action", "values", "record")] for each in evidence.journal]
        self.outcome.calls, self.outcome.told = len(evidence.requests), len(evidence.told)
        self.outcome.writes = sum(1 for change in evidence.journal if change["action"] == "write")
        self.outcome.met.update(self.weather.met)
        self.outcome.met["killed"] += sum(p.killed for p in self.processes) - 1
        with self.database.read() as connection:
            for therapist in self.therapists:
                status = therapist_status(connection, {"demo": self.portal}, therapist, self.time.now())
                if status is None:
                    self._wrong(f"{therapist} was accepted and is not known")
                elif status["state"] != "in_sync" and not status["reason"]:
                    self._wrong(f"{therapist} is {status['state']} without a reason")
            for table in metadata.sorted_tables:
                if any(CANARY in str(row) for row in connection.execute(select(table))):
                    self._wrong(f"a canary is in {table.name}")

    async def _evidence(self) -> Evidence:
        journal = await self._control("GET", "/_sandbox/journal")
        requests = await self._control("GET", "/_sandbox/requests")
        truth = await self._control("GET", "/_sandbox/truth")
        networks = [process.network for process in self.processes]
        lost = {each for network in networks for each in network.lost}
        took = {each: seconds for network in networks for each, seconds in network.took.items()}
        for each in requests["requests"]:
            if each["correlation_id"] in lost:
                each["fault"] = -1
            each["ms"] = max(each["ms"], took.get(each["correlation_id"], 0.0) * 1000)
        in_vain = [each for network in networks for each in network.in_vain]
        return Evidence(
            portal=tomllib.loads(PORTAL.read_text(encoding="utf-8")),
            told=self.callers.told,
            requests=[*requests["requests"], *in_vain],
            journal=journal["changes"],
            truth=truth["contacts"],
            settle_after=self.policy.settle_after,
            unfinished=self.unfinished,
            stalled=[span for p in self.processes for span in (*p.network.held_back, *p.frozen)],
        )

    async def _effects(self) -> int:
        journal = await self._control("GET", "/_sandbox/journal")
        return sum(1 for change in journal["changes"] if change["action"] == "write")

    async def _control(self, method: str, path: str, *, allow: bool = False, **body: Any) -> dict[str, Any]:
        answer = await self.hubspot.request(method, path, json=body or None)
        if answer.status_code >= 400 and not allow:
            raise AssertionError(f"{method} {path}: {answer.text}")
        told: dict[str, Any] = answer.json()
        return told

    def _wrong(self, *what: str) -> None:
        self.outcome.wrongs += what
