"""Looks: which records hang on which contacts, for everybody of a round at once.

One association call per object type and 1,000 parents; two-hop types are asked under every record found of their
parent type; where properties tell slots apart, the records found are read, 100 a call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from credsync.core.decide import Case
from credsync.core.hints import looked_at_together
from credsync.core.observations import NotSeen, Sight
from credsync.core.portal import CONTACT, Portal
from credsync.core.slots import Candidate, ParentAwaited, TypeSight, properties_needed
from credsync.core.writes import UNFINISHED
from credsync.hubspot.associations import read_associations
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge, Names
from credsync.hubspot.objects import Missing, NotRead, Record, batch_read

Sights = dict[str, dict[str, TypeSight]]
"""By therapist id, then by object key."""


def types_to_look_at(
    portal: Portal, case: Case, everything: bool, whatever_is_open: bool = False
) -> set[str]:
    """The object types worth a look for one therapist; a two-hop type brings its parent along.

    `everything` is for a therapist of whom a fact came in: all types, unless nothing is open and nothing unsent.
    `whatever_is_open` looks even then. What HubSpot hinted at is looked at in any case.
    """
    open_slots = {slot for slot, link in case.links.items() if link.open}
    open_slots |= {w.slot for w in case.writes if w.state in UNFINISHED}
    if case.contact_id is None or not (open_slots or whatever_is_open or case.hinted):
        return set()
    used = {rule.object for rule in portal.slots.values()}
    if whatever_is_open or (everything and open_slots):
        wanted = used
    else:
        rules = [portal.slot_rule(slot) for slot in open_slots]
        wanted = {rule.object for rule in rules if rule is not None}
    wanted = wanted | looked_at_together(portal, case.hinted)
    return wanted | {portal.objects[key].parent for key in wanted} - {CONTACT}


async def observe(
    edge: Edge,
    names: Names,
    cases: Sequence[Case],
    wanted: Mapping[str, set[str]],
    also: Mapping[str, Collection[str]] | None = None,
    unreadable: Mapping[str, NotSeen] | None = None,
) -> Sights:
    """What HubSpot shows of each therapist's wanted object types. Errors are values in it; nothing is raised.

    Where properties tell an object type's slots apart, `also` names more of them to read by the way. HubSpot is not
    asked for the `unreadable` types: that is what is said of them.
    """
    portal, client = edge.portal, edge.client
    sights: Sights = defaultdict(dict)
    by_contact = {case.contact_id: case.therapist_id for case in cases if case.contact_id is not None}
    for key in _direct_first(portal):
        if (unseen := (unreadable or {}).get(key)) is not None:
            for case in cases:
                if key in wanted.get(case.therapist_id, ()):
                    sights[case.therapist_id][key] = unseen
            continue
        parent = portal.objects[key].parent
        if parent == CONTACT:
            contacts = [c for c, therapist in by_contact.items() if key in wanted.get(therapist, ())]
            seen = await _associations(client, names, CONTACT, key, contacts)
            for contact, sight in seen.items():
                sights[by_contact[contact]][key] = _candidates(names, key, contact, sight)
        else:
            therapists = [c.therapist_id for c in cases if key in wanted.get(c.therapist_id, ())]
            await _two_hops(client, names, parent, key, therapists, sights)
        await _read_properties(client, names, portal, key, sights, (also or {}).get(key, ()))
    return sights


def _direct_first(portal: Portal) -> list[str]:
    used = {rule.object for rule in portal.slots.values()}
    used |= {portal.objects[key].parent for key in used} - {CONTACT}
    return sorted(used, key=lambda key: (portal.objects[key].parent != CONTACT, key))


async def _associations(
    client: HubSpotClient, names: Names, parent: str, key: str, ids: Iterable[str]
) -> dict[str, Sight]:
    asked = list(dict.fromkeys(ids))
    if not asked:
        return {}
    return await read_associations(client, names.type_id(parent), names.type_id(key), asked)


def _candidates(names: Names, key: str, parent_id: str, sight: Sight) -> tuple[Candidate, ...] | NotSeen:
    if isinstance(sight, NotSeen):
        return sight
    return tuple(Candidate(a.record_id, parent_id, names.labels(key, a.type_ids)) for a in sight.associations)


async def _two_hops(
    client: HubSpotClient, names: Names, parent: str, key: str, therapists: Sequence[str], sights: Sights
) -> None:
    parents: dict[str, list[str]] = {}
    for therapist in therapists:
        above = sights[therapist].get(parent)
        if isinstance(above, tuple):
            parents[therapist] = [c.record_id for c in above]
            if not above:
                sights[therapist][key] = ParentAwaited()
        elif above is not None:
            sights[therapist][key] = above
    seen = await _associations(client, names, parent, key, (p for ids in parents.values() for p in ids))
    for therapist, ids in parents.items():
        if ids:
            sights[therapist][key] = _together([_candidates(names, key, p, seen[p]) for p in ids])


def _together(parts: Sequence[tuple[Candidate, ...] | NotSeen]) -> tuple[Candidate, ...] | NotSeen:
    """What hangs on all parents; unknown as a whole if one of them was not seen."""
    found: list[Candidate] = []
    for part in parts:
        if isinstance(part, NotSeen):
            return part
        found.extend(part)
    return tuple(found)


async def _read_properties(
    client: HubSpotClient, names: Names, portal: Portal, key: str, sights: Sights, also: Collection[str]
) -> None:
    needed = properties_needed(portal, key)
    if not needed:
        return
    ids = {c.record_id for seen in sights.values() if isinstance(s := seen.get(key), tuple) for c in s}
    if not ids:
        return
    read = await batch_read(client, names.type_id(key), sorted(ids), list(dict.fromkeys([*needed, *also])))
    for seen in sights.values():
        sight = seen.get(key)
        if not isinstance(sight, tuple):
            continue
        failed = next((r for c in sight if isinstance(r := read[c.record_id], NotRead)), None)
        if failed is not None:
            seen[key] = NotSeen(failed.code, failed.message, failed.effect, failed.retry_after, failed.scopes)
            continue
        seen[key] = tuple(
            replace(c, properties=r.properties)
            for c in sight
            if isinstance(r := read[c.record_id], Record) and not isinstance(r, Missing)
        )
