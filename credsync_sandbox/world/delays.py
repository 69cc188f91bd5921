"""How long after a contact its workflow runs: `90s`, `lognormal:90s:0.6`, `cases`, `never`.

Delays are seconds of sandbox time. A drawn delay depends on the seed and the contact id alone, never on the order in
which contacts are made.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from credsync_sandbox.world.times import BadDuration, parse_duration

CASES: dict[str, float] = {"K": 141.9, "P": 114.1, "W": 161.1, "S": 120.4}
"""The four real cases: 60 s (when the old way looked) plus the middle of each one's lateness after that look."""


class Delay(Protocol):
    """Seconds until the workflow of a contact runs; None: it never does."""

    def seconds(self, contact_id: str, ordinal: int) -> float | None:
        """`ordinal`: how many contacts were made before this one."""
        ...


def draw(seed: int, *names: str) -> random.Random:
    """A source of chance that depends on the seed and these names alone."""
    digest = blake2b("\x00".join((str(seed), *names)).encode(), digest_size=8).digest()
    return random.Random(int.from_bytes(digest))  # noqa: S311 - a simulation, not a secret


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    delay: float | None

    def seconds(self, contact_id: str, ordinal: int) -> float | None:  # noqa: ARG002 - the protocol's shape
        return self.delay


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Median times e to a normal deviate of this sigma."""

    median: float
    sigma: float
    seed: int

    def seconds(self, contact_id: str, ordinal: int) -> float | None:  # noqa: ARG002 - the protocol's shape
        return self.median * math.exp(self.sigma * draw(self.seed, "delay", contact_id).gauss(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Cases:
    """The four real cases in turn."""

    def seconds(self, contact_id: str, ordinal: int) -> float | None:  # noqa: ARG002 - the protocol's shape
        return list(CASES.values())[ordinal % len(CASES)]


def parse_delay(given: object, seed: int) -> Delay:
    """Read a delay; raises BadDuration with what would have been right."""
    if given == "cases":
        return Cases()
    if given == "never":
        return Fixed(None)
    if isinstance(given, str) and given.startswith("lognormal:"):
        parts = given.split(":")
        try:
            _, median, sigma = parts
            spread = float(sigma)
        except ValueError:
            raise BadDuration(
                f"{given!r}: write lognormal:MEDIAN:SIGMA, for example lognormal:90s:0.6"
            ) from None
        if not 0 <= spread < 10:
            raise BadDuration(f"{given!r}: sigma must be between 0 and 10")
        return Lognormal(parse_duration(median), spread, seed)
    return Fixed(parse_duration(given))
