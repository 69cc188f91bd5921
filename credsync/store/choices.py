"""A person chooses whose a slot's record is: taken in like any fact, taken up by the next round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from credsync.core.events import EventName, TimelineEvent
from credsync.core.links import LinkState
from credsync.core.phrases import phrase
from credsync.core.plan import Choice
from credsync.store.database import insert_row
from credsync.store.row_locks import lock_therapists
from credsync.store.tables import choices, links, record_claims, therapists
from credsync.store.therapists import Door, Taken, Who, mark_due, therapist_of
from credsync.store.timeline import SAID, append

_CHOSEN_FROM = (LinkState.AMBIGUOUS.value, LinkState.FOUND.value)
"""A slot that is empty may show records, too: those of another Credentialing, which cannot take it."""


class ChoiceRefused(Exception):
    """A choice that cannot be taken; the message says why, for people, with what to do."""


class NothingToChoose(ChoiceRefused):
    """The slot is not ambiguous: nobody has to choose."""

    def __init__(self, slot: str, record_id: str | None) -> None:
        super().__init__(
            phrase(
                "There is nothing to choose in {slot}: record {record_id} holds it alone.",
                slot=slot,
                record_id=record_id,
            )
            if record_id
            else phrase("There is nothing to choose in {slot}: no record holds it.", slot=slot)
        )


class NotACandidate(ChoiceRefused):
    """The record is none of those that hold the slot."""

    def __init__(self, slot: str, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(
            phrase(
                "This record does not hold {slot}; choose one of {candidates}.",
                slot=slot,
                candidates=", ".join(self.candidates),
            )
        )


class ChosenForAnother(ChoiceRefused):
    """The record was chosen for another therapist already."""

    def __init__(self, record_id: str, therapist_id: str) -> None:
        self.therapist_id = therapist_id
        super().__init__(
            phrase(
                "Record {record_id} was chosen for therapist {therapist_id}; one record belongs to one therapist. Choose "
                "another for that therapist first, or take the record off one of the contacts in HubSpot.",
                record_id=record_id,
                therapist_id=therapist_id,
            )
        )


def accept_choice(
    connection: Connection,
    door: Door,
    therapist_id: str,
    slot: str,
    record_id: str,
    reason: str,
    chosen_by: str,
) -> Taken:
    """Take a choice in. Choosing the same again is the same choice.

    Raises `TherapistUnknown`, `NothingToChoose`, `NotACandidate` or `ChosenForAnother`.
    """
    claimants = _lock_claimants(connection, therapist_id, slot, record_id)
    taken = therapist_of(connection, door, Who(therapist_id))
    link = connection.execute(
        select(links).where(links.c.therapist_id == taken.therapist_id, links.c.slot == slot)
    ).one_or_none()
    shown = link is not None and record_id in link.candidates
    other = _chosen_for(connection, taken, record_id) if shown else None
    if other is not None:
        raise ChosenForAnother(record_id, other)
    if link is None or not link.candidates or link.state not in _CHOSEN_FROM:
        raise NothingToChoose(slot, link.record_id if link is not None else None)
    if not shown:
        raise NotACandidate(slot, link.candidates)
    taken.urgent = True
    known = _standing_choice(connection, taken.therapist_id, slot)
    if known is not None and known.record_id == record_id:
        taken.fact_id, taken.new = known.id, False
        return taken
    if known is None and link.chosen_record_id == record_id:
        taken.new = False
        return taken
    taken.fact_id = insert_row(
        connection,
        choices,
        therapist_id=taken.therapist_id,
        slot=slot,
        record_id=record_id,
        reason=reason,
        chosen_by=chosen_by,
        chosen_at=door.now,
    )
    taken.events.append(
        TimelineEvent(
            EventName.LINK_CHOSEN,
            taken.portal,
            taken.therapist_id,
            taken.contact_id,
            door.now,
            slot,
            record_id,
            {"chosen_by": chosen_by, SAID: reason},
        )
    )
    mark_due(connection, door, taken)
    for each in sorted(claimants - {taken.therapist_id}):
        mark_due(connection, door, Taken(each, taken.portal, None))
    append(connection, taken.events)
    return taken


def _lock_claimants(connection: Connection, therapist_id: str, slot: str, record_id: str) -> set[str]:
    """Take the rows of all who have the record, or the one chosen before it: two people who choose it for two of them
    come one after the other, and each of them is told what became of it.
    """
    before = select(links.c.chosen_record_id).where(
        links.c.therapist_id == therapist_id, links.c.slot == slot, links.c.chosen_record_id.is_not(None)
    )
    here = select(therapists.c.portal).where(therapists.c.id == therapist_id).scalar_subquery()
    having = select(record_claims.c.therapist_id).where(
        record_claims.c.portal == here,
        or_(record_claims.c.record_id == record_id, record_claims.c.record_id.in_(before)),
    )
    claimants = set(connection.execute(having).scalars())
    lock_therapists(connection, {therapist_id, *claimants})
    return claimants


def pending_choices(connection: Connection, therapist_ids: Sequence[str]) -> dict[str, list[Choice]]:
    """The choices that no round has taken up yet, oldest first."""
    found: dict[str, list[Choice]] = defaultdict(list)
    for start in range(0, len(therapist_ids), 500):
        query = (
            select(choices)
            .where(
                choices.c.therapist_id.in_(therapist_ids[start : start + 500]), choices.c.taken_at.is_(None)
            )
            .order_by(choices.c.id)
        )
        for row in connection.execute(query):
            found[row.therapist_id].append(Choice(row.id, row.slot, row.record_id))
    return found


def take_up(connection: Connection, choice_ids: Sequence[int], now: datetime) -> None:
    """Note that a round has taken these choices up."""
    connection.execute(update(choices).where(choices.c.id.in_(choice_ids)).values(taken_at=now))


def _standing_choice(connection: Connection, therapist_id: str, slot: str) -> Choice | None:
    """The newest choice of a slot that no round has taken up yet."""
    standing = [c for c in pending_choices(connection, [therapist_id])[therapist_id] if c.slot == slot]
    return standing[-1] if standing else None


def chosen_for(
    connection: Connection, record_ids: Collection[str], among: Collection[str]
) -> dict[str, set[str]]:
    """By record: for which of these therapists, of one portal, a person chose it, taken up by a round or not."""
    found: dict[str, set[str]] = defaultdict(set)
    ids = sorted(among)
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        linked = select(links.c.chosen_record_id, links.c.therapist_id).where(
            links.c.therapist_id.in_(some), links.c.chosen_record_id.is_not(None)
        )
        asked = select(choices.c.record_id, choices.c.therapist_id).where(
            choices.c.therapist_id.in_(some), choices.c.taken_at.is_(None)
        )
        for query in (linked, asked):
            for record_id, therapist_id in connection.execute(query):
                if record_id in record_ids:
                    found[record_id].add(therapist_id)
    return found


def _chosen_for(connection: Connection, taken: Taken, record_id: str) -> str | None:
    """Another therapist of the portal for whom this record was chosen; a record id is one record of one portal."""
    linked = select(links.c.therapist_id).where(
        links.c.portal == taken.portal,
        links.c.chosen_record_id == record_id,
        links.c.therapist_id != taken.therapist_id,
    )
    asked = (
        select(choices.c.therapist_id)
        .join(links, (links.c.therapist_id == choices.c.therapist_id) & (links.c.slot == choices.c.slot))
        .where(
            links.c.portal == taken.portal,
            choices.c.record_id == record_id,
            choices.c.taken_at.is_(None),
            choices.c.therapist_id != taken.therapist_id,
        )
    )
    return connection.execute(linked).scalars().first() or connection.execute(asked).scalars().first()
