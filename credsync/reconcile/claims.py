"""Under whose contacts each record of a slot is: by a look, and by what is stored of everybody else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from credsync.core.decide import claimed_records
from credsync.core.portal import Portal
from credsync.reconcile.apply import RecordKey
from credsync.reconcile.observe import Sights
from credsync.store.choices import chosen_for
from credsync.store.links import claims_of

Shared = dict[str, dict[RecordKey, set[str]]]
"""By therapist: the records that other therapists' contacts have too, and whose those are."""


def shared_records(
    connection: Connection, portal: Portal, therapist_ids: Iterable[str], sights: Sights
) -> Shared:
    """The records of these therapists' slots that are under more than one contact."""
    claims: dict[RecordKey, set[str]] = defaultdict(set)
    for therapist in therapist_ids:
        for record in claimed_records(portal, sights.get(therapist, {})):
            claims[record].add(therapist)
    for record, owners in claims_of(connection, portal.name, list(claims)).items():
        claims[record] |= {o for o in owners if not isinstance(sights.get(o, {}).get(record[0]), tuple)}
    shared: Shared = defaultdict(dict)
    for record, owners in claims.items():
        for owner in owners if len(owners) > 1 else ():
            shared[owner][record] = owners - {owner}
    return shared


def taken_records(
    connection: Connection, shared: Mapping[str, Mapping[RecordKey, Collection[str]]]
) -> dict[str, set[RecordKey]]:
    """By therapist: those of the shared records that a person chose for another."""
    records = {record_id for each in shared.values() for _, record_id in each}
    owners = {other for each in shared.values() for others in each.values() for other in others}
    chosen = chosen_for(connection, records, owners)
    return {
        therapist: {record for record in each if chosen.get(record[1], set()) - {therapist}}
        for therapist, each in shared.items()
    }
