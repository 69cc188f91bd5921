"""What an observe-only portal's held writes would write and where, by name: their values show in the diff alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from credsync.core.links import LinkState
from credsync.core.mapping import Told
from credsync.core.outgoing import wanted_by
from credsync.core.plan import settled_slots
from credsync.core.portal import Portal
from credsync.core.reasons import Reason
from credsync.core.writes import WriteState
from credsync.operate.outlook import Outlook
from credsync.operate.record_urls import Pages
from credsync.store.cases import facts_of


@dataclass(frozen=True, slots=True)
class ObservedWrite:
    """The record a held write would go to, if there is one, and the properties it would set."""

    object_key: str
    record_id: str | None
    names: tuple[str, ...]


def observed_writes(
    connection: Connection, portal: Portal | None, therapist_id: str, outlook: Outlook
) -> Mapping[int, ObservedWrite]:
    """Of each write that only observing holds back, by its place among the therapist's writes."""
    held = {
        index: write
        for index, write in enumerate(outlook.writes)
        if write.state is WriteState.HELD and write.reason is Reason.OBSERVE_ONLY
    }
    if portal is None or not held:
        return {}
    told = Told(portal, facts_of(connection, [therapist_id])[therapist_id])
    settled = settled_slots(outlook.writes)
    found: dict[int, ObservedWrite] = {}
    for index, write in held.items():
        rule, link = portal.slot_rule(write.slot), outlook.links.get(write.slot)
        linked = link is not None and link.state is LinkState.FOUND
        found[index] = ObservedWrite(
            rule.object if rule is not None else "",
            link.record_id if link is not None and linked else None,
            tuple(wanted_by(told, write, settled)),
        )
    return found


def observed_json(write: ObservedWrite | None, pages: Pages) -> dict[str, Any]:
    """What it adds to a write of the status; nothing for a write that is not held by observing."""
    if write is None:
        return {}
    return {
        "record_id": write.record_id,
        "record_url": pages.record(write.object_key, write.record_id),
        "properties": [
            {"name": name, "state": WriteState.HELD.value, "code": "", "message": ""} for name in write.names
        ],
    }
