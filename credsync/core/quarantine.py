"""Values that HubSpot refused: not sent again by themselves, so that they poison no batch of others.

A value is known again by a digest salted with its type and property, and the property by a digest of its definition. A
new value, or a changed definition, is sent as any other; Sync now tries the old one again, apart from everybody else.

What is wrong with a value is wrong on any record of the type, so a therapist's refused value is not tried on the
successor of a lost record either; what is wrong with a record (its value must be unique) is of that record alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

from credsync.core.phrases import Joined, phrase
from credsync.core.properties import Property
from credsync.core.verdicts import Outcome, PropertyFault, Verdict

Place = tuple[str, str, str]
"""(object key, record id, property)"""

_OF_THE_PROPERTY = re.compile(
    r"PROPERTY_DOES_?N[O']?T_?EXIST|PROPERTY_DOES_NOT_EXIST|READ_?ONLY|CALCULATED", re.IGNORECASE
)
_OF_THE_RECORD = re.compile(r"UNIQUE|DUPLICATE|CONFLICT|REQUIRED", re.IGNORECASE)
_UNTIL = phrase("it is sent again once the value or the property changes, or by Sync now")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refused value of one property of one record, without the value; `code` and `message` say what HubSpot did."""

    place: Place
    value_digest: str
    definition_digest: str
    code: str
    message: str
    since: datetime

    def holds(self, value: str | None, prop: Property) -> bool:
        """Whether it is this very value, of a property that is still what it was."""
        return (
            value_digest(self.place, value) == self.value_digest
            and definition_digest(prop) == self.definition_digest
        )

    @property
    def fault(self) -> PropertyFault:
        """What to tell of a value that is kept back."""
        return PropertyFault(self.place[2], self.code, Joined([self.message, _UNTIL], "; "))


def is_of_the_property(code: str) -> bool:
    """Whether a refusal's code speaks of the property itself (unknown, read-only), whatever the value."""
    return _OF_THE_PROPERTY.search(code) is not None


def kept_back(
    quarantined: Mapping[Place, Quarantined], place: Place, value: str | None, prop: Property
) -> Quarantined | None:
    """What keeps a value back from a place: its own row, else that of the same value on another record of the type."""
    own = quarantined.get(place)
    if own is not None and own.holds(value, prop):
        return own
    same = (row for row in quarantined.values() if (row.place[0], row.place[2]) == (place[0], place[2]))
    others = (row for row in same if row.holds(value, prop) and _OF_THE_RECORD.search(row.code) is None)
    return next(others, None)


def followed(
    quarantined: Mapping[Place, Quarantined],
    lost: Collection[str],
    kept: Iterable[tuple[Place, PropertyFault]],
) -> tuple[list[Quarantined], list[Place]]:
    """The rows of a therapist's `lost` records, at the places that they keep back now instead, and those that are over.

    `kept` are the places whose values are kept back, with what is told of them.
    """
    gone = {place: row for place, row in quarantined.items() if place[1] in lost}
    moved = {
        place: replace(row, place=place)
        for place, fault in kept
        for row in gone.values()
        if row.fault == fault and row.place[0] == place[0] and place not in quarantined
    }
    return list(moved.values()), list(gone)


def value_digest(place: Place, value: str | None) -> str:
    """Tells whether two values of one property are the same, and nothing else of them."""
    return _digest("value", place[0], place[2], "" if value is None else f"={value}")


def definition_digest(prop: Property) -> str:
    """Changes with all that decides which values a property takes."""
    rules = (repr((rule.kind, rule.arguments, rule.normalizes)) for rule in prop.rules)
    return _digest(
        "definition",
        prop.type,
        prop.field_type,
        str(prop.read_only),
        *sorted(prop.options),
        "",
        *sorted(rules),
    )


def after_verdict(
    places: Mapping[str, Place],
    sent: Mapping[str, str | None],
    verdict: Verdict,
    known: Mapping[str, Property],
    before: Mapping[Place, Quarantined],
    now: datetime,
) -> tuple[list[Quarantined], list[Place]]:
    """Which of a record's sent properties are quarantined from now on, and which no longer.

    `places` are the record's, by property. What is the property's own fault needs no quarantine: the names that are
    read again tell it.
    """
    refused = {fault.name: fault for fault in verdict.faults if fault.name in sent}
    made = [
        Quarantined(
            places[name],
            value_digest(places[name], sent[name]),
            definition_digest(known[name]),
            fault.code,
            fault.message,
            now,
        )
        for name, fault in refused.items()
        if name in known and not is_of_the_property(fault.code)
    ]
    taken = verdict.outcome in (Outcome.WRITTEN, Outcome.PARTIAL)
    over = [places[name] for name in sent if taken and name not in refused and places[name] in before]
    return made, over


def _digest(*words: str) -> str:
    return blake2b("\x00".join(words).encode("utf-8", "replace"), digest_size=16).hexdigest()


def by_place(rows: Iterable[Quarantined]) -> dict[Place, Quarantined]:
    """The rows by their place."""
    return {row.place: row for row in rows}
