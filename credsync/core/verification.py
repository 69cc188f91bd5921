"""What a verification sweep makes of what it saw, and how much of HubSpot's day it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from credsync.core.decide import Case, Decision
from credsync.core.links import Link
from credsync.core.observations import NotSeen
from credsync.core.slots import TypeSight

SHARE = 0.02
"""Of the calls of a day (domain and issue: at most 2 %)."""
MOST_CALLS = 100
"""Of one sweep: a few a thousand contacts and type, ten for creation times, some to learn names anew."""
DAY = timedelta(days=1)


def answered(sights: Mapping[str, TypeSight]) -> dict[str, TypeSight]:
    """What HubSpot answered: an unanswered object type counts as not looked at, and concludes nothing."""
    return {key: sight for key, sight in sights.items() if not isinstance(sight, NotSeen)}


def differs(case: Case, decision: Decision) -> bool:
    """Whether anything is not as it is known: then a round must take the therapist.

    That a link was looked at once more is no difference.
    """
    if decision.events or decision.lost or decision.shared_with or case.links.keys() != decision.links.keys():
        return True
    return any(_as_known(link) != _as_known(case.links[slot]) for slot, link in decision.links.items())


def _as_known(link: Link) -> Link:
    return replace(link, looks=0, last_looked_at=None, next_look_at=None)


def rest_after(calls: int, daily_calls: int, speed: float = 1.0) -> timedelta:
    """How long after so many calls the next may begin, so that no day, wherever it begins, holds more than the share.

    One sweep more than was waited for may lie in a day; its calls are left out of what is shared out.
    """
    share = SHARE * daily_calls
    return calls * DAY / max(share - MOST_CALLS, share / 2) / speed
