"""Who waits for a workflow's record, and what came meanwhile, read over small indexes however many therapists there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, text

from credsync.core.links import LinkState
from credsync.core.portal import ByEach, SlotRule
from credsync.core.reasons import OWED_BY_NO_WORKFLOW, Reason
from credsync.core.workflows import Came
from credsync.store.tables import WAITING, links, therapists

MOST = 2_000
"""Of the longest waiting, and of those whose record came last, in one judgement."""
_NOBODYS = sorted({Reason.PARENT_AWAITED, *OWED_BY_NO_WORKFLOW})
"""Why a slot is empty where no workflow of its own owes a record by now."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """Somebody who waits for a slot's record, as far as HubSpot knows the contact."""

    therapist_id: str
    contact_id: str | None
    slot: str
    since: datetime
    state: str


def slots_with_late(
    connection: Connection, portal: str, rules: Iterable[SlotRule], before: datetime, fewest: int
) -> list[SlotRule]:
    """The rules for whose slots at least so many have waited since before that moment. No more of them are read."""
    asked = list(rules)
    late = [
        select(func.count())
        .select_from(
            select(links.c.awaited_since)
            .where(links.c.portal == portal, text(WAITING), _of(rule), links.c.awaited_since <= before)
            .limit(fewest)
            .subquery()
        )
        .scalar_subquery()
        for rule in asked
    ]
    if not late:
        return []
    counts = connection.execute(select(*late)).one()
    return [rule for rule, count in zip(asked, counts, strict=True) if count >= fewest]


def waiting_for(connection: Connection, portal: str, rule: SlotRule) -> list[tuple[str, datetime]]:
    """Therapist and since when, the longest first, of those a look has missed since a fact made them wait."""
    query = (
        select(links.c.therapist_id, links.c.awaited_since)
        .where(links.c.portal == portal, text(WAITING), _of(rule), *_owed())
        .order_by(links.c.awaited_since)
        .limit(MOST)
    )
    return [(row.therapist_id, row.awaited_since) for row in connection.execute(query)]


def came_since(connection: Connection, portal: str, rule: SlotRule, moment: datetime) -> list[Came]:
    """What was waited for and was found since then, the latest."""
    query = (
        select(links.c.awaited_since, links.c.found_at)
        .where(
            links.c.portal == portal,
            links.c.found_at >= moment,
            links.c.found_at > links.c.awaited_since,
            links.c.awaited,
            _of(rule),
            or_(links.c.record_created_at.is_(None), links.c.record_created_at >= links.c.awaited_since),
        )
        .order_by(links.c.found_at.desc())
        .limit(MOST)
    )
    return [Came(row.awaited_since, row.found_at) for row in connection.execute(query)]


def others_of(connection: Connection, rule: SlotRule, therapist_ids: Sequence[str]) -> int:
    """How many of these therapists, of the first few hundred, got a record of another slot that they waited for."""
    query = select(func.count(links.c.therapist_id.distinct())).where(
        links.c.therapist_id.in_(therapist_ids[:400]),
        links.c.found_at > links.c.awaited_since,
        links.c.awaited,
        ~_of(rule),
    )
    return int(connection.execute(query).scalar_one())


def late_ones(portal: str, key: str) -> Select[tuple[str]]:
    """The ids of the therapists for whom a workflow's record is overdue; not the given up."""
    given_up = links.c.state == LinkState.GIVEN_UP.value
    return select(links.c.therapist_id).where(*_overdue(portal, key), ~given_up)


def how_many_late(connection: Connection, portal: str, key: str) -> int:
    """How many therapists that are."""
    late = late_ones(portal, key).distinct().subquery()
    return int(connection.execute(select(func.count()).select_from(late)).scalar_one())


def to_enrol_again(connection: Connection, portal: str, key: str) -> list[Waiter]:
    """Everybody for whom a workflow's record is overdue, the longest waiting first; the given up are among them."""
    query = (
        select(
            links.c.therapist_id, therapists.c.contact_id, links.c.slot, links.c.awaited_since, links.c.state
        )
        .join(therapists, therapists.c.id == links.c.therapist_id)
        .where(therapists.c.contact_id.is_not(None), *_overdue(portal, key))
        .order_by(links.c.awaited_since, links.c.therapist_id, links.c.slot)
    )
    return [Waiter(*row) for row in connection.execute(query)]


def _overdue(portal: str, key: str) -> list[ColumnElement[bool]]:
    """Overdue, over the small index of those (`ix_links_overdue`)."""
    overdue = (links.c.portal == portal, links.c.overdue_since.is_not(None), links.c.awaited)
    return [
        *overdue,
        links.c.state != LinkState.FOUND.value,
        or_(links.c.slot == key, links.c.slot.startswith(f"{key}.", autoescape=True)),
        *_owed(),
    ]


def _owed() -> list[ColumnElement[bool]]:
    """Looked for since a fact came, and nothing else is in the way. A wait that a look began is nobody's trigger."""
    return [
        links.c.state != LinkState.AMBIGUOUS.value,
        links.c.reason.not_in([reason.value for reason in _NOBODYS]),
        links.c.last_looked_at > links.c.awaited_since,
        links.c.first_missed_at != links.c.awaited_since,
    ]


def _of(rule: SlotRule) -> ColumnElement[bool]:
    if isinstance(rule.marker, ByEach):
        return links.c.slot.startswith(f"{rule.key}.", autoescape=True)
    return links.c.slot == rule.key
