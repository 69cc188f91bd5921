"""One seed's storm: people, HubSpot's own changes, bad weather, dying processes; then calm, rest and judgement."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import httpx2

from credsync.core.portal_file import parse_portal
from credsync.core.schedule import Policy
from credsync.store.database import Database, Rehearsal
from credsync_sandbox.app import App, build_app
from credsync_sandbox.world.clock import Clock
from storm.callers import Callers
from storm.hubspot_side import HubSpotSide
from storm.judgement import judged
from storm.loop import VirtualTime
from storm.network import Weather
from storm.people import People
from storm.process import OWNER, Fate, Process, statements_kept
from storm.spells import ZONE, Spells
from storm.webhooks import Webhooks

PORTAL = Path(__file__).parents[1] / "portals" / "demo.toml"
STORMY = 200.0
"""Seconds of bad weather."""
VERIFY_EVERY = timedelta(minutes=5)
"""Instead of a day: what changed in HubSpot and was told by nobody is found before all is at rest."""
CALM = 1_200.0
"""Seconds until all is at rest: more than a wait that began in the storm can be long."""
LONG_CALM = 4_000.0
"""… where a contact was merged: who had nothing yet is asked about when that is overdue."""
BEFORE_MIDNIGHT = 3_600.0 - STORMY - 300.0
"""So many seconds after nine it is 10:00 UTC, midnight in `ZONE`, when the storm is over."""
FEW = 8
"""Calls in ten seconds, where they are few."""
AGAIN = 400.0
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
        self.chance = Random(f"storm {seed}")
        self.few_calls_a_day = self.chance.random() < 0.06
        """The day's calls are used up in the storm; the account's midnight comes when it is calm."""
        self.time = VirtualTime(BEFORE_MIDNIGHT if self.few_calls_a_day else 0.0)
        self.weather = Weather(Random(f"weather {seed}"))
        self.portal = parse_portal("demo", PORTAL.read_text(encoding="utf-8"))
        self.portal_now = self.portal
        """As a process that is started now reads it."""
        self.few_calls = self.chance.random() < 0.2
        """HubSpot's limits are so low that they bind."""
        self.policy = Policy(
            settle_after=timedelta(seconds=self.chance.choice((60, 300))), verify_every=VERIFY_EVERY
        )
        clock = Clock(1.0, wall=self.time.timestamp, monotonic=self.time.monotonic)
        delay = f"lognormal:{self.chance.choice((20, 90, 240))}s:0.6"
        self.app: App = build_app(PORTAL, delay=delay, seed=seed, clock=clock)
        self._asgi = httpx2.ASGITransport(app=self.app)
        self.hubspot = httpx2.AsyncClient(transport=self._asgi, base_url=self.portal.hubspot.base_url)
        self.database = Database(url, self.time, rehearsal=Rehearsal(self.time, anyio.lowlevel.checkpoint))
        self.database.engine = statements_kept(self.database.engine)
        self._watching = self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.processes: list[Process] = []
        self.callers = Callers(self.database, self.portal, self.time, Random(f"callers {seed}"), self.wake)
        self.outcome = Outcome(seed)
        self.outside = HubSpotSide(self.control, self.outcome.met)
        self.people = People(seed, self.callers, self.outside, self.control)
        self.spells = Spells(self, Random(f"spells {seed}"))
        self._numbers = 0
        self.portal_file = PORTAL
        self.owners: list[str] = []
        """Who called HubSpot, one after the other."""
        self.taken_over: list[datetime] = []
        self.at_once = self.chance.randint(1, 3)

    async def run(self) -> Outcome:
        """The whole of it."""
        await self._set_up()
        async with anyio.create_task_group() as tasks:
            await self._storm(tasks)
            self.weather.trouble = self.callers.broken = 0.0
            self.weather.only = None
            self.portal_now = self.portal
            self.end_processes()
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            self._begin(tasks, Fate(), calm=True)
            await self._nothing_pending()
            await anyio.sleep(LONG_CALM if self.outcome.met["hubspot_merge_contact"] else CALM)
            before = await self._effects()
            await anyio.sleep(AGAIN)
            if await self._effects() != before:
                self.wrong("at rest, and yet something was written")
            self.end_processes()
            tasks.cancel_scope.cancel()
        await judged(self)
        self._watching.close()
        self.database.close()
        await self.hubspot.aclose()
        return self.outcome

    async def _set_up(self) -> None:
        settings: dict[str, Any] = {"journal": True, "retry_after": self.chance.random() < 0.5}
        if self.few_calls:
            settings |= {"calls_per_10s": FEW + 4, "association_calls_per_10s": FEW}
        if self.few_calls_a_day:
            settings |= {"time_zone": ZONE, "daily_association_calls": self.chance.randint(5, 40)}
        await self.control("PUT", "/_sandbox/settings", **settings)

    # What happens

    async def _storm(self, tasks: anyio.abc.TaskGroup) -> None:
        """Everything until it is calm."""
        for _ in range(self.at_once):
            self._begin(tasks)
        self.weather.trouble = self.chance.choice((0.0, 0.02, 0.1, 0.3))
        self.callers.broken = self.chance.choice((0.0, 0.1))
        tasks.start_soon(self._bad_luck, tasks)
        if self.chance.random() < 0.6:
            tasks.start_soon(self._webhooks().run)
        async with anyio.create_task_group() as people:
            people.start_soon(self.spells.cast, STORMY)
            for number in range(self.chance.randint(2, 5)):
                people.start_soon(self.people.live, number)
        await anyio.sleep(max(0.0, STORMY - self.time.seconds))

    def _webhooks(self) -> Webhooks:
        chance = Random(f"webhooks {self.seed}")
        world = self.app.sandbox.world
        return Webhooks(
            world, self.database, self.portal, self.policy, self.time, chance, self.outcome.met, self.wake
        )

    async def _bad_luck(self, tasks: anyio.abc.TaskGroup) -> None:
        """Processes are frozen, and those that died are started again."""
        freezes = self.chance.choice((0, 0, 1, 2))
        moments = sorted(self.chance.uniform(10, STORMY - 70) for _ in range(freezes))
        while True:
            await anyio.sleep(1)
            if moments and self.time.seconds >= moments[0]:
                moments.pop(0)
                alive = [p for p in self.processes if not p.killed]
                if alive:
                    self.chance.choice(alive).freeze(self.chance.uniform(3, 60))
            if all(p.killed for p in self.processes):
                await anyio.sleep(self.chance.uniform(0, 20))
                self._begin(tasks)

    def _begin(self, tasks: anyio.abc.TaskGroup, fate: Fate | None = None, calm: bool = False) -> None:
        self._numbers += 1
        if fate is None:
            fate = Fate(ahead=timedelta(seconds=self.chance.choice((0, 0, -2, 2))))
            self.outcome.met["skewed"] += bool(fate.ahead)
            how = self.chance.random()
            if how < 0.3:
                fate.dies_at_step, fate.after_commit = self.chance.randint(1, 60), self.chance.random() < 0.5
            elif how < 0.6:
                fate.dies_at_write, fate.after_write = self.chance.randint(1, 5), self.chance.random() < 0.5
            if self.chance.random() < 0.4:
                fate.freezes_at_write, fate.frozen_for = self.chance.randint(1, 4), self.chance.uniform(5, 60)
        process = Process(
            f"process {self._numbers}", self.url, self.portal_now, self._asgi, self.time, self.weather,
            self.policy, fate, self.seed * 100 + self._numbers, calm,
            watchful=self.seed % 10 == 0,
        )  # fmt: skip
        process.network.on_call = lambda: self._check_owner(process)
        process.wrong = self.wrong
        self.processes.append(process)
        tasks.start_soon(process.run)

    def end_processes(self) -> None:
        """All that run now; others are started soon."""
        for process in self.processes:
            process.kill_quietly()

    def _check_owner(self, process: Process) -> None:
        """One process calls HubSpot for a portal: whoever holds its lease at that moment."""
        row = self._watching.execute(OWNER).one_or_none()
        if row is None or row.owner != process.name or row.expires_at < self.time.now():
            self.wrong(f"{process.name} called HubSpot without the lease at {self.time.now()}")
        if self.owners[-1:] != [process.name]:
            self.owners.append(process.name)
            self.taken_over.append(self.time.now())

    def wake(self, after: float) -> None:
        """The API runs in one of the processes, or elsewhere."""
        alive = [p for p in self.processes if not p.killed]
        if alive and self.chance.random() < 0.8:
            self.chance.choice(alive).worker.wake.set(after)

    async def _nothing_pending(self) -> None:
        """Until HubSpot's workflows, and the people in it, have done what they were about to."""
        while (due := (await self.control("GET", "/_sandbox/time"))["next_due_in_s"]) is not None:  # noqa: ASYNC110
            await anyio.sleep(max(1.0, due))

    async def _effects(self) -> int:
        journal = await self.control("GET", "/_sandbox/journal")
        return sum(1 for change in journal["changes"] if change["action"] == "write")

    async def control(self, method: str, path: str, *, allow: bool = False, **body: Any) -> dict[str, Any]:
        """A call to the sandbox's control paths; with `allow` it may be refused."""
        answer = await self.hubspot.request(method, path, json=body or None)
        if answer.status_code >= 400 and not allow:
            raise AssertionError(f"{method} {path}: {answer.text}")
        told: dict[str, Any] = answer.json()
        return told

    def wrong(self, *what: str) -> None:
        """Something that must not be."""
        self.outcome.wrongs += what
