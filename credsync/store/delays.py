"""Counts how long records took to come, by portal, slot, week and bucket: as many rows, however many records.

A million delays are a few thousand rows; one is an upsert in the transaction that stores the link.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, text, update

from credsync.core.deadlines import Deadline, Source
from credsync.core.delays import (
    KEPT_FOR,
    Delay,
    Histogram,
    Measure,
    bucket_of,
    creation_delay,
    rule_of,
    week_of,
)
from credsync.store.cases import link_of
from credsync.store.database import insert
from credsync.store.tables import WAITING, deadlines, delays, links

ByWeek = Mapping[str, Mapping[Measure, Histogram]]


def count_delays(connection: Connection, portal: str, measured: Iterable[Delay]) -> None:
    """Add delays to the counts, inside the caller's transaction."""
    counted = Counter((d.slot, week_of(d.since), d.measure.value, bucket_of(d.span)) for d in measured)
    if not counted:
        return
    rows = [
        {"portal": portal, "slot": slot, "week": week, "measure": measure, "bucket": bucket, "number": number}
        for (slot, week, measure, bucket), number in sorted(counted.items())
    ]
    row = insert(connection, delays)
    added = {"number": delays.c.number + row.excluded.number}
    connection.execute(row.on_conflict_do_update(index_elements=list(delays.primary_key), set_=added), rows)


def delays_by_week(connection: Connection, portal: str, slot: str | None = None) -> dict[str, ByWeek]:
    """The counts of a portal by slot rule, week and measure; of one rule if `slot` names it."""
    query = select(delays).where(delays.c.portal == portal)
    if slot is not None:
        query = query.where(delays.c.slot == slot)
    counts: dict[str, dict[str, dict[Measure, dict[int, int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for row in connection.execute(query):
        counts[row.slot][row.week][Measure(row.measure)][row.bucket] = row.number
    return {
        slot: {week: {m: Histogram(c) for m, c in each.items()} for week, each in weeks.items()}
        for slot, weeks in counts.items()
    }


def forget_old_delays(connection: Connection, portal: str, now: datetime) -> None:
    """Drop the weeks that are over for longer than counts are kept."""
    oldest = week_of(now - KEPT_FOR)
    connection.execute(delete(delays).where(delays.c.portal == portal, delays.c.week < oldest))


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for a slot, and since when the longest does; what is given up does not count."""

    count: int
    since: datetime


def waiting_now(connection: Connection, portal: str) -> dict[str, Waiting]:
    """Who waits, by slot rule."""
    query = (
        select(links.c.slot, func.count().label("many"), func.min(links.c.awaited_since).label("since"))
        .where(links.c.portal == portal, text(WAITING))
        .group_by(links.c.slot)
    )
    found: dict[str, Waiting] = {}
    for row in connection.execute(query):
        rule = rule_of(row.slot)
        before = found.get(rule, Waiting(0, row.since))
        found[rule] = Waiting(before.count + row.many, min(before.since, row.since))
    return found


def keep_creation_times(
    connection: Connection, portal: str, created: Mapping[tuple[str, str, str], datetime]
) -> int:
    """Store when records were created, by therapist, slot and record id, and count the delays that end with it.

    Only where the link still holds that record and nobody told before: a round may have come between. Gives how many
    were news.
    """
    kept = 0
    measured: list[Delay] = []
    for (therapist_id, slot, record_id), at in created.items():
        mine = (links.c.therapist_id == therapist_id) & (links.c.slot == slot)
        unknown = mine & (links.c.record_id == record_id) & links.c.record_created_at.is_(None)
        row = connection.execute(
            update(links).where(unknown).values(record_created_at=at).returning(*links.c)
        ).one_or_none()
        if row is None:
            continue
        kept += 1
        if row.measured_from is not None:
            delay = creation_delay(link_of(row), row.record_created_at)
            measured += [delay] if delay is not None else []
            connection.execute(update(links).where(mine).values(measured_from=None))
    count_delays(connection, portal, measured)
    return kept


def deadlines_of(connection: Connection, portal: str) -> dict[str, Deadline]:
    """When waits are overdue, by slot rule, as the portal's owner last judged."""
    query = select(deadlines).where(deadlines.c.portal == portal)
    return {
        row.slot: Deadline(
            row.slot,
            timedelta(milliseconds=row.after_ms),
            Source(row.source),
            row.samples,
            None
            if row.normally_from_ms is None
            else (
                timedelta(milliseconds=row.normally_from_ms),
                timedelta(milliseconds=row.normally_to_ms),
            ),
        )
        for row in connection.execute(query)
    }


def keep_deadlines(connection: Connection, portal: str, judged: Iterable[Deadline]) -> None:
    """Store what holds from now on, in place of what held."""
    connection.execute(delete(deadlines).where(deadlines.c.portal == portal))
    rows = [
        {
            "portal": portal,
            "slot": each.slot,
            "after_ms": _ms(each.after),
            "source": each.source.value,
            "samples": each.samples,
            "normally_from_ms": _ms(each.normally[0]) if each.normally else None,
            "normally_to_ms": _ms(each.normally[1]) if each.normally else None,
        }
        for each in judged
    ]
    if rows:
        connection.execute(deadlines.insert(), rows)


def _ms(span: timedelta) -> int:
    return max(1, round(span / timedelta(milliseconds=1)))
