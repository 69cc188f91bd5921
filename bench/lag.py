"""From "record visible" to "written", for sign-ups that come while workflows are late, and what it costs in calls."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bench.judge import Calls, Judge, Verdict, lags, lateness, waits
from bench.old_way import POLLS_EVERY, calls_of_polling, lag_of_polling, lost_by_one_look
from bench.portal import SLOTS, Applicant
from bench.processes import BenchFailed, Stage, stage
from bench.report import Row, median, percentile, times
from bench.service import Service, connected

WORKFLOW = "lognormal:90s:0.6"
MOST_LAG = 5.0
MOST_CALLS = 1.2
TAIL = 3_600.0
"""Sandbox seconds after the last sign-up by which everything must be written."""
FRESH_FOR = 900.0
"""Real seconds after which the service looks its names up again: a run at more than real time is over before."""
FIRST = 10_000
"""The first therapist's number, above those of other measures on the same stage."""
LOUD = frozenset({"warning", "error", "critical", "exception"})


@dataclass(frozen=True, slots=True)
class Plan:
    """Who signs up over which span (sandbox seconds), and how fast time runs."""

    therapists: int = 1_000
    span: float = 600.0
    speed: float = 10.0
    writes: int = 2
    workflow: str = WORKFLOW
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One seed's figures; seconds are the sandbox's."""

    seed: int
    plan: Plan
    lags: Sequence[float]
    parts: Sequence[tuple[float, float]]
    """Each lag as what the rule waits and what the machine takes: until a look, and from it to the write."""
    lateness: Sequence[float]
    calls: Calls
    renewed_calls: int
    """Look-ups of names that a run of this length would add at real time."""
    verdict: Verdict
    loud: Mapping[str, int]
    took: float
    cpu: float
    """Processor seconds of the service."""

    @property
    def calls_each(self) -> float:
        """Calls per therapist, every call counted."""
        return (self.calls.total + self.renewed_calls) / self.plan.therapists

    def lag(self, share: float) -> float:
        """A percentile of the lags; endless if nothing was written."""
        return percentile(self.lags, share) if self.lags else math.inf

    def part(self, which: int, share: float) -> float:
        """A percentile of the waits for a look (0), or of the times from look to write (1)."""
        return percentile((parts[which] for parts in self.parts), share) if self.parts else math.inf


def measure(plan: Plan, seed: int) -> Run:
    """One run."""
    with (
        stage(
            sandbox_speed=plan.speed,
            speed=plan.speed,
            seed=seed,
            writes=plan.writes,
            settings=plan.settings,
        ) as on,
        closing(Judge(on.sandbox.url)) as judge,
    ):
        return asyncio.run(measure_on(on, judge, plan, seed))


async def measure_on(on: Stage, judge: Judge, plan: Plan, seed: int, since: int = 0) -> Run:
    """One run on a stage of the plan's speed; the calls after number `since` count, by default all."""
    before = judge.progress()[0]
    began, cpu = time.monotonic(), on.service.cpu_seconds()
    people: dict[str, Applicant] = {}
    try:
        async with (
            connected(on) as service,
            httpx2.AsyncClient(base_url=on.sandbox.url, timeout=60, trust_env=False) as hubspot,
            asyncio.TaskGroup() as tasks,
        ):
            for number in range(plan.therapists):
                due = began + number * plan.span / plan.therapists / plan.speed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                tasks.create_task(
                    _sign_up(service, hubspot, Applicant(FIRST + number), people, plan.workflow)
                )
    except* BenchFailed as failures:
        raise BenchFailed("; ".join(map(str, failures.exceptions))) from None
    await _until_written(on, judge, plan, before)
    took = (time.monotonic() - began) * plan.speed
    await asyncio.sleep(max(1.0, 30.0 / plan.speed))
    verdict, calls = judge.verdict(people, plan.writes), judge.calls(since)
    return Run(
        seed,
        plan,
        lags(verdict.fates, plan.speed),
        waits(verdict.fates, judge.looks(since), plan.speed),
        lateness(verdict.fates, plan.speed),
        calls,
        calls.start_up * int(took // FRESH_FOR) if plan.speed > 1 else 0,
        verdict,
        loud_lines(on.service.lines()),
        took,
        on.service.cpu_seconds() - cpu,
    )


async def _sign_up(
    service: Service,
    hubspot: httpx2.AsyncClient,
    applicant: Applicant,
    people: dict[str, Applicant],
    workflow: str,
) -> None:
    """The contact is made, which starts its workflows; the backend reports sign-up and application at once."""
    answer = await hubspot.post("/_sandbox/contacts", json={"slots": list(SLOTS), "delay": workflow})
    answer.raise_for_status()
    contact = answer.json()["id"]
    people[contact] = applicant
    await service.apply(applicant, contact)


async def _until_written(on: Stage, judge: Judge, plan: Plan, before: int) -> None:
    """Until every record had a write, or so long that what is missing counts as lost."""
    give_up = time.monotonic() + TAIL / plan.speed
    while time.monotonic() < give_up:
        on.service.check()
        written, pending = judge.progress()
        if not pending and written - before >= plan.writes * plan.therapists:
            return
        await asyncio.sleep(0.5)


def loud_lines(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Log lines at warning or above, counted by event."""
    return dict(Counter(str(line.get("event")) for line in lines if line.get("level") in LOUD))


def say(run: Run) -> str:
    """One run in a line."""
    kinds = ", ".join(f"{count} {call}" for call, count in sorted(run.calls.by_call.items()))
    return (
        f"seed {run.seed}: lag p50 {run.lag(0.5):.2f} s, p95 {run.lag(0.95):.2f} s, max {run.lag(1):.1f} s "
        f"(until a look {run.part(0, 0.5):.2f}, {run.part(0, 0.95):.2f}; "
        f"then to the write {run.part(1, 0.5):.2f}, {run.part(1, 0.95):.2f}); "
        f"{run.calls_each:.3f} calls each; lost {run.verdict.lost}, repeated {run.verdict.repeated}; "
        f"log {dict(run.loud) or 'quiet'}; service cpu {run.cpu:.1f} s of {run.took / run.plan.speed:.0f} s\n"
        f"  {kinds}; {run.calls.bytes_in / 1e3:,.0f} kB sent, {run.calls.bytes_out / 1e3:,.0f} kB received"
    )


def rows(runs: Sequence[Run]) -> list[Row]:
    """The lines of the table: medians over the seeds, sums where nothing may happen at all."""
    plan = runs[0].plan
    late = [each for run in runs for each in run.lateness]
    half, most, worst = (median(run.lag(share) for run in runs) for share in (0.5, 0.95, 1.0))
    each = median(run.calls_each for run in runs)
    polling = sum(calls_of_polling(one, plan.writes) for one in late) / len(late)
    polling_lag = percentile(map(lag_of_polling, late), 0.95)
    wanted = plan.writes * plan.therapists * len(runs)
    lost = sum(run.verdict.lost for run in runs)
    exact = all(run.verdict.exact for run in runs) and sum(len(r.verdict.fates) for r in runs) == wanted
    loud = sum(sum(run.loud.values()) for run in runs)
    old_lost = lost_by_one_look(late)
    sample = (
        f"{plan.therapists:,} sign-ups in {plan.span / 60:g} min, {len(runs)} seeds, {plan.speed:g} x speed"
    )
    return [
        Row(
            f"visible to written, p95 ({sample})",
            f"{most:.1f} s",
            f"{polling_lag:.1f} s (polling each contact every {POLLS_EVERY:g} s)",
            times(polling_lag, most),
            f"<= {MOST_LAG:g} s",
            most <= MOST_LAG,
        ),
        Row("  p50; slowest", f"{half:.1f} s; {worst:.1f} s"),
        Row(
            "  its two parts, p95: until a look; from there to the write",
            "; ".join(f"{median(run.part(which, 0.95) for run in runs):.1f} s" for which in (0, 1)),
        ),
        Row(
            "  HubSpot calls per therapist, all counted",
            f"{each:.2f}",
            f"{polling:.1f} (polling each contact)",
            times(polling, each),
            f"<= {MOST_CALLS:g}",
            each <= MOST_CALLS,
        ),
        Row(
            "  writes lost, repeated or wrong",
            f"{lost + sum(r.verdict.repeated + r.verdict.strays for r in runs):,} of {wanted:,}",
            f"{old_lost * wanted:,.0f} (one look after 60 s)",
            "",
            "0",
            exact,
        ),
        Row("  log lines at warning or above", f"{loud}", "", "", "0", loud == 0),
    ]
