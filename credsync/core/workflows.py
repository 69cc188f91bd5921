"""Tells a workflow that is slow from one that never fired, by who waits for one slot and what came meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

IN_A_ROW = 3
"""So many late ones in a row, by sign-up, before a workflow is said not to have fired for them."""
MANY = 5
"""So many late at once before it is said to be slow."""
MANY_SHARE = 0.2
"""And at least this share of all whose time was up, since about one in a hundred is always late."""
PATIENCE = 3
"""Deadlines without any record of the slot, while other records of the same therapists come, until it is off."""


class Trouble(StrEnum):
    """What is the matter with the workflow that makes a slot's records."""

    SLOW = "slow"
    NEVER_FIRED = "never_fired"


@dataclass(frozen=True, slots=True)
class Came:
    """A record that came: since when it was waited for, and when it was found."""

    since: datetime
    found_at: datetime


def trouble_of(
    waiting: Sequence[datetime], came: Sequence[Came], others_came: int, deadline: timedelta, now: datetime
) -> Trouble | None:
    """What is the matter with one slot's workflow; None where nothing is.

    `waiting` is since when each waits whom a fact made wait and a look has missed, the longest first; `came` the records
    of the slot found since the longest waits; `others_came` how many of the late ones got a record of another slot
    meanwhile.

    Never fired: several in a row (by sign-up) have none, while most of what comes, comes on time to those who signed up
    later; or nothing of this slot comes at all, for three deadlines, while other records do. Slow: many are late at
    once, or came late.
    """
    late = [since for since in waiting if now - since >= deadline]
    if len(late) < IN_A_ROW:
        return None
    lately = [each for each in came if each.found_at >= late[0] + deadline]
    behind = sum(each.found_at - each.since > deadline for each in lately)
    on_time = len(lately) - behind
    if _longest_row(late, came) >= IN_A_ROW:
        off = not lately and others_came >= IN_A_ROW and now - late[0] >= PATIENCE * deadline
        if off or on_time > behind:
            return Trouble.NEVER_FIRED
    if len(late) >= MANY and (len(late) + behind) >= MANY_SHARE * (len(late) + len(lately)):
        return Trouble.SLOW
    return None


def _longest_row(late: Sequence[datetime], came: Sequence[Came]) -> int:
    """The most late ones in a row, by sign-up, between whom nobody's record came."""
    order = sorted([(since, True) for since in late] + [(each.since, False) for each in came])
    longest = row = 0
    for _, is_late in order:
        row = row + 1 if is_late else 0
        longest = max(longest, row)
    return longest
