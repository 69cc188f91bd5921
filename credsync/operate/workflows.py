"""Which workflows of a portal are slow or never fired, and whom to enrol in them again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from credsync.core.portal import Portal
from credsync.core.workflows import IN_A_ROW, Trouble, trouble_of
from credsync.operate.record_urls import pages_of
from credsync.store.clock import say_time
from credsync.store.delays import deadlines_of
from credsync.store.workflows import (
    came_since,
    how_many_late,
    others_of,
    slots_with_late,
    to_enrol_again,
    waiting_for,
)


def troubled_workflows(
    connection: Connection, portal: Portal, now: datetime
) -> Mapping[str, tuple[Trouble, int]]:
    """What is the matter with the workflow behind each slot rule, and how many are late for it; only where something is.

    Two statements where nobody is late; four more for each slot where several are.
    """
    deadlines = {slot: each.after for slot, each in deadlines_of(connection, portal.name).items()}
    known = [rule for key, rule in portal.slots.items() if key in deadlines]
    shortest = min(deadlines.values(), default=timedelta(0))
    troubled: dict[str, tuple[Trouble, int]] = {}
    for rule in slots_with_late(connection, portal.name, known, now - shortest, IN_A_ROW):
        waiting, deadline = waiting_for(connection, portal.name, rule), deadlines[rule.key]
        late = [therapist for therapist, since in waiting if now - since >= deadline]
        if len(late) < IN_A_ROW:
            continue
        came = came_since(connection, portal.name, rule, waiting[0][1])
        others = others_of(connection, rule, late)
        trouble = trouble_of([since for _, since in waiting], came, others, deadline, now)
        count = how_many_late(connection, portal.name, rule.key) if trouble is not None else 0
        if trouble is not None and count >= IN_A_ROW:
            troubled[rule.key] = (trouble, count)
    return troubled


def enrol_again(connection: Connection, portal: Portal, slot: str) -> list[dict[str, Any]]:
    """The contacts whose record of a slot rule is overdue, to be enrolled again in the workflow that makes it.

    `[{contact_id, contact_url, therapist_id, slot, waiting_since, state}]`, the longest waiting first.
    """
    pages = pages_of(connection, portal.name)
    return [
        {
            "contact_id": each.contact_id,
            "contact_url": pages.contact(each.contact_id),
            "therapist_id": each.therapist_id,
            "slot": each.slot,
            "waiting_since": say_time(each.since),
            "state": each.state,
        }
        for each in to_enrol_again(connection, portal.name, slot)
    ]
