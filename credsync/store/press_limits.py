"""How often Sync now may be pressed: so that no script and no impatient hand keeps a portal's rounds from everybody else's work.

What is pressed again before a round has taken it up is the same press and counts nothing. A refused one changes nothing
and asks HubSpot nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from credsync.core.durations import say_duration
from credsync.core.phrases import phrase
from credsync.store.tables import syncs

WINDOW: Final = timedelta(minutes=10)
OF_ONE_THERAPIST: Final = 10
"""Presses of one therapist in a window, whoever presses."""
BY_ONE: Final = 600
"""Therapists pressed by one person or token in a window."""


class PressedTooOften(Exception):
    """Why Sync now is not taken, as a sentence, and after how long it is again."""

    def __init__(self, why: str, wait: timedelta) -> None:
        self.why, self.wait = why, wait
        super().__init__(why)


def may_press(connection: Connection, by: str, therapist_ids: Sequence[str], now: datetime) -> None:
    """Raises `PressedTooOften` if these would be too many, having changed nothing."""
    if len(therapist_ids) == 1:
        mine = (syncs.c.therapist_id == therapist_ids[0], syncs.c.form.is_(None), syncs.c.slot.is_(None))
        if connection.execute(select(syncs.c.id).where(*mine, syncs.c.planned_at.is_(None))).first():
            return
        wait = _wait(connection, mine, OF_ONE_THERAPIST - 1, now)
        if wait is not None:
            raise PressedTooOften(
                phrase(
                    "Sync now was pressed {count} times for this therapist in {window}, and each time everything was looked "
                    "at and sent again. See the page for what keeps it from being written; press again in {wait}.",
                    count=OF_ONE_THERAPIST,
                    window=say_duration(WINDOW),
                    wait=say_duration(wait),
                ),
                wait,
            )
    wait = _wait(connection, (syncs.c.requested_by == by,), BY_ONE - len(therapist_ids), now)
    if wait is not None:
        raise PressedTooOften(
            phrase(
                "You pressed Sync now for {count} therapists in {window}; more would keep others waiting for HubSpot. Press "
                "again in {wait}, or have the on-call engineer run a re-sync (credsync resync), which goes behind "
                "everybody else.",
                count=BY_ONE,
                window=say_duration(WINDOW),
                wait=say_duration(wait),
            ),
            wait,
        )


def _wait(
    connection: Connection, mine: Sequence[ColumnElement[bool]], before: int, now: datetime
) -> timedelta | None:
    """Until so few of these presses, which are `before` more of them, are in the window; None if they are."""
    newest = select(syncs.c.requested_at).where(*mine).order_by(syncs.c.requested_at.desc())
    at = connection.execute(newest.offset(before).limit(1)).scalar_one_or_none()
    return None if at is None or at <= now - WINDOW else at + WINDOW - now
