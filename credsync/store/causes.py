"""Which causes of alerts hold now, read from what rounds stored; and who is beneath each."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select

from credsync.core.alerts import AlertKind, Cause, Holding
from credsync.core.links import LinkState
from credsync.core.portal import CONTACT, ByEach, Portal
from credsync.core.reasons import Reason
from credsync.store.tables import links

LATE = frozenset({AlertKind.OVERDUE, AlertKind.GIVEN_UP, AlertKind.CONTACT_GONE})


def late(connection: Connection, portal: Portal) -> dict[Cause, Holding]:
    """Slots that therapists wait for too long, one cause for each of the portal file; and contacts that are gone.

    One statement over the overdue links alone (`ix_links_overdue`), however many therapists there are.
    """
    several = [rule.key for rule in portal.slots.values() if isinstance(rule.marker, ByEach)]
    waits = (
        select(_kind().label("kind"), _key(several).label("key"), links.c.therapist_id)
        .where(*_late(portal.name))
        .distinct()
        .subquery()
    )
    query = select(waits.c.kind, waits.c.key, func.count()).group_by(waits.c.kind, waits.c.key)
    holding: dict[Cause, Holding] = {}
    for kind, key, count in connection.execute(query):
        rule = portal.slots.get(key)
        if kind == AlertKind.CONTACT_GONE.value:
            holding[Cause(portal.name, AlertKind.CONTACT_GONE, CONTACT)] = Holding(count)
        elif rule is not None:
            holding[Cause(portal.name, AlertKind(kind), rule.object, rule.key)] = Holding(count)
    return holding


def late_beneath(cause: Cause) -> Select[tuple[str]]:
    """The ids of the therapists beneath a cause of `LATE`."""
    query = select(links.c.therapist_id).where(*_late(cause.portal), _kind() == cause.kind.value)
    if cause.slot:
        one_of_many = links.c.slot.startswith(f"{cause.slot}.", autoescape=True)
        query = query.where(or_(links.c.slot == cause.slot, one_of_many))
    return query


def _late(portal: str) -> list[ColumnElement[bool]]:
    return [
        links.c.portal == portal,
        links.c.overdue_since.is_not(None),
        links.c.awaited,
        links.c.state != LinkState.FOUND.value,
    ]


def _kind() -> ColumnElement[str]:
    return case(
        (links.c.reason == Reason.CONTACT_GONE.value, literal(AlertKind.CONTACT_GONE.value)),
        (links.c.state == LinkState.GIVEN_UP.value, literal(AlertKind.GIVEN_UP.value)),
        else_=literal(AlertKind.OVERDUE.value),
    )


def _key(several: list[str]) -> ColumnElement[str]:
    """The portal file's slot; empty where the slot does not matter."""
    return case(
        (links.c.reason == Reason.CONTACT_GONE.value, literal("")),
        *((links.c.slot.startswith(f"{key}.", autoescape=True), literal(key)) for key in several),
        else_=links.c.slot,
    )
