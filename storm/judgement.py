"""What came of a storm: the oracle's word, what the service itself shows, and what must be found nowhere."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from credsync.operate.status import therapist_status
from credsync.store.tables import metadata
from storm.callers import CANARY
from tests.oracle import Evidence, judge

if TYPE_CHECKING:
    from storm.scene import Scene

AHEAD = timedelta(seconds=2)
"""By so much a process may think it later than it is."""
LIMITED = 429
WINDOW = 10.1
"""Seconds in which HubSpot counts calls, and a little."""


async def judged(scene: Scene) -> None:
    """Say everything that is wrong, and count what there was."""
    evidence = await _evidence(scene, _shown(scene))
    scene.wrong(*sorted(str(wrong) for wrong in judge(evidence)))
    _of_limits(scene, evidence)
    scene.wrong(*(f"{p.name} sent {what}" for p in scene.processes for what in p.network.hasty))
    with scene.database.read() as connection:
        for table in metadata.sorted_tables:
            if any(CANARY in str(row) for row in connection.execute(select(table))):
                scene.wrong(f"a canary is in {table.name}")
    _count(scene, evidence)


def _shown(scene: Scene) -> Mapping[str, str]:
    """Each therapist's state, as the status says it; whoever waits has a reason."""
    shown: dict[str, str] = {}
    with scene.database.read() as connection:
        for therapist in scene.people.therapists:
            status = therapist_status(connection, {"demo": scene.portal}, therapist, scene.time.now())
            if status is None:
                scene.wrong(f"{therapist} was accepted and is not known")
                continue
            shown[therapist] = status["state"]
            if status["state"] != "in_sync" and not status["reason"]:
                scene.wrong(f"{therapist} is {status['state']} without a reason")
    return shown


async def _evidence(scene: Scene, shown: Mapping[str, str]) -> Evidence:
    journal = await scene.control("GET", "/_sandbox/journal")
    requests = await scene.control("GET", "/_sandbox/requests")
    truth = await scene.control("GET", "/_sandbox/truth")
    networks = [process.network for process in scene.processes]
    lost = {each for network in networks for each in network.lost}
    took = {each: seconds for network in networks for each, seconds in network.took.items()}
    for each in requests["requests"]:
        if each["correlation_id"] in lost:
            each["fault"] = -1
        each["began"] = each["at"]
        each["ms"] = max(each["ms"], took.get(each["correlation_id"], 0.0) * 1000)
    in_vain = [each for network in networks for each in network.in_vain]
    return Evidence(
        portal=tomllib.loads(scene.portal_file.read_text(encoding="utf-8")),
        told=scene.callers.told,
        requests=[*requests["requests"], *in_vain],
        journal=journal["changes"],
        truth=truth["contacts"],
        settle_after=scene.policy.settle_after - AHEAD,
        observed=scene.spells.observed,
        interrupted=[*scene.taken_over, *(at for p in scene.processes for at in p.ended)],
        unfinished=_unfinished(scene, requests["requests"], lost),
        stalled=[span for p in scene.processes for span in (*p.network.held_back, *p.frozen)],
        shown=shown,
        ruled=scene.spells.ruled,
        frozen=[span for p in scene.processes for span in p.frozen],
        between_looks=timedelta(seconds=WINDOW if scene.few_calls else 0.2),
    )


def _unfinished(scene: Scene, requests: Sequence[Mapping[str, Any]], lost: Set[str]) -> Mapping[str, str]:
    """Of whom something may be left undone: of everybody, where the day's calls ended before the account's midnight was told."""
    told = any(
        "/account-info/" in each["path"] and each["status"] == 200 and each["correlation_id"] not in lost
        for each in requests
    )
    if told or not scene.few_calls_a_day:
        return scene.people.unfinished
    return dict.fromkeys(scene.people.therapists, "midnight is not known")


def _of_limits(scene: Scene, evidence: Evidence) -> None:
    """Who has a portal alone never meets HubSpot's limit, only its day's end."""
    owner = {each: p.name for p in scene.processes for each in (*p.network.took, *p.network.lost)}
    made: list[tuple[float, str]] = []
    for each in evidence.requests:
        at = datetime.fromisoformat(each["at"]).timestamp()
        process = owner.get(each["correlation_id"])
        if process is None:
            continue
        made = [(then, who) for then, who in made if then > at - WINDOW]
        alone = all(who == process for _, who in made)
        if each["status"] == LIMITED and alone and not scene.few_calls_a_day:
            scene.wrong(f"{process} met HubSpot's limit alone at {each['at']}")
        made.append((at, process))


def _count(scene: Scene, evidence: Evidence) -> None:
    outcome = scene.outcome
    outcome.story = [
        [each[name] for name in ("at", "method", "path", "status", "text")] for each in evidence.requests
    ] + [[each[name] for name in ("at", "action", "values", "record")] for each in evidence.journal]
    outcome.calls, outcome.told = len(evidence.requests), len(evidence.told)
    outcome.writes = sum(1 for change in evidence.journal if change["action"] == "write")
    met: dict[str, Any] = {
        **scene.weather.met,
        "killed": sum(p.died for p in scene.processes),
        "frozen": sum(len(p.frozen) for p in scene.processes),
        "takeovers": max(0, len(scene.owners) - 1),
        "class_d_refused": scene.callers.refused,
        "many_workers": scene.at_once > 1,
        "few_calls": scene.few_calls,
    }
    for status in (400, 401, 403, LIMITED):
        met[f"answered_{status}"] = sum(each["status"] == status for each in evidence.requests)
    outcome.met.update(met)
