"""Nobody goes round and round: time that stands still in virtual time is a processor used up in the world."""

from __future__ import annotations

import anyio
import anyio.abc

from storm.callers import uuid_of
from storm.process import Fate
from storm.scene import Outcome, Scene
from storm.seeds import Fresh, storm

NPI = {"npi_and_caqh": {"npi": "1234567893"}}
ADDRESS = {"practice_preferences": {"treating_address": {"city": "Troy"}}}


class Denied(Scene):
    """A scope is missing and tried once a minute, and HubSpot lets a round wait meanwhile."""

    async def _storm(self, tasks: anyio.abc.TaskGroup) -> None:
        self._begin(tasks, Fate())
        health = await self.control("GET", "/_sandbox/health")
        path = f"{health['objects']['therapist_address']}/batch/update$"
        await self.control(
            "POST", "/_sandbox/faults", times=None, match={"path": path}, answer={"shape": "missing_scopes"}
        )
        made = await self.control("POST", "/_sandbox/contacts", delay="1s")
        therapist = uuid_of(0)
        self.people.therapists.append(therapist)
        self.callers.sign_up(therapist, str(made["id"]))
        self.callers.submit(therapist, "ca", NPI | ADDRESS)
        await anyio.sleep(50)
        self.weather.trouble, self.weather.kinds = 1.0, ("hang",)
        self.callers.submit(therapist, "ca", NPI)
        await anyio.sleep(60)
        self.weather.trouble = 0.0
        await self.control("DELETE", "/_sandbox/faults")
        self.people.unfinished[therapist] = "the scope came back a moment ago"


def test_a_probe_that_is_due_waits_for_the_round_under_way(on_file: Fresh) -> None:
    """It may be about to store that somebody waits for what is permitted by then, and its end wakes the owner."""
    outcome: Outcome = storm(0, on_file, lambda _, url: Denied(0, url))
    assert not outcome.wrongs
    assert outcome.met["hang"]
    assert outcome.met["answered_403"]
