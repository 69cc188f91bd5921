"""How long HubSpot's workflows take, when a wait is overdue because of it, and who waits now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from credsync.core.deadlines import Deadline, deadline_of
from credsync.core.delays import Histogram, Measure, week_of
from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.operate.status import time_or_none
from credsync.store.delays import Waiting, deadlines_of, delays_by_week, waiting_now

MOST_WEEKS = 13


def judge_deadlines(connection: Connection, portal: Portal, now: datetime, policy: Policy) -> list[Deadline]:
    """The deadline of each slot of a portal file, by what was counted and what has held so far."""
    counted, held = delays_by_week(connection, portal.name), deadlines_of(connection, portal.name)
    return [
        deadline_of(key, rule.overdue_after, counted.get(key, {}), now, policy, held.get(key))
        for key, rule in portal.slots.items()
    ]


def delays_report(
    connection: Connection,
    portals: Iterable[Portal],
    now: datetime,
    policy: Policy,
    *,
    slot: str | None = None,
    weeks: int = MOST_WEEKS,
) -> dict[str, Any]:
    """`{"delays": [...]}`: each slot of each portal, in the files' order; `slot` is the key of a rule.

    Each `{portal, slot, object, message, overdue_after_s, overdue_after_from, samples, waiting, longest_waiting_since,
    weeks: [{week, found: {count, p50_s, p95_s, p99_s}, created: {…}}]}`, the newest week first. Spans are seconds,
    counted up to 5 % too long, never too short.
    """
    told = []
    first = week_of(now - timedelta(weeks=weeks - 1))
    for portal in portals:
        counted, waiting = delays_by_week(connection, portal.name, slot), waiting_now(connection, portal.name)
        known = deadlines_of(connection, portal.name)
        for key, rule in portal.slots.items():
            if slot not in (None, key):
                continue
            by_week = counted.get(key, {})
            deadline = known.get(key) or deadline_of(key, rule.overdue_after, by_week, now, policy, None)
            told.append(
                {"portal": portal.name, "slot": key, "object": rule.object}
                | deadline_json(deadline)
                | _waiting_json(waiting.get(key))
                | {
                    "weeks": [
                        _week_json(week, each)
                        for week, each in sorted(by_week.items(), reverse=True)
                        if week >= first
                    ]
                }
            )
    return {"delays": told}


def deadline_json(deadline: Deadline) -> dict[str, Any]:
    """When a wait is overdue, and why then."""
    return {
        "message": deadline.sentence,
        "overdue_after_s": _seconds(deadline.after),
        "overdue_after_from": deadline.source.value,
        "samples": deadline.samples,
    }


def _waiting_json(waiting: Waiting | None) -> dict[str, Any]:
    return {
        "waiting": 0 if waiting is None else waiting.count,
        "longest_waiting_since": time_or_none(None if waiting is None else waiting.since),
    }


def _week_json(week: str, measured: Mapping[Measure, Histogram]) -> dict[str, Any]:
    return {"week": week} | {m.value: _percentiles(measured.get(m, Histogram({}))) for m in Measure}


def _percentiles(counts: Histogram) -> dict[str, Any]:
    told: dict[str, Any] = {"count": counts.count}
    for name, share in (("p50_s", 0.5), ("p95_s", 0.95), ("p99_s", 0.99)):
        span = counts.percentile(share)
        told[name] = None if span is None else _seconds(span)
    return told


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 3)
