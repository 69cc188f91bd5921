"""How many there are for every choice a list could be narrowed by, within the other choices that were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from credsync.core.portal import Portal
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.wanted import AGES, Wanted
from credsync.operate.narrowing import fits, has_values, names_of, narrowed
from credsync.operate.search import by_id
from credsync.store.counting import (
    Cell,
    Count,
    Stand,
    cells,
    count_waiting,
    ids_of_cells,
    stands_of,
    waiting_ids,
)
from credsync.store.names import some_found_by_name

NARROWS: Final = ("state", "reason", "slot", "portal", "longer_than")
"""What a list is narrowed by, beside the search."""
_READ: Final = 500
"""Therapists read one by one where no index counts them."""


@dataclass(frozen=True, slots=True)
class Choices:
    """`counts` by what is chosen, then by the word that would be; `total` of those who are wanted now; `without` each
    choice that was made, and the search, those who would be.
    """

    counts: Mapping[str, Mapping[str, Count]]
    total: Count
    without: Mapping[str, Count]

    def as_json(self) -> dict[str, Any]:
        """`{total: {count, more}, state: [{value, count, more}], …}`; what nobody has is left out."""
        told = {
            name: [
                {"value": word, **_json(count)} for word, count in words.items() if count.number or count.more
            ]
            for name, words in self.counts.items()
        }
        return {"total": _json(self.total), **told}


def _json(count: Count) -> dict[str, Any]:
    return {"count": count.number, "more": count.more}


def choices(connection: Connection, portals: Mapping[str, Portal], wanted: Wanted, now: datetime) -> Choices:
    """Counted exactly where an index can; else of the first thousand of each cell or slot, and told to be `more`."""
    if wanted.holds_nul:
        return Choices({name: {} for name in NARROWS}, Count(), {})
    counter = (
        _OfAll(connection, portals, now) if wanted.q is None else _of_search(connection, portals, wanted, now)
    )
    counts = {name: counter.by(name, wanted.without(name)) for name in NARROWS}
    total = counter.total(wanted)
    made = [name for name in NARROWS if getattr(wanted, name) is not None]
    without = {name: counter.total(wanted.without(name)) for name in made}
    if wanted.q is not None:
        without["q"] = _OfAll(connection, portals, now).total(wanted.without("q"))
    return Choices(counts, total, without)


def words_of(name: str, portals: Mapping[str, Portal]) -> Sequence[str]:
    """The words that one of `NARROWS` may be chosen by; spans are those that are offered."""
    match name:
        case "state":
            return [each.value for each in TherapistState]
        case "reason":
            return [each.value for each in Reason if each is not Reason.NONE]
        case "slot":
            return sorted({key for portal in portals.values() for key in portal.slots})
        case "portal":
            return sorted(portals)
    return list(AGES)


class _OfSome:
    """Counts therapists who were read one by one; `more` where there are others like them."""

    def __init__(
        self, portals: Mapping[str, Portal], now: datetime, stands: Sequence[Stand], *, more: bool
    ) -> None:
        self._portals, self._now, self._stands, self._more = portals, now, stands, more

    def by(self, name: str, wanted: Wanted) -> dict[str, Count]:
        """For every word of one choice, within the others."""
        some = [each for each in self._stands if self._is(each, wanted)]
        counts: dict[str, Count] = {}
        for word in words_of(name, self._portals):
            value: Any = AGES[word] if name == "longer_than" else word
            narrower = replace(wanted, **{name: value})
            counts[word] = self._count(each for each in some if self._is(each, narrower))
        return counts

    def total(self, wanted: Wanted) -> Count:
        """Of the wanted."""
        return self._count(each for each in self._stands if self._is(each, wanted))

    def _count(self, some: Iterable[Stand]) -> Count:
        return Count(sum(1 for _ in some), self._more)

    def _is(self, one: Stand, wanted: Wanted) -> bool:
        before = wanted.before(self._now)
        return (
            wanted.state in (None, one.state)
            and wanted.reason in (None, one.reason)
            and wanted.portal in (None, one.portal)
            and (before is None or one.since <= before)
            and (wanted.slot is None or self._waits(one, wanted.slot))
        )

    def _waits(self, one: Stand, slot: str) -> bool:
        values = has_values(self._portals.values(), slot)
        return any(each == slot or (values and each.startswith(f"{slot}.")) for each in one.slots)


def _of_search(
    connection: Connection, portals: Mapping[str, Portal], wanted: Wanted, now: datetime
) -> _OfSome:
    assert wanted.q is not None
    ids, whole = by_id(connection, wanted.q), True
    if ids is None:
        ids, whole = some_found_by_name(connection, wanted.q)
    if not whole:
        ids = ids[:_READ]
    return _OfSome(portals, now, stands_of(connection, ids), more=not whole)


class _OfAll:
    """Counts by cells where no slot is asked for; by the slot's first thousand where one is."""

    def __init__(self, connection: Connection, portals: Mapping[str, Portal], now: datetime) -> None:
        self._connection, self._portals, self._now = connection, portals, now
        self._cells: dict[tuple[datetime | None, ...], list[Cell]] = {}
        self._known: dict[Wanted, _OfSome | None] = {}

    def by(self, name: str, wanted: Wanted) -> dict[str, Count]:
        """For every word of one choice, within the others."""
        if name == "slot":
            return {slot: self._of_slot(slot, wanted) for slot in words_of(name, self._portals)}
        if wanted.slot is not None:
            return self._waiting(wanted.slot, wanted.portal).by(name, wanted)
        if name == "longer_than":
            moments = [self._now - span for span in AGES.values()]
            some = [each for each in self._cells_of(moments) if fits(each, wanted)]
            return {
                word: sum((cell.counts[place] for cell in some), Count()) for place, word in enumerate(AGES)
            }
        counts = dict.fromkeys(words_of(name, self._portals), Count())
        for cell in self._cells_of([wanted.before(self._now)]):
            word = getattr(cell, name)
            if fits(cell, wanted) and word in counts:
                counts[word] += cell.counts[0]
        return counts

    def total(self, wanted: Wanted) -> Count:
        """Of the wanted."""
        if wanted.slot is not None:
            return self._of_slot(wanted.slot, wanted.without("slot"))
        some = self._cells_of([wanted.before(self._now)])
        return sum((each.counts[0] for each in some if fits(each, wanted)), Count())

    def _cells_of(self, moments: Sequence[datetime | None]) -> list[Cell]:
        key = tuple(moments)
        if key not in self._cells:
            self._cells[key] = cells(self._connection, key)
        return self._cells[key]

    def _of_slot(self, slot: str, wanted: Wanted) -> Count:
        """Who waits for a slot, of the wanted."""
        if wanted.state is not None or wanted.reason is not None or wanted.longer_than is not None:
            few = self._few(wanted)
            if few is not None:
                return few.total(replace(wanted, slot=slot))
        some = [each for each in self._cells_of([None]) if fits(each, wanted)]
        values = has_values(self._portals.values(), slot)
        held = narrowed(self._portals, replace(wanted, portal=None), self._now)
        return count_waiting(self._connection, names_of(some), slot, values, held)

    def _few(self, wanted: Wanted) -> _OfSome | None:
        """The wanted, where they are few, whatever they wait for."""
        if wanted not in self._known:
            before = wanted.before(self._now)
            some = [each for each in self._cells_of([before]) if fits(each, wanted)]
            few = not any(each.counts[0].more for each in some)
            ids = ids_of_cells(self._connection, some, before, _READ) if few else None
            stands = None if ids is None else stands_of(self._connection, ids)
            self._known[wanted] = (
                None if stands is None else _OfSome(self._portals, self._now, stands, more=False)
            )
        return self._known[wanted]

    def _waiting(self, slot: str, portal: str | None) -> _OfSome:
        """The first thousand who wait for a slot."""
        asked = Wanted(slot=slot, portal=portal)
        if asked not in self._known:
            values = has_values(self._portals.values(), slot)
            names = names_of(each for each in self._cells_of([None]) if fits(each, asked))
            ids, whole = waiting_ids(self._connection, names, slot, values, _READ)
            stands = stands_of(self._connection, ids)
            self._known[asked] = _OfSome(self._portals, self._now, stands, more=not whole)
        known = self._known[asked]
        assert known is not None
        return known
