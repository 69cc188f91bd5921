"""A round of one therapist that sends nothing and stores nothing: what HubSpot has now, and what a round would do.

read -> prepare -> observe -> decide, as in a round; then the records' values are read instead of anything written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from credsync.core.contacts import contact_doubtful
from credsync.core.decide import Case, Decision, claimed_records, decide
from credsync.core.differences import (
    RecordKey,
    Sighted,
    Unread,
    Values,
    differences,
    mapped_properties,
)
from credsync.core.facts import Facts
from credsync.core.links import LinkState
from credsync.core.observations import NotSeen
from credsync.core.plan import SyncRequest
from credsync.core.portal import Portal
from credsync.core.properties import Property
from credsync.core.reasons import Reason, sentence
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, properties_needed
from credsync.core.verdicts import Effect
from credsync.hubspot.edge import Names
from credsync.hubspot.objects import Missing, NotRead, Reading, batch_read
from credsync.operate.diff import Answered, diff_json, refusals_of
from credsync.operate.live import Asking, Live
from credsync.reconcile.contacts import MergedInto, fates_of, settle, under_merged
from credsync.reconcile.observe import Sights, observe, types_to_look_at
from credsync.reconcile.prepare import Prepared, prepare
from credsync.store.cases import claim_one, facts_of, pending_syncs
from credsync.store.choices import pending_choices
from credsync.store.contacts import owners_of
from credsync.store.known import known_therapist
from credsync.store.links import claims_of


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a round would know and decide of a therapist now."""

    prepared: Prepared
    decision: Decision
    sights: Mapping[str, tuple[Candidate, ...]]
    """What was seen, by object key; what was not seen is in `unseen`."""
    unseen: Mapping[str, Unread]


async def diff(
    live: Live, therapist_id: str, policy: Policy, patience: float, press: SyncRequest | None = None
) -> dict[str, Any] | None:
    """HubSpot now against what would be written, per property; None for an unknown therapist.

    With a `press` it is seen from Sync now: what that would write. Raises `SettingsError` where HubSpot cannot be
    asked at all, and `AskLater` where the reserve is used up.
    """
    known = await live.read(known_therapist, therapist_id)
    if known is None:
        return None
    about = "diff" if press is None else f"press:{press.include_held}"
    async with live.asking(known.portal, f"{about}:{therapist_id}", patience) as asking:
        portal = asking.edge.portal
        presses = [] if press is None else [press]
        rehearsed, facts = await rehearse(live, asking, therapist_id, policy, presses)
        case, decision = rehearsed.prepared.case, rehearsed.decision
        known_properties = asking.names.properties if asking.names is not None else {}
        sighted = Sighted(
            portal,
            facts,
            decision.links,
            decision.writes,
            known_properties,
            await _values(asking, portal, rehearsed, known_properties),
            rehearsed.unseen,
            await live.read(refusals_of, therapist_id),
            include_held=press is not None and press.include_held,
        )
        stored = rehearsed.prepared.claimed.case.links
        answered = Answered(
            asked_at=asking.since,
            problem=asking.problem,
            ask_again_in_s=asking.cut_short,
            contact_id=case.contact_id,
            pressed=press is not None,
            contact_reason=_contact_reason(case),
        )
    told = differences(sighted)
    return await live.read(diff_json, live.portals, therapist_id, answered, told, stored)


async def rehearse(
    live: Live, asking: Asking, therapist_id: str, policy: Policy, presses: Sequence[SyncRequest] = ()
) -> tuple[Rehearsed, Facts]:
    """Look at one therapist, who is known, and decide as a round would; with everything that was reported."""
    portal, now = asking.edge.portal, live.database.clock.now()
    prepared, facts = await live.read(_prepared, portal, therapist_id, presses, now)
    sights: Sights = {therapist_id: {}}
    if asking.names is None:
        problem = NotSeen("portal_unusable", asking.problem.rstrip("."), Effect.NOT_SENT)
        if prepared.case.contact_id is not None:
            sights[therapist_id] = dict.fromkeys(_types(portal, prepared), problem)
    elif not prepared.contact_taken:
        sights = await _look(asking, asking.names, prepared)
        prepared = await _follow_contact(live, asking, asking.names, prepared, sights, now, policy)
    seen = sights.get(therapist_id, {})
    shared = await live.read(_shared, portal, therapist_id, claimed_records(portal, seen))
    decision = decide(portal, prepared.case, seen, shared, now, policy)
    unseen = {key: Unread(s.code, s.message) for key, s in seen.items() if isinstance(s, NotSeen)}
    if prepared.case.contact_shared_with and not seen:
        why = Reason.CONTACT_OF_TWO_THERAPISTS
        unseen = dict.fromkeys(_types(portal, prepared), Unread(why.value, sentence(why)))
    candidates = {key: sight for key, sight in seen.items() if isinstance(sight, tuple)}
    return Rehearsed(prepared, decision, candidates, unseen), facts


