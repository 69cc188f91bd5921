"""What a list is narrowed to, as the database is asked: for each choice its condition, and who is meant where few are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists

from credsync.core.portal import ByEach, Portal
from credsync.core.states import TherapistState
from credsync.core.wanted import Wanted
from credsync.operate.search import by_id
from credsync.store.counting import Cell, ids_of_cells, waiting_ids, waits_for
from credsync.store.names import FEW, found_by_name
from credsync.store.tables import links, therapists


def narrowed(portals: Mapping[str, Portal], wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """The conditions of every choice but the search."""
    held = [
        column == value
        for column, value in (
            (therapists.c.portal, wanted.portal),
            (therapists.c.state, wanted.state),
            (therapists.c.reason, wanted.reason),
        )
        if value is not None
    ]
    before = wanted.before(now)
    if before is not None:
        held.append(therapists.c.state_since <= before)
    if wanted.slot is not None:
        waits = waits_for(wanted.slot, has_values(portals.values(), wanted.slot))
        held.append(exists().where(links.c.therapist_id == therapists.c.id, waits))
    return held


def has_values(portals: Iterable[Portal], slot: str) -> bool:
    """Whether a slot's name stands for one slot per value in any of these portals."""
    rules = [portal.slots.get(slot) for portal in portals]
    return any(rule is not None and isinstance(rule.marker, ByEach) for rule in rules)


def fits(cell: Cell, wanted: Wanted) -> bool:
    """Whether a portal, state and reason are what is wanted of them. Nobody in sync waits for a slot."""
    return (
        (wanted.slot is None or cell.state != TherapistState.IN_SYNC)
        and wanted.portal in (None, cell.portal)
        and wanted.state in (None, cell.state)
        and wanted.reason in (None, cell.reason)
    )


def meant_by(connection: Connection, q: str | None) -> list[str] | None:
    """Whom a search means, in the order of the ids; None for no search, and for a part of very many names."""
    if q is None:
        return None
    meant = by_id(connection, q)
    return found_by_name(connection, q) if meant is None else sorted(meant)


def few_of(
    connection: Connection,
    portals: Mapping[str, Portal],
    wanted: Wanted,
    some: Sequence[Cell],
    now: datetime,
) -> list[str] | None:
    """Who is among the wanted for certain, where an index names few: they are to be narrowed further. None for many.

    `some` are the cells that fit.
    """
    if wanted.reason is not None or wanted.longer_than is not None:
        found = ids_of_cells(connection, some, wanted.before(now), FEW)
        if found is not None:
            return sorted(found)
    if wanted.slot is not None:
        each = has_values(portals.values(), wanted.slot)
        waiting, whole = waiting_ids(connection, names_of(some), wanted.slot, each, FEW)
        return waiting if whole else None
    return None


def names_of(some: Iterable[Cell]) -> Collection[str]:
    """The portals of these cells."""
    return {cell.portal for cell in some}
