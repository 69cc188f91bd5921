"""One therapist's status, written for a person at a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from credsync.cli.output import moment, say, say_pairs, say_table


def say_status(status: Mapping[str, Any], now: datetime) -> None:
    """The status as `therapist_status` gives it: who, how it stands, slots, writes, what happens next."""
    from credsync.operate.next_steps import next_steps

    say_pairs(
        {
            "therapist": status["id"],
            "name": status["name"],
            "state": status["state"],
            "since": moment(status["state_since"]),
            "why": status["message"] or None,
            "portal": f"{status['portal']} ({status['portal_state']})",
            "contact": status["contact_id"] or "not known yet",
            "contact page": status["contact_url"],
            "complete": "yes: every awaited record is there" if status["complete"] else "no",
        }
    )
    _say_slots(status["links"])
    _say_writes(status["writes"])
    say("\nWhat happens next")
    for sentence in next_steps(status, now):
        say(f"  {sentence}")


def _say_slots(links: list[Mapping[str, Any]]) -> None:
    if not links:
        return
    say()
    head = ("slot", "state", "record", "first missed", "found", "next look", "why, or where")
    stamped = any(link["shows_submission"] for link in links)
    rows = [(*_slot_row(link), *((link["shows_submission"],) if stamped else ())) for link in links]
    say_table((*head, *(("shows",) if stamped else ())), rows)


def _slot_row(link: Mapping[str, Any]) -> tuple[object, ...]:
    candidates = ", ".join(each["record_id"] for each in link["candidates"])
    state = link["state"] if link["awaited"] or link["record_id"] else "not awaited"
    return (
        link["slot"],
        state,
        link["record_id"] or candidates,
        moment(link["first_missed_at"]),
        moment(link["found_at"]),
        moment(link["next_look_at"]),
        link["record_url"] if link["state"] == "found" and not link["message"] else link["message"],
    )


def _say_writes(writes: list[Mapping[str, Any]]) -> None:
    if not writes:
        return
    say()
    head = ("form", "slot", "state", "record", "submitted", "written", "attempts", "why")
    say_table(
        head,
        [
            (
                write["form"],
                write["slot"],
                write["state"],
                write["record_id"],
                moment(write["submitted_at"]),
                moment(write["written_at"]),
                write["attempts"],
                write["message"],
            )
            for write in writes
        ],
    )
    refused = [
        (each["name"], write["slot"], each["code"], each["message"])
        for write in writes
        for each in write["properties"]
        if each["state"] == "refused"
    ]
    if refused:
        say()
        say_table(("refused property", "slot", "code", "what HubSpot says"), refused)
