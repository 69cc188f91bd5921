"""How long records take to come: which waits count, and the counts that percentiles are read off.

A delay is counted where somebody waited for a record because a fact came (a sign-up, an Extended Sign Up, a submission).
It lasts from that fact to the look that found the record, and to the record's creation. The fact's moment is ours, the creation
HubSpot's; the two clocks may differ by a little, and what HubSpot created before the fact came is no delay.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from credsync.core.links import Link, LinkState
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, Reason
from credsync.core.schedule import Policy

WATCHED = 15
"""Shortest looks within which somebody must look at first, and again, for the moment of finding to tell anything."""
KEPT_FOR = timedelta(days=91)
"""How long counts are kept: thirteen weeks."""
GROWTH = 1.05
"""Each bucket ends so much later than the one before: a percentile is at most 5 % above the truth, never below."""
_SHORTEST = 0.01


class Measure(StrEnum):
    """What the fact is set against."""

    FOUND = "found"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class Delay:
    """One delay of one slot. `slot` is the rule's key: `license` for `license.NY`; `since` is when the fact came."""

    slot: str
    measure: Measure
    since: datetime
    span: timedelta


def found_delays(
    waited: Mapping[str, Link], found: Mapping[str, Link], now: datetime, policy: Policy
) -> tuple[dict[str, Link], list[Delay]]:
    """The links after a look, with what is still to be measured on them, and the delays that ended with it.

    `waited` are the links as planned before the look, `found` as judged after it.
    """
    links: dict[str, Link] = {}
    delays: list[Delay] = []
    for slot, link in found.items():
        before = waited.get(slot)
        if before is None or link.state is not LinkState.FOUND or link.record_id == before.record_id:
            links[slot] = link if link.record_id is not None else replace(link, measured_from=None)
            continue
        since = before.awaited_since if _was_waited_for(before, now) else None
        links[slot] = replace(link, measured_from=since)
        if since is not None and _watched(before, now, policy):
            delays.append(Delay(rule_of(slot), Measure.FOUND, since, now - since))
    return links, delays


def creation_delay(link: Link, created: datetime | None) -> Delay | None:
    """The delay until the link's record was `created`, once that is known; None where nobody waited for it by then."""
    since = link.measured_from
    if since is None or created is None or created < since:
        return None
    return Delay(rule_of(link.slot), Measure.CREATED, since, created - since)


def rule_of(slot: str) -> str:
    """The key of the slot's table in the portal file: `license` for `license.NY`."""
    return slot.split(".", 1)[0]


def _was_waited_for(before: Link, now: datetime) -> bool:
    """Whether a fact made it awaited, and nobody had to sort anything out since.

    A wait that a look began (a loss, an import) is nobody's trigger: its first miss is its very beginning.
    """
    if not before.awaited or before.first_missed_at == before.awaited_since or before.awaited_since >= now:
        return False
    if before.state is LinkState.AMBIGUOUS and before.reason is not Reason.SETTLING:
        return False
    if before.reason in OWED_BY_NO_WORKFLOW:
        return False
    return (
        before.record_id is None or before.found_at is None or before.doubtful_since == before.awaited_since
    )


def _watched(before: Link, now: datetime, policy: Policy) -> bool:
    """Whether looks went on from the beginning to the end, so that the moment of finding is the record's and not ours.

    What the first look found may have been there before anybody waited; a pause or an outage measures itself.
    """
    since, missed, looked = before.awaited_since, before.first_missed_at, before.last_looked_at
    near = policy.look_again_min * WATCHED
    if looked is None or looked <= since or (missed is not None and missed > since + near):
        return False
    return now - looked <= max(near, (now - since) / 2)


def week_of(moment: datetime) -> str:
    """The Monday of a moment's week, in UTC: `2026-03-02`."""
    day = moment.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def bucket_of(span: timedelta) -> int:
    """The number of the bucket a span falls into."""
    seconds = max(_SHORTEST, span.total_seconds())
    return math.ceil(round(math.log(seconds, GROWTH), 9))


def bucket_end(bucket: int) -> timedelta:
    """The longest span of a bucket."""
    return timedelta(seconds=GROWTH**bucket)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many delays fell into each bucket."""

    counts: Mapping[int, int]

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def percentile(self, share: float) -> timedelta | None:
        """The span within which this share of all came (0.99: p99), as the end of its bucket; None without any."""
        left = math.ceil(round(share * self.count, 9))
        for bucket in sorted(self.counts):
            left -= self.counts[bucket]
            if left <= 0:
                return bucket_end(bucket)
        return None


def together(histograms: Iterable[Histogram]) -> Histogram:
    """Several as one."""
    counts: dict[int, int] = {}
    for each in histograms:
        for bucket, count in each.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
    return Histogram(counts)
