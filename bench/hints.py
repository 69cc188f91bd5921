"""The same crowd with HubSpot's webhooks: from "record visible" to "written", and looks beside the fewest possible.

The sandbox signs and sends what happens; the service is told where to look. The fewest looks that tell everything: one per
awaited object type for each second that a trigger or a hint opens, everything that comes within it answered together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import httpx2

from bench.judge import Judge
from bench.lag import Plan, Run, measure_on
from bench.portal import NAME, SLOTS
from bench.processes import Stage, stage
from bench.report import Row, median, times

MOST_LAG = 2.0
MOST_LOOKS = 1.2
WINDOW = 1.0
"""Seconds that what happens together may wait for each other."""
QUIET = Plan(therapists=60, span=3_600.0, speed=10.0)
"""A sign-up a minute: nobody's looks are filled up by somebody else's."""
_PUBLIC = "https://bench.example"
_SECRET = "a-client-secret-of-the-bench"
_PATH = f"/v1/webhooks/hubspot/{NAME}"


@dataclass(frozen=True, slots=True)
class Hinted:
    """One run with webhooks: its figures, the looks it took, and the fewest that would have done."""

    run: Run
    looks: int
    fewest: int

    @property
    def ratio(self) -> float:
        """How many times the fewest."""
        return self.looks / self.fewest


def measure(plan: Plan, seed: int) -> Hinted:
    """One run on a stage of its own."""
    settings = {"public_url": _PUBLIC, f"webhook_secret_{NAME}": _SECRET, **plan.settings}
    with (
        stage(
            sandbox_speed=plan.speed, speed=plan.speed, seed=seed, writes=plan.writes, settings=settings
        ) as on,
        closing(Judge(on.sandbox.url)) as judge,
    ):
        send_webhooks(on)
        return asyncio.run(hinted_on(on, judge, plan, seed))


def send_webhooks(on: Stage) -> None:
    """HubSpot tells the service of everything from here on."""
    told = {"url": f"{on.service.url}{_PATH}", "secret": _SECRET, "signed_as": f"{_PUBLIC}{_PATH}"}
    httpx2.post(f"{on.sandbox.url}/_sandbox/webhooks", json=told, timeout=60).raise_for_status()


async def hinted_on(on: Stage, judge: Judge, plan: Plan, seed: int) -> Hinted:
    """One run on a stage whose sandbox sends webhooks."""
    since = judge.last_call()
    run = await measure_on(on, judge, plan, seed, since)
    fates = run.verdict.fates
    moments = [fate.signed_up for fate in fates] + [fate.visible for fate in fates]
    looks = sum(len(taken) for taken in judge.looks(since).values())
    return Hinted(run, looks, windows(moments, WINDOW / plan.speed) * len(SLOTS))


def windows(moments: Iterable[float], width: float) -> int:
    """How many windows so wide take in all moments, each opened by the first that no window before it took in.

    >>> windows([0.0, 0.5, 0.9, 1.2, 5.0], 1.0)
    3
    """
    count, ends = 0, float("-inf")
    for moment in sorted(moments):
        if moment > ends:
            count, ends = count + 1, moment + width
    return count


def say(hinted: Hinted) -> str:
    """One run in a line."""
    run = hinted.run
    return (
        f"seed {run.seed}: lag p50 {run.lag(0.5):.2f} s, p95 {run.lag(0.95):.2f} s, max {run.lag(1):.1f} s "
        f"(until a look {run.part(0, 0.95):.2f}, then to the write {run.part(1, 0.95):.2f}); looks {hinted.looks}, "
        f"fewest {hinted.fewest} ({hinted.ratio:.2f}); {run.calls_each:.3f} calls each; lost {run.verdict.lost}, "
        f"repeated {run.verdict.repeated}; log {dict(run.loud) or 'quiet'}; "
        f"service cpu {run.cpu:.1f} s of {run.took / run.plan.speed:.0f} s"
    )


def rows(runs: Sequence[Hinted], quiet: Sequence[Hinted]) -> list[Row]:
    """The lines of the table: medians over the seeds, sums where nothing may happen at all."""
    plan = runs[0].run.plan
    wanted = sum(hinted.run.plan.writes * hinted.run.plan.therapists for hinted in (*runs, *quiet))
    wrong = sum(_wrong(hinted.run) for hinted in (*runs, *quiet))
    fates = sum(len(hinted.run.verdict.fates) for hinted in (*runs, *quiet))
    most = median(hinted.run.lag(0.95) for hinted in runs)
    sample = (
        f"{plan.therapists:,} sign-ups in {plan.span / 60:g} min, {len(runs)} seeds, {plan.speed:g} x speed"
    )
    return [
        Row(
            f"with webhooks: visible to written, p95 ({sample})",
            f"{most:.1f} s",
            "",
            "",
            f"<= {MOST_LAG:g} s",
            most <= MOST_LAG,
        ),
        Row(
            "  p50; slowest",
            "; ".join(f"{median(h.run.lag(share) for h in runs):.1f} s" for share in (0.5, 1.0)),
        ),
        _looks("  looks, and the fewest possible", runs),
        *([_looks("  the same with a sign-up a minute", quiet)] if quiet else []),
        Row(
            "  writes lost, repeated or wrong",
            f"{wrong:,} of {wanted:,}",
            "",
            "",
            "0",
            wrong == 0 and fates == wanted,
        ),
    ]


def _looks(what: str, runs: Sequence[Hinted]) -> Row:
    looks, fewest = (median(each) for each in ([h.looks for h in runs], [h.fewest for h in runs]))
    ratio = median(h.ratio for h in runs)
    return Row(
        what,
        f"{looks:,.0f}",
        f"{fewest:,.0f} (the fewest)",
        times(looks, fewest),
        f"<= {MOST_LOOKS:g} x",
        ratio <= MOST_LOOKS,
    )


def _wrong(run: Run) -> int:
    return run.verdict.lost + run.verdict.repeated + run.verdict.strays


def quiet_plan(plan: Plan) -> Plan:
    """A quiet hour with the settings of a plan."""
    return replace(QUIET, writes=plan.writes, settings=plan.settings)