def _prepared(
    connection: Connection,
    portal: Portal,
    therapist_id: str,
    presses: Sequence[SyncRequest],
    now: datetime,
) -> tuple[Prepared, Facts]:
    claimed = claim_one(connection, therapist_id, portal.digest, now)
    assert claimed is not None, "a therapist is never deleted"
    facts = facts_of(connection, [therapist_id])[therapist_id]
    syncs = [*pending_syncs(connection, [therapist_id])[therapist_id], *presses]
    choices = pending_choices(connection, [therapist_id])[therapist_id]
    told = facts if claimed.dirty or presses else None
    return under_merged(prepare(portal, claimed, told, syncs, now, choices)), facts


def _types(portal: Portal, prepared: Prepared) -> set[str]:
    return types_to_look_at(portal, prepared.case, everything=True, whatever_is_open=True)


async def _look(asking: Asking, names: Names, prepared: Prepared) -> Sights:
    portal = asking.edge.portal
    wanted = {prepared.case.therapist_id: _types(portal, prepared)}
    also = {key: _to_read(portal, key, names.properties) for key in portal.objects}
    return await observe(asking.edge, names, [prepared.case], wanted, also)


async def _follow_contact(
    live: Live,
    asking: Asking,
    names: Names,
    prepared: Prepared,
    sights: Sights,
    now: datetime,
    policy: Policy,
) -> Prepared:
    """Ask what became of a contact that shows nothing any more, as a round does before it concludes anything."""
    portal, case, claimed = asking.edge.portal, prepared.case, prepared.claimed
    seen = sights.get(case.therapist_id, {})
    doubtful = contact_doubtful(portal, claimed.case, seen, now, policy, fact_came=claimed.dirty)
    if not doubtful or case.contact_id is None:
        return prepared
    fates = await fates_of(asking.edge, [case.contact_id])
    into = {fate.contact_id for fate in fates.values() if isinstance(fate, MergedInto)}
    owners = await live.read(owners_of, portal.name, into)
    [settled] = settle([prepared], sights, fates, owners)
    if settled.contact is not None and settled.case.contact_id in into:
        sights.update(await _look(asking, names, settled))
    return settled


def _shared(
    connection: Connection, portal: Portal, therapist_id: str, claimed: set[RecordKey]
) -> dict[RecordKey, set[str]]:
    """The other therapists whose contacts each of these records was seen under."""
    owners = claims_of(connection, portal.name, sorted(claimed))
    others = {record: set(of) - {therapist_id} for record, of in owners.items()}
    return {record: of for record, of in others.items() if of}


async def _values(
    asking: Asking,
    portal: Portal,
    rehearsed: Rehearsed,
    known: Mapping[str, Mapping[str, Property]],
) -> dict[RecordKey, Values]:
    """The mapped properties of every record that holds a slot: as the look read them, else read now, once per type."""
    values: dict[RecordKey, Values] = {}
    by_type: dict[str, set[str]] = {}
    for slot, link in rehearsed.decision.links.items():
        rule = portal.slot_rule(slot)
        if rule is None or link.state is not LinkState.FOUND or link.record_id is None:
            continue
        if rule.object not in rehearsed.unseen:
            by_type.setdefault(rule.object, set()).add(link.record_id)
    for key, records in by_type.items():
        if properties_needed(portal, key):
            looked_at = {c.record_id: c.properties or {} for c in rehearsed.sights.get(key, ())}
            values |= {(key, record): looked_at[record] for record in records if record in looked_at}
        elif asking.names is not None:
            wanted = _to_read(portal, key, known)
            read = await batch_read(asking.client, asking.names.type_id(key), sorted(records), wanted)
            values |= {(key, record): _as_values(reading) for record, reading in read.items()}
    return values


def _to_read(portal: Portal, object_key: str, known: Mapping[str, Mapping[str, Property]]) -> list[str]:
    """The mapped properties of an object type that HubSpot has."""
    mapped = (name for rule in portal.rules_of(object_key) for name in mapped_properties(portal, rule.key))
    return [name for name in dict.fromkeys(mapped) if name in known.get(object_key, {})]


def _as_values(reading: Reading) -> Values:
    if isinstance(reading, NotRead):
        return Unread(reading.code, reading.message)
    if isinstance(reading, Missing):
        return Unread(Reason.RECORD_MISSING.value, sentence(Reason.RECORD_MISSING))
    return reading.properties


def _contact_reason(case: Case) -> Reason:
    if case.contact_shared_with:
        return Reason.CONTACT_OF_TWO_THERAPISTS
    if case.contact_id is None:
        return Reason.NO_CONTACT
    return Reason.CONTACT_GONE if case.contact_gone else Reason.NONE
