"""How many calls a portal's rounds have made on their account's present day, and until when HubSpot wants none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, case, func, select

from credsync.store.database import insert
from credsync.store.tables import daily_calls


@dataclass(frozen=True, slots=True)
class CallsMade:
    """Calls of one bucket, how many the account may make in all, if HubSpot told it, and until when it said stop."""

    calls: int
    allowed: int | None = None
    stopped_until: datetime | None = None


def add_calls(connection: Connection, portal: str, day: date, made: Mapping[str, CallsMade]) -> None:
    """Add calls by bucket. A new day begins with them."""
    rows = [
        {
            "portal": portal,
            "bucket": bucket,
            "day": day.isoformat(),
            "calls": each.calls,
            "allowed": each.allowed,
            "stopped_until": each.stopped_until,
        }
        for bucket, each in made.items()
    ]
    if not rows:
        return
    row = insert(connection, daily_calls)
    same_day = daily_calls.c.day == row.excluded.day
    connection.execute(
        row.on_conflict_do_update(
            index_elements=[daily_calls.c.portal, daily_calls.c.bucket],
            set_={
                "day": row.excluded.day,
                "allowed": row.excluded.allowed,
                "stopped_until": func.coalesce(row.excluded.stopped_until, daily_calls.c.stopped_until),
                "calls": case((same_day, daily_calls.c.calls + row.excluded.calls), else_=row.excluded.calls),
            },
        ),
        rows,
    )


def calls_on(connection: Connection, portal: str, day: date) -> dict[str, CallsMade]:
    """What is kept of this day, by bucket."""
    query = select(daily_calls).where(daily_calls.c.portal == portal, daily_calls.c.day == day.isoformat())
    return {row.bucket: CallsMade(row.calls, row.allowed) for row in connection.execute(query)}


def stops_of(connection: Connection, portal: str) -> dict[str, datetime]:
    """Until when HubSpot said that nothing is left, by bucket, as it said last: also what is over."""
    query = select(daily_calls.c.bucket, daily_calls.c.stopped_until).where(
        daily_calls.c.portal == portal, daily_calls.c.stopped_until.is_not(None)
    )
    return {row.bucket: row.stopped_until for row in connection.execute(query)}
