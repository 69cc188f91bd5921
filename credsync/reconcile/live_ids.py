"""HubSpot's ids of now: which records hold each slot of a contact, whether the contact is known here or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from credsync.core.decide import Case
from credsync.core.differences import Unread
from credsync.core.links import Link
from credsync.core.observations import NotSeen
from credsync.core.portal import Portal
from credsync.core.reasons import sentence
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, holders
from credsync.hubspot.objects import NotRead
from credsync.operate.live import Asking, Live
from credsync.operate.record_urls import Pages, pages_of
from credsync.reconcile.contacts import Gone, MergedInto, fates_of
from credsync.reconcile.observe import Sights, observe, types_to_look_at
from credsync.reconcile.rehearsal import rehearse
from credsync.store.clock import say_time
from credsync.store.known import known_therapist

Sighted = Mapping[str, tuple[Candidate, ...]]


async def live_ids(live: Live, therapist_id: str, policy: Policy, patience: float) -> dict[str, Any]:
    """`{asked_at, complete, ask_again_in_s, contact_id, message, slots: [{slot, stored_record_id, record_id, agrees,
    state, reason, message, records: [{record_id, record_url, parent_id}], not_read}]}` of a known therapist.

    `record_id` is what the next round would link; `agrees` is null where HubSpot did not answer. Raises
    `SettingsError` or `AskLater`.
    """
    known = await live.read(known_therapist, therapist_id)
    assert known is not None, "the therapist is known"
    async with live.asking(known.portal, f"ids:{therapist_id}", patience) as asking:
        rehearsed, _ = await rehearse(live, asking, therapist_id, policy)
        asked = _asked(asking)
    portal, case = asking.edge.portal, rehearsed.prepared.case
    pages = await live.read(pages_of, portal.name)
    now, stored = rehearsed.decision.links, rehearsed.prepared.claimed.case.links
    found = _slots(portal, rehearsed.sights, [*now, *stored])
    slots = []
    for slot in found:
        link, before = now.get(slot), stored.get(slot)
        if link is None or not (link.awaited or link.record_id or found[slot]):
            continue
        rule = portal.slot_rule(slot)
        unread = rehearsed.unseen.get(rule.object) if rule is not None else None
        slots.append(
            {
                "slot": slot,
                "stored_record_id": before.record_id if before is not None else None,
                "record_id": link.record_id if unread is None else None,
                "agrees": None if unread is not None else _id(before) == link.record_id,
                "state": link.state.value,
                "reason": link.reason.value,
                "message": sentence(link.reason),
                **_records(portal, pages, slot, found[slot], unread),
            }
        )
    return {**_whole(asked, slots), "contact_id": case.contact_id, "slots": slots}


async def live_ids_of_contact(
    live: Live, portal_name: str, contact_id: str, patience: float
) -> dict[str, Any]:
    """The same of a contact that nobody here has, in one portal: its records by slot. Nothing is stored.

    `exists` is false for a contact that HubSpot does not have, null where it did not say; `merged_into` names the
    contact it lives on as, whose records are then shown. Raises `SettingsError` or `AskLater`.
    """
    async with live.asking(portal_name, f"contact:{contact_id}", patience) as asking:
        portal = asking.edge.portal
        sights, exists, merged_into = await _under(asking, contact_id)
        asked = _asked(asking)
    pages = await live.read(pages_of, portal_name)
    unseen = {key: Unread(s.code, s.message) for key, s in sights.items() if isinstance(s, NotSeen)}
    seen = {key: sight for key, sight in sights.items() if isinstance(sight, tuple)}
    slots = []
    for slot, found in _slots(portal, seen, ()).items():
        rule = portal.slot_rule(slot)
        unread = unseen.get(rule.object) if rule is not None else None
        slots.append({"slot": slot, **_records(portal, pages, slot, found, unread)})
    return {
        **_whole(asked, slots),
        "portal": portal_name,
        "contact_id": contact_id,
        "contact_url": pages.contact(merged_into or contact_id),
        "exists": exists,
        "merged_into": merged_into,
        "slots": slots,
    }


async def _under(asking: Asking, contact_id: str) -> tuple[Mapping[str, Any], bool | None, str | None]:
    """What hangs on a contact, whether there is one, and what it was merged into."""
    if asking.names is None:
        return {}, None, None
    sights = await _look(asking, contact_id)
    if any(isinstance(each, tuple) and each for each in sights.values()):
        return sights, True, None
    fate = (await fates_of(asking.edge, [contact_id])).get(contact_id)
    if isinstance(fate, MergedInto):
        return await _look(asking, fate.contact_id), True, fate.contact_id
    if isinstance(fate, NotRead):
        return sights, None, None
    return sights, not isinstance(fate, Gone), None


async def _look(asking: Asking, contact_id: str) -> Mapping[str, Any]:
    assert asking.names is not None, "who cannot be asked is not looked at"
    portal = asking.edge.portal
    nobody = Case("", contact_id, {}, ())
    wanted = {"": types_to_look_at(portal, nobody, everything=True, whatever_is_open=True)}
    sights: Sights = await observe(asking.edge, asking.names, [nobody], wanted)
    return sights.get("", {})


def _asked(asking: Asking) -> dict[str, Any]:
    cut_short = asking.cut_short
    return {
        "asked_at": say_time(asking.since),
        "complete": cut_short is None and not asking.problem,
        "ask_again_in_s": cut_short,
        "message": asking.problem,
    }


def _whole(asked: dict[str, Any], slots: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {**asked, "complete": asked["complete"] and all(each["not_read"] is None for each in slots)}


def _slots(portal: Portal, seen: Sighted, known: Sequence[str]) -> dict[str, list[Candidate]]:
    """Who holds each slot, under whichever parent, in the portal file's order; known slots though nobody holds them."""
    found: dict[str, list[Candidate]] = {}
    for rule in portal.slots.values():
        own = [slot for slot in known if slot.split(".", 1)[0] == rule.key]
        held = holders(rule, seen.get(rule.object, ()), own)
        found |= {slot: held[slot] for slot in sorted(held)}
    return found


def _records(
    portal: Portal, pages: Pages, slot: str, found: Sequence[Candidate], unread: Unread | None
) -> dict[str, Any]:
    rule = portal.slot_rule(slot)
    object_key = rule.object if rule is not None else None
    return {
        "records": [
            {
                "record_id": each.record_id,
                "record_url": pages.record(object_key, each.record_id),
                "parent_id": each.parent_id,
            }
            for each in found
        ],
        "not_read": None if unread is None else {"code": unread.code, "message": unread.message},
    }


def _id(link: Link | None) -> str | None:
    return link.record_id if link is not None else None
