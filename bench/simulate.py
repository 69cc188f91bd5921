"""The look-again rule without HTTP and database: which settings give which lag for which calls.

It plays the worker's loop: a round takes everybody who is due and whoever waits; it looks once per object type, then
updates what it found, 100 records a call; the next round starts when the next one is due.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from bench.portal import SLOTS
from bench.report import median, percentile
from credsync.core.schedule import Policy, look_again_after

START_UP_CALLS = 8
MEDIAN, SIGMA = 90.0, 0.6


@dataclass(frozen=True, slots=True)
class World:
    """Who signs up when, and how long a round takes; seconds."""

    therapists: int = 1_000
    span: float = 600.0
    writes: int = 2
    round_seconds: float = 0.3

    def visible(self, seed: int) -> list[tuple[float, float]]:
        """Each therapist's sign-up, and when the records come."""
        chance = Random(seed)
        ups = sorted(chance.uniform(0, self.span) for _ in range(self.therapists))
        return [(up, up + MEDIAN * math.exp(SIGMA * chance.gauss(0, 1))) for up in ups]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One simulated run."""

    lags: Sequence[float]
    rounds: int
    looks: int
    updates: int
    therapists: int

    @property
    def calls_each(self) -> float:
        """Calls per therapist, with those at the start."""
        return (START_UP_CALLS + self.looks + self.updates) / self.therapists


def simulate(world: World, policy: Policy, seed: int) -> Outcome:
    """One run of the rule."""
    people = world.visible(seed)
    coalesce = policy.coalesce.total_seconds()
    coming = iter(enumerate(people))
    ahead = next(coming, None)
    due: dict[int, float] = {}
    first_look: dict[int, float] = {}
    lags: list[float] = []
    rounds = looks = updates = 0
    now = 0.0
    while due or ahead is not None:
        nearest = min(due.values(), default=math.inf)
        if ahead is not None:
            nearest = min(nearest, ahead[1][0] + coalesce)
        now = max(now, nearest)
        while ahead is not None and ahead[1][0] <= now:
            due[ahead[0]] = ahead[1][0] + coalesce
            ahead = next(coming, None)
        rounds += 1
        looks += len(SLOTS)
        ended = now + world.round_seconds
        found = [who for who in due if people[who][1] <= now]
        updates += world.writes * math.ceil(len(found) / 100)
        for who in found:
            lags += [ended - people[who][1]] * world.writes
            del due[who]
        for who in due:
            waited = now - first_look.setdefault(who, now)
            due[who] = now + look_again_after(timedelta(seconds=waited), policy).total_seconds()
        now = ended
    return Outcome(lags, rounds, looks, updates, world.therapists)


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the seeds for one choice of settings."""

    policy: Policy
    p50: float
    p95: float
    slowest: float
    calls_each: float
    rounds: float

    def __str__(self) -> str:
        chosen = (
            f"coalesce {self.policy.coalesce.total_seconds():g} s, "
            f"min {self.policy.look_again_min.total_seconds():g} s, share {self.policy.look_again_share:g}"
        )
        return (
            f"{chosen:<44} p50 {self.p50:4.1f}  p95 {self.p95:4.1f}  max {self.slowest:5.1f}  "
            f"calls {self.calls_each:.2f}  rounds {self.rounds:.0f}"
        )


def figures(world: World, policy: Policy, seeds: Iterable[int]) -> Figures:
    """Medians over seeds."""
    runs = [simulate(world, policy, seed) for seed in seeds]
    p50, p95, slowest = (median(percentile(run.lags, share) for run in runs) for share in (0.5, 0.95, 1.0))
    return Figures(
        policy,
        p50,
        p95,
        slowest,
        median(run.calls_each for run in runs),
        median(run.rounds for run in runs),
    )


def grid(
    world: World,
    coalesce: Iterable[float],
    look_again_min: Iterable[float],
    look_again_share: Iterable[float],
    seeds: Sequence[int],
) -> list[Figures]:
    """Every combination of the settings."""
    return [
        figures(
            world,
            replace(
                Policy(),
                coalesce=timedelta(seconds=soon),
                look_again_min=timedelta(seconds=least),
                look_again_share=share,
            ),
            seeds,
        )
        for soon, least, share in itertools.product(coalesce, look_again_min, look_again_share)
    ]
