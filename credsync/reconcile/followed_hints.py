"""The hints a round follows: taken with its claim, forgotten once they were looked after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from credsync.core.observations import NotSeen
from credsync.core.portal import Awaited, Portal
from credsync.core.schedule import Policy
from credsync.reconcile.observe import Sights
from credsync.store.cases import NOTHING_TAKEN, Taken
from credsync.store.hints import ANYBODY, Pending, pending_hints
from credsync.store.webhooks import webhook_standing

_UNANSWERED = 15
"""Shortest looks until a hint whose look was not answered is followed again."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Hints that were looked after, and others that are due only after a while."""

    seen: Sequence[Pending]
    put_off: Sequence[Pending]
    after: timedelta


@dataclass(slots=True)
class FollowedHints:
    """One round's."""

    portal: Portal
    hints: Sequence[Pending] = ()
    _beside: bool = False
    """Whether others were in flight, whose therapists a hint for whoever waits may be for, too."""
    hinted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Object types by therapist."""

    def take(self, connection: Connection, besides: Taken = NOTHING_TAKEN) -> None:
        """Take all that no other round follows."""
        self._beside = besides != NOTHING_TAKEN
        self.hints = [
            hint
            for hint in pending_hints(connection, self.portal.name)
            if hint.therapist_id not in besides.therapists
            and not (hint.therapist_id == ANYBODY and hint.object in besides.woken)
        ]
        hinted: dict[str, frozenset[str]] = {}
        for hint in self.hints:
            if hint.therapist_id != ANYBODY:
                hinted[hint.therapist_id] = hinted.get(hint.therapist_id, frozenset()) | {hint.object}
        self.hinted = hinted

    @property
    def woken(self) -> frozenset[str]:
        """The object types of which whoever waits is to be looked at."""
        return frozenset(hint.object for hint in self.hints if hint.therapist_id == ANYBODY)

    @property
    def woken_slots(self) -> list[str]:
        """The rules of their slots, by key."""
        return [rule.key for key in sorted(self.woken) for rule in self.portal.rules_of(key)]

    def settle(
        self,
        sights: Sights,
        looked_at: Collection[str],
        unseen: Collection[str],
        unreadable: Collection[str],
        policy: Policy,
        *,
        full: bool,
    ) -> Iterator[Settling]:
        """What becomes of them. `unseen` are therapists whom HubSpot did not show, `unreadable` object types that it
        denies; of a `full` round's, only those of who was `looked_at` are over.

        A hint for whoever waits is followed once more when others were in flight: they may have looked too soon.
        """
        unseen = {*unseen, *(ANYBODY for key in self.woken if _unanswered(sights, key))}
        taken = {*looked_at, ANYBODY}
        looked = [h for h in self.hints if not full or h.therapist_id in taken]
        answered = [h for h in looked if h.therapist_id not in unseen]
        again = [h for h in answered if h.therapist_id == ANYBODY and self._beside]
        open_ = [h for h in looked if h.therapist_id in unseen]
        denied = [h for h in open_ if h.object in unreadable]
        for settling in (
            Settling(
                [h for h in answered if h not in again],
                [h for h in open_ if h not in denied],
                _UNANSWERED * policy.look_again_min,
            ),
            Settling([], again, policy.hint_coalesce),
            Settling([], denied, policy.look_again_max),
        ):
            if settling.seen or settling.put_off:
                yield settling


def _unanswered(sights: Sights, key: str) -> bool:
    seen = [s[key] for s in sights.values() if key in s]
    return bool(seen) and all(isinstance(sight, NotSeen) for sight in seen)


def policy_with_hints(connection: Connection, portal: Portal, policy: Policy, now: datetime) -> Policy:
    """Whoever HubSpot will tell of is looked at less often."""
    awaited = {r.object for r in portal.slots.values() if r.awaited is not Awaited.NEVER}
    standing = webhook_standing(connection, portal.name)
    return replace(
        policy,
        hints_come=standing.hints_come(awaited, now, policy),
        hints_likely=standing.hints_likely(now, policy),
    )
