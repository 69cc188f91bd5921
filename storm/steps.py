"""`python -m storm.steps`: every durable step of a worker failed once, before its commit and after it, one by one, as SQLite tests itself.

The scene is short and always the same: sign-up, a CA with a licence, an Extended Sign Up with newer data. It is run once
to count the steps of its one process, then once for each of them and each side of its commit.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import anyio
import anyio.abc

from storm.callers import uuid_of
from storm.process import Fate
from storm.scene import Outcome, Scene
from storm.seeds import Fresh, listen, on_sqlite, storm

SHORT = 120.0
"""Seconds until it is calm."""


class StepScene(Scene):
    """The short scene; its first process dies at `fate`, and another follows at once."""

    def __init__(self, url: str, fate: Fate) -> None:
        super().__init__(0, url)
        self._fate = fate

    async def _storm(self, tasks: anyio.abc.TaskGroup) -> None:
        self._begin(tasks, self._fate)
        tasks.start_soon(self._follow, tasks)
        await self._short_life()
        await anyio.sleep(SHORT - self.time.seconds)
        self.outcome.steps = self.processes[0].database.steps

    async def _follow(self, tasks: anyio.abc.TaskGroup) -> None:
        while not self.processes[0].killed:  # noqa: ASYNC110 (its time is virtual)
            await anyio.sleep(0.5)
        self._begin(tasks, Fate())

    async def _short_life(self) -> None:
        therapist, say = uuid_of(0), self.callers
        self.people.therapists.append(therapist)
        made = await self.control("POST", "/_sandbox/contacts", licenses=["NY"], delay="5s")
        contact = str(made["id"])
        licence = {"education_and_training": {"licenses": [{"state": "NY", "number": "NY-1"}]}}
        say.sign_up(therapist, contact)
        say.submit(therapist, "ca", {"npi_and_caqh": {"npi": "1234567893"}, **licence})
        await anyio.sleep(30)
        say.sign_up(therapist, None, kind="extended")
        slots = ["credentialing_active_attested"]
        await self.control("POST", "/_sandbox/esu", contact=contact, slots=slots, pause="2s")
        await anyio.sleep(5)
        say.submit(therapist, "ca", {"npi_and_caqh": {"npi": "1245319599"}})


def count(fresh: Fresh) -> int:
    """How many durable steps the scene has."""
    return _with(fresh, Fate()).steps


def each_step(fresh: Fresh, steps: Iterable[int]) -> Iterator[tuple[int, bool, Outcome]]:
    """Step, whether it died after its commit, and what came of it."""
    for step in steps:
        for after_commit in (False, True):
            yield step, after_commit, _with(fresh, Fate(step, after_commit))


def _with(fresh: Fresh, fate: Fate) -> Outcome:
    return storm(0, fresh, lambda _, url: StepScene(url, fate))


def main() -> int:
    """The command; 1 if a step failed."""
    listen()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        fresh = on_sqlite(Path(folder))
        steps = count(fresh)
        for step, after_commit, outcome in each_step(fresh, range(1, steps + 1)):
            if outcome.wrongs:
                failed += 1
                side = "after" if after_commit else "before"
                print(f"killed {side} the commit of step {step}:", *outcome.wrongs, sep="\n  ", flush=True)
    print(f"{steps} steps, each failed before and after its commit: {failed} of {2 * steps} were wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
