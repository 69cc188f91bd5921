"""Finds out what became of contacts under which nothing hangs any more: merged, gone, or there and empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from credsync.core.observations import NotSeen
from credsync.hubspot.edge import Edge
from credsync.hubspot.objects import Missing, NotRead, batch_read, single_read
from credsync.hubspot.paths import CONTACT_TYPE
from credsync.reconcile.observe import Sights
from credsync.reconcile.prepare import Prepared
from credsync.store.contacts import ContactMerged

MOST_SINGLE_READS = 20
"""In one round; who is left over is asked about in the next."""


@dataclass(frozen=True, slots=True)
class MergedInto:
    """The contact lives on under another id."""

    contact_id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """HubSpot has no such contact."""


Fate = MergedInto | Gone | NotRead
"""What became of a contact that is not simply there."""


async def fates_of(edge: Edge, contact_ids: Iterable[str]) -> dict[str, Fate]:
    """The fate of each contact that HubSpot does not show in a batch; nothing for those that are there.

    A batch does not follow merges, single reads do (HubSpot, merging records): 100 contacts a call, then one call for
    each that is missing. Raises nothing.
    """
    fates: dict[str, Fate] = {}
    asked = sorted(set(contact_ids))
    if not asked:
        return fates
    missing = []
    for contact, reading in (await batch_read(edge.client, CONTACT_TYPE, asked, ())).items():
        if isinstance(reading, NotRead):
            fates[contact] = reading
        elif isinstance(reading, Missing):
            missing.append(contact)
    for contact in missing[:MOST_SINGLE_READS]:
        single = await single_read(edge.client, CONTACT_TYPE, contact)
        if isinstance(single, NotRead):
            fates[contact] = single
        elif isinstance(single, Missing):
            fates[contact] = Gone()
        elif single.id != contact:
            fates[contact] = MergedInto(single.id)
    later = NotRead(
        "asked_later", "too many contacts are missing at once; this one is asked about in the next round"
    )
    return fates | dict.fromkeys(missing[MOST_SINGLE_READS:], later)


def under_merged(prepared: Prepared) -> Prepared:
    """A therapist whose merged contact has become free goes on under it."""
    claimed, case = prepared.claimed, prepared.case
    merged = claimed.merged_contact_id
    if merged is None or case.contact_shared_with or case.contact_id is None:
        return prepared
    contact = ContactMerged(case.contact_id, merged)
    return replace(prepared, case=replace(case, contact_id=merged), contact=contact)


def settle(
    prepared: Sequence[Prepared], sights: Sights, fates: Mapping[str, Fate], owners: Mapping[str, str]
) -> list[Prepared]:
    """Everybody with their contact's fate taken in. `owners` are the therapists of the contacts others merged into.

    Who goes on under another id must be looked at again; who shares a contact, or whose contact HubSpot did not
    tell, is judged by nothing that was seen: their sights are taken out or replaced here.
    """
    settled: dict[str, Prepared] = {}
    holder = dict(owners)
    sharers: dict[str, set[str]] = {}
    for each in prepared:
        case = each.case
        therapist, fate = case.therapist_id, fates.get(case.contact_id or "")
        if isinstance(fate, Gone):
            each = replace(each, case=replace(case, contact_gone=True))
        elif isinstance(fate, NotRead):
            unseen = NotSeen(fate.code, fate.message, fate.effect, fate.retry_after, fate.scopes)
            sights[therapist] = dict.fromkeys(sights[therapist], unseen)
        elif isinstance(fate, MergedInto) and case.contact_id is not None:
            taken = holder.setdefault(fate.contact_id, therapist) != therapist
            contact = ContactMerged(each.claimed.case.contact_id or case.contact_id, fate.contact_id, taken)
            if taken:
                sharers.setdefault(fate.contact_id, set()).add(therapist)
                sights[therapist] = {}
            else:
                case = replace(case, contact_id=fate.contact_id)
            each = replace(each, case=case, contact=contact)
        settled[therapist] = each
    for contact_id, others in sharers.items():
        everybody = others | {holder[contact_id]}
        for therapist in everybody & settled.keys():
            shared = settled[therapist]
            with_whom = shared.case.contact_shared_with | (everybody - {therapist})
            settled[therapist] = replace(
                shared, case=replace(shared.case, contact_shared_with=frozenset(with_whom))
            )
    return list(settled.values())
