"""The help-desk report on one therapist: what is where, what was written, what happens next, what happened so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from credsync.core.phrases import phrase
from credsync.core.portal import Portal
from credsync.operate.next_steps import next_steps
from credsync.operate.packet_text import packet_markdown
from credsync.operate.status import therapist_status
from credsync.operate.timeline import timeline_of
from credsync.store.clock import say_time

__all__ = ["packet", "packet_markdown"]


def packet(
    connection: Connection, portals: Mapping[str, Portal], therapist_id: str, now: datetime
) -> dict[str, Any] | None:
    """The report; None for an unknown therapist. Nothing that was submitted is in it.

    The status, each link with `outcome` (true when its record is found) and `lateness` in words; then `made_at,
    refused_properties: [{form, slot, record_id, name, code, message}], correlation_ids: [...], next: [sentence],
    timeline: [event]`.
    """
    status = therapist_status(connection, portals, therapist_id, now)
    if status is None:
        return None
    links = [
        {**link, "outcome": link["state"] == "found", "lateness": lateness(link)} for link in status["links"]
    ]
    refused = [
        {"form": w["form"], "slot": w["slot"], "record_id": w["record_id"], **_named(each)}
        for w in status["writes"]
        for each in w["properties"]
        if each["state"] == "refused"
    ]
    return {
        **status,
        "made_at": say_time(now),
        "links": links,
        "refused_properties": refused,
        "correlation_ids": list(
            dict.fromkeys(each for write in status["writes"] for each in write["correlation_ids"])
        ),
        "next": next_steps(status, now),
        "timeline": timeline_of(connection, therapist_id),
    }


def lateness(link: Mapping[str, Any]) -> str:
    """How late the record was, in words."""
    found = link["state"] == "found"
    if link["first_missed_at"] is None:
        return phrase("never missed") if found else phrase("not looked for yet")
    if link["lateness_s"] is not None:
        span = timedelta(seconds=link["lateness_s"])
        return phrase("created {span} after the first look that missed it", span=span)
    return phrase("its creation time is not known") if found else phrase("not there yet")


def _named(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in ("name", "code", "message")}
