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
from credsync.core.observations import NotSeen
from credsync.core.plan import SyncRequest
from credsync.core.portal import CONTACT, Portal
from credsync.core.properties import Property
from credsync.core.reasons import Reason, sentence
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, properties_needed
from credsync.core.verdicts import Effect
from credsync.hubspot.edge import Names
from credsync.hubspot.objects import Missing, NotRead, Reading, batch_read
from credsync.operate.diff import Answered, diff_json, refusals_of
from credsync.operate.live import Asking, Live
from credsync.reconcile.claims import taken_records
from credsync.reconcile.contacts import MergedInto, fates_of, settle, under_merged
from credsync.reconcile.observe import Sights, observe, types_to_look_at
from credsync.reconcile.prepare import Prepared, prepare
from credsync.store.cases import claim_one, facts_of, pending_syncs
from credsync.store.choices import pending_choices
from credsync.store.contacts import owners_of
from credsync.store.known import known_therapist
from credsync.store.links import claims_of
from credsync.store.quarantine import quarantined_of


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a round would know and decide of a therapist now."""

    prepared: Prepared
    decision: Decision
    sights: Mapping[str, tuple[Candidate, ...]]
    """What was seen, by object key; what was not seen is in `unseen`."""
    unseen: Mapping[str, Unread]
    values: Mapping[RecordKey, Values]
    """The mapped properties of every record that was seen."""


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
    about = "diff" if press is None else f"press:{press.include_held}:{press.form}:{press.slot}"
    async with live.asking(known.portal, f"{about}:{therapist_id}", patience) as asking:
        portal = asking.edge.portal
        presses = [] if press is None else [press]
        rehearsed, facts = await rehearse(live, asking, therapist_id, policy, presses, read=True)
        case, decision = rehearsed.prepared.case, rehearsed.decision
        sighted = Sighted(
            portal,
            facts,
            decision.links,
            decision.writes,
            asking.names.properties if asking.names is not None else {},
            rehearsed.values,
            rehearsed.unseen,
            await live.read(refusals_of, therapist_id),
            include_held=press is not None and press.include_held,
            quarantined=(await live.read(quarantined_of, known.portal, [therapist_id])).get(therapist_id, {}),
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
    live: Live,
    asking: Asking,
    therapist_id: str,
    policy: Policy,
    presses: Sequence[SyncRequest] = (),
    *,
    read: bool = False,
) -> tuple[Rehearsed, Facts]:
    """Look at one therapist, who is known, and decide as a round would; with everything that was reported.

    With `read` the values of the records that are seen are read, too.
    """
    portal, now = asking.edge.portal, live.database.clock.now()
    values: dict[RecordKey, Values] = {}
    prepared, facts = await live.read(_prepared, portal, therapist_id, presses, now)
    sights: Sights = {therapist_id: {}}
    if asking.names is None:
        problem = NotSeen("portal_unusable", asking.problem.rstrip("."), Effect.NOT_SENT)
        if prepared.case.contact_id is not None:
            sights[therapist_id] = dict.fromkeys(_types(portal, prepared), problem)
    elif not prepared.contact_taken:
        sights = await _look(asking, asking.names, prepared, values if read else None)
        prepared = await _follow_contact(live, asking, prepared, sights, now, policy)
        if prepared.contact is not None and not prepared.contact_taken:
            sights = await _look(asking, asking.names, prepared, values if read else None)
    seen = sights.get(therapist_id, {})
    shared, taken = await live.read(_shared, portal, therapist_id, claimed_records(portal, seen))
    decision = decide(portal, prepared.case, seen, shared, now, policy, taken=taken)
    unseen = {key: Unread(s.code, s.message) for key, s in seen.items() if isinstance(s, NotSeen)}
    if prepared.case.contact_shared_with and not seen:
        why = Reason.CONTACT_OF_TWO_THERAPISTS
        unseen = dict.fromkeys(_types(portal, prepared), Unread(why.value, sentence(why)))
    candidates = {key: sight for key, sight in seen.items() if isinstance(sight, tuple)}
    return Rehearsed(prepared, decision, candidates, unseen, values), facts


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


async def _look(
    asking: Asking, names: Names, prepared: Prepared, values: dict[RecordKey, Values] | None
) -> Sights:
    """What hangs on the contact, and into `values` what its records hold.

    One type after the other, those on the contact first: where the reserve runs out, some are known whole. A parent
    that is looked at again on the way costs nothing, since this question knows it already.
    """
    portal, therapist = asking.edge.portal, prepared.case.therapist_id
    wanted = _types(portal, prepared)
    sights: Sights = {therapist: {}}
    in_order = sorted(portal.objects, key=lambda each: portal.objects[each].parent != CONTACT)
    for key in [each for each in in_order if each in wanted]:
        with_parent = {key, portal.objects[key].parent} - {CONTACT}
        to_read = _to_read(portal, key, names.properties) if values is not None else []
        seen = await observe(asking.edge, names, [prepared.case], {therapist: with_parent}, {key: to_read})
        sights[therapist] |= seen.get(therapist, {})
        sight = sights[therapist].get(key)
        if values is not None and isinstance(sight, tuple) and sight:
            values |= await _values(asking, names, key, sight, to_read)
    return sights


async def _follow_contact(
    live: Live,
    asking: Asking,
    prepared: Prepared,
    sights: Sights,
    now: datetime,
    policy: Policy,
) -> Prepared:
    """Ask what became of a contact that shows nothing any more, as a round does before it concludes anything.

    Who goes on under another contact must be looked at again.
    """
    portal, case, claimed = asking.edge.portal, prepared.case, prepared.claimed
    seen = sights.get(case.therapist_id, {})
    doubtful = contact_doubtful(portal, claimed.case, seen, now, policy, fact_came=claimed.dirty)
    if not doubtful or case.contact_id is None:
        return prepared
    fates = await fates_of(asking.edge, [case.contact_id])
    into = {fate.contact_id for fate in fates.values() if isinstance(fate, MergedInto)}
    owners = await live.read(owners_of, portal.name, into)
    return settle([prepared], sights, fates, owners)[0]


def _shared(
    connection: Connection, portal: Portal, therapist_id: str, claimed: set[RecordKey]
) -> tuple[dict[RecordKey, set[str]], set[RecordKey]]:
    """The other therapists whose contacts each of these records was seen under; the records chosen for one of them."""
    owners = claims_of(connection, portal.name, sorted(claimed))
    others = {record: set(of) - {therapist_id} for record, of in owners.items()}
    shared = {record: of for record, of in others.items() if of}
    return shared, taken_records(connection, {therapist_id: shared})[therapist_id]


async def _values(
    asking: Asking, names: Names, key: str, sight: Sequence[Candidate], to_read: Sequence[str]
) -> dict[RecordKey, Values]:
    """The mapped properties of one type's records: as the look read them where it must, else read now, in one call."""
    if properties_needed(asking.edge.portal, key):
        return {(key, each.record_id): each.properties or {} for each in sight}
    if not to_read:
        return {(key, each.record_id): {} for each in sight}
    ids = sorted(each.record_id for each in sight)
    read = await batch_read(asking.client, names.type_id(key), ids, to_read)
    return {(key, record): _as_values(reading) for record, reading in read.items()}


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
