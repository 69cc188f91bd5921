"""When to look again, and when waiting becomes overdue or is given up (domain.md, rules)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """The spans of the look-again rule; all of them settings, all divided by `speed` in a rehearsal.

    4 s and a twentieth, where the rule's first draft said 5 s and a tenth: measured by `make bench`, that brings the
    95th percentile from a record's appearance to its write below 5 s at about one call per therapist.
    """

    look_again_min: timedelta = timedelta(seconds=4)
    look_again_max: timedelta = timedelta(hours=1)
    look_again_share: float = 0.05
    """The share of the time waited so far after which to look again."""
    coalesce: timedelta = timedelta(seconds=4)
    """How long a fact that nobody waits at a screen for may wait for company."""
    overdue_after: timedelta = timedelta(minutes=30)
    give_up_after: timedelta = timedelta(days=7)
    given_up_look: timedelta = timedelta(days=1)
    settle_after: timedelta = timedelta(minutes=10)
    overdue_set: bool = False
    """Whether `overdue_after` is somebody's word; else it holds only where nothing is learnt."""
    overdue_floor: timedelta = timedelta(minutes=5)
    overdue_ceiling: timedelta = timedelta(days=1)
    """What is learnt lies between these."""
    learn_every: timedelta = timedelta(hours=1)
    verify_every: timedelta = timedelta(days=1)
    """How long what is in sync is believed without a look."""
    learnt: Mapping[str, timedelta] = field(default_factory=dict)
    """Deadlines learnt from delays, by slot rule, as they pass here: no speed divides them."""
    speed: float = 1.0
    hint_coalesce: timedelta = timedelta(seconds=1)
    """How long a webhook's hint may wait for company: HubSpot tells of one record in several calls."""
    hints_come: bool = False
    """Whether HubSpot tells, at present, of what is waited for. Looks of our own then only find what a lost hint
    would have told, and are rarer: after half the time waited, within `hinted_look_min` and `hinted_look_max`.
    """
    hints_likely: bool = False
    """Whether HubSpot has only just begun to call: it may not have had anything yet to tell of what is waited for.
    Looks of our own are then at least `likely_look_min` apart.
    """
    likely_look_min: timedelta = timedelta(seconds=20)
    likely_calls: int = 20
    """So many calls in all, and it has not begun only just."""
    hinted_look_min: timedelta = timedelta(minutes=3)
    hinted_look_max: timedelta = timedelta(minutes=5)
    hints_last: timedelta = timedelta(minutes=10)
    """How long after the last webhook they are relied on."""
    hints_proven: timedelta = timedelta(days=7)
    """How long after the last association of an object type HubSpot is known to tell of that type."""

    def at_speed(self, speed: float) -> Policy:
        """The same rule with every span `speed` times shorter."""
        spans = {
            name: span / speed
            for name in self.__slots__
            if isinstance(span := getattr(self, name), timedelta)
        }
        return replace(self, speed=self.speed * speed, **spans)  # type: ignore[arg-type]

    def without_hints(self) -> Policy:
        """The same where no hint is counted on."""
        return replace(self, hints_come=False, hints_likely=False)

    def overdue_of(self, slot_rule: str, own: timedelta | None = None) -> timedelta:
        """When a wait for a slot of this rule is overdue: `own` is the portal file's word, then the settings', then
        what was learnt, then the default.
        """
        if own is not None:
            return own / self.speed
        return self.overdue_after if self.overdue_set else self.learnt.get(slot_rule, self.overdue_after)


def look_again_after(waited: timedelta, policy: Policy) -> timedelta:
    """How long to wait before the next look: max(4 s, a twentieth of the time waited), at most 1 h.

    While hints come: max(3 min, half of the time waited), at most 5 min, unless it is more anyway. While they are
    likely to: at least 20 s.
    """
    usual = min(policy.look_again_max, max(policy.look_again_min, waited * policy.look_again_share))
    if not policy.hints_come:
        return max(usual, policy.likely_look_min) if policy.hints_likely else usual
    return max(usual, min(policy.hinted_look_max, max(policy.hinted_look_min, waited / 2)))


def next_look(awaited_since: datetime, now: datetime, policy: Policy) -> datetime:
    """When a link awaited since then is looked at next, seen from a look at `now`."""
    return now + look_again_after(max(timedelta(0), now - awaited_since), policy)


def send_again_after(attempts: int, policy: Policy) -> timedelta:
    """How long a write without a verdict waits before it is read back: doubling from the shortest look, at most 1 h."""
    return min(policy.look_again_max, policy.look_again_min * float(2 ** min(attempts, 12)))
