"""Which failures are worth another try, when, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from credsync.hubspot.errors import HubSpotError, RateLimited, Unavailable

ATTEMPTS = 5
BUDGET = 15.0
"""Seconds of waiting one call may cost in all, in HubSpot's time."""
FIRST, LONGEST = 0.5, 8.0
LONGEST_CALL = 30.0
"""Seconds of attempts and waits between them after which a call is not tried again: a HubSpot that hangs is the schedule's matter."""
IN_VAIN = 3
"""Calls given up in a row after which each further one is tried once, until one is answered."""

_AGAIN = frozenset({423, 477, 500, 501, 502, 503, 504, 521, 522, 523, 524})
_NO_ANSWER = frozenset({"unreachable", "timeout", "disconnected"})
_NONSENSE = frozenset({"empty_answer", "garbled_answer"})


def worth_retrying(error: HubSpotError, *, writes: bool) -> bool:
    """Never 400, 401, 403, 404, 409, a redirect, the daily limit. A 2xx of nonsense only for a read: a write may
    have been carried out, and a read-back tells more than a second write."""
    if isinstance(error, RateLimited):
        return not error.daily
    if not isinstance(error, Unavailable):
        return False
    if error.status is None:
        return error.code in _NO_ANSWER or (error.code in _NONSENSE and not writes)
    if 200 <= error.status < 300:
        return not writes and error.code in _NONSENSE
    return error.status in _AGAIN


@dataclass(slots=True)
class Patience:
    """One call's: how often it was tried, how long it has waited between and how long it was under way."""

    attempts: int
    rng: Random = field(repr=False)
    writes: bool = False
    tried: int = 0
    spent: float = 0.0
    travelled: float = 0.0
    """Seconds that its attempts took, their waits for a seat not counted."""

    @property
    def left(self) -> float:
        return max(0.0, BUDGET - self.spent)

    def after(self, error: HubSpotError) -> float | None:
        """Seconds to wait before the next try, None to give up.

        Full jitter on a doubling ceiling; what HubSpot asked for is the floor, and a floor above what is left of
        the budget ends the matter.
        """
        self.tried += 1
        if self.tried >= self.attempts or self.spent + self.travelled > LONGEST_CALL:
            return None
        if not worth_retrying(error, writes=self.writes):
            return None
        floor = error.retry_after or 0.0
        wait = floor + self.rng.uniform(0, min(LONGEST, FIRST * 2.0 ** (self.tried - 1)))
        if floor > self.left:
            return None
        wait = min(wait, self.left)
        self.spent += wait
        return wait
