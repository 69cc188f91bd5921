"""How many therapists stand how, counted as far as it is quick, over indexes alone, however many there are.

A *cell* is a portal, a state and a reason that some therapist has. There are some dozens of them at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
)

from credsync.store.database import Moment, has_one_writer
from credsync.store.tables import links, therapists

MOST: Final = 1_000
"""Counted of one cell or slot; beyond it, it is said to be more."""


_OPEN: Final = "links.awaited = true AND links.state <> 'found'"
"""The condition of `ix_links_open`, as it may stand beside other tables."""
_JOINED: Final = 500
"""Of whom more than an index must be read."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many; `more` where the counting stopped there."""

    number: int = 0
    more: bool = False

    def __add__(self, other: Count) -> Count:
        return Count(self.number + other.number, self.more or other.more)

    @classmethod
    def up_to(cls, number: int) -> Count:
        """What a count that stops behind `MOST` has found."""
        return cls(min(number, MOST), number > MOST)


@dataclass(frozen=True, slots=True)
class Cell:
    """`counts` has an entry for each moment that was asked for: those who have been so since before it."""

    portal: str
    state: str
    reason: str
    counts: Sequence[Count]


@dataclass(frozen=True, slots=True)
class Stand:
    """How one therapist stands, and for which slots it waits."""

    id: str
    portal: str
    state: str
    reason: str
    since: datetime
    slots: frozenset[str] = frozenset()


_CELLS = """
WITH RECURSIVE
of_portal(portal) AS (
  SELECT min(portal) FROM therapists
  UNION ALL
  SELECT (SELECT min(t.portal) FROM therapists AS t WHERE t.portal > p.portal)
  FROM of_portal AS p WHERE p.portal IS NOT NULL),
of_state(portal, state) AS (
  SELECT p.portal, (SELECT min(t.state) FROM therapists AS t WHERE t.portal = p.portal)
  FROM of_portal AS p WHERE p.portal IS NOT NULL
  UNION ALL
  SELECT s.portal, (SELECT min(t.state) FROM therapists AS t WHERE t.portal = s.portal AND t.state > s.state)
  FROM of_state AS s WHERE s.state IS NOT NULL),
cell(portal, state, reason) AS (
  SELECT s.portal, s.state, (SELECT min(t.reason) FROM therapists AS t WHERE t.portal = s.portal AND t.state = s.state)
  FROM of_state AS s WHERE s.state IS NOT NULL
  UNION ALL
  SELECT c.portal, c.state, (SELECT min(t.reason) FROM therapists AS t
    WHERE t.portal = c.portal AND t.state = c.state AND t.reason > c.reason)
  FROM cell AS c WHERE c.reason IS NOT NULL)
SELECT portal, state, reason{counts} FROM cell WHERE reason IS NOT NULL
"""
"""From one to the next: one step into `ix_therapists_standing` for each."""
_COUNT = """, (SELECT count(*) FROM (SELECT 1 FROM therapists AS t WHERE t.portal = cell.portal AND t.state = cell.state
AND t.reason = cell.reason{since} LIMIT {most}) AS counted)"""


_AS_IT_IS = text("SET LOCAL jit = off")
"""PostgreSQL takes the steps for a million rows, and would compile for half a second what runs for three milliseconds."""


def cells(connection: Connection, moments: Sequence[datetime | None] = ()) -> list[Cell]:
    """Every cell, with how many have been in it since before each of these moments; None counts everybody of it."""
    if not has_one_writer(connection):
        connection.execute(_AS_IT_IS)
    counts = "".join(
        _COUNT.format(since="" if each is None else f" AND t.state_since <= :before_{place}", most=MOST + 1)
        for place, each in enumerate(moments)
    )
    given = {f"before_{place}": each for place, each in enumerate(moments) if each is not None}
    typed = [bindparam(name, type_=Moment()) for name in given]
    rows = connection.execute(text(_CELLS.format(counts=counts)).bindparams(*typed), given)
    return [
        Cell(portal, state, reason, tuple(map(Count.up_to, numbers)))
        for portal, state, reason, *numbers in rows
    ]


def ids_of_cells(
    connection: Connection, some: Iterable[Cell], before: datetime | None, most: int
) -> list[str] | None:
    """Who is in these cells, since before that moment; None where they are more than `most`."""
    found: list[str] = []
    for cell in some:
        query = select(therapists.c.id).where(
            therapists.c.portal == cell.portal,
            therapists.c.state == cell.state,
            therapists.c.reason == cell.reason,
            *([] if before is None else [therapists.c.state_since <= before]),
        )
        found += connection.execute(query.limit(most + 1 - len(found))).scalars()
        if len(found) > most:
            return None
    return found


def waits_for(slot: str, each: bool) -> ColumnElement[bool]:
    """Whether a link is of this slot, or with `each` of any of its values, and awaited, and not found."""
    named = links.c.slot == slot
    if each:
        named = or_(named, and_(links.c.slot >= f"{slot}.", links.c.slot < f"{slot}/"))
    return and_(text(_OPEN), named)


def waiting_ids(
    connection: Connection, portals: Collection[str], slot: str, each: bool, most: int
) -> tuple[list[str], bool]:
    """Who waits for a slot in these portals, `most` of them at least, and whether those are all."""
    found: list[str] = []
    for portal in sorted(portals):
        query = select(links.c.therapist_id).where(links.c.portal == portal, waits_for(slot, each))
        found += connection.execute(query.limit(most + 1 - len(found))).scalars()
        if len(found) > most:
            break
    return sorted(set(found)), len(found) <= most


def stands_of(connection: Connection, ids: Sequence[str]) -> list[Stand]:
    """How these therapists stand."""
    if not ids:
        return []
    waiting: dict[str, set[str]] = {}
    query = select(links.c.therapist_id, links.c.slot).where(links.c.therapist_id.in_(ids), text(_OPEN))
    for owner, slot in connection.execute(query):
        waiting.setdefault(owner, set()).add(slot)
    mine = select(
        therapists.c.id,
        therapists.c.portal,
        therapists.c.state,
        therapists.c.reason,
        therapists.c.state_since,
    ).where(therapists.c.id.in_(ids))
    return [Stand(*row, frozenset(waiting.get(row.id, ()))) for row in connection.execute(mine)]


def count_waiting(
    connection: Connection,
    portals: Collection[str],
    slot: str,
    each: bool,
    held: Sequence[ColumnElement[bool]],
) -> Count:
    """Who waits for a slot in these portals and is `held`, as far as the first of the slot tell."""
    total = Count()
    for portal in sorted(portals):
        most = _JOINED if held else MOST
        some: Select[Any] = select(links.c.therapist_id).where(
            links.c.portal == portal, waits_for(slot, each)
        )
        some = (some.distinct() if each else some).limit(most + 1)
        if not held:
            number = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
            total += Count.up_to(number)
            continue
        first = some.subquery()
        joined = select(func.count(), func.count(therapists.c.id)).select_from(
            first.outerjoin(therapists, and_(therapists.c.id == first.c.therapist_id, *held))
        )
        read, number = connection.execute(joined).one()
        total += Count(number, read > most)
    return total
