"""Reading a refusal of a whole batch for what it gives away about the inputs that caused it.

HubSpot says which property and why, seldom which input; but its words often repeat the offending value. A value is
compared here and never leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from credsync.core.quarantine import is_of_the_property
from credsync.hubspot.errors import ErrorItem

Properties = Mapping[str, str | None]

_ALLOWED = re.compile(r"(?:allowed|valid|possible|available)\s+(?:options|values)", re.IGNORECASE)


def hits_all(item: ErrorItem) -> bool:
    """Whether the fault lies in the property itself, so that every input that sends it is hit."""
    return is_of_the_property(item.code)


def named(items: Iterable[ErrorItem], properties: Properties) -> list[str]:
    """The properties of this record that the refusal names."""
    return [
        name
        for name in dict.fromkeys(each for item in items for each in item.properties)
        if name in properties
    ]


def carriers(items: Sequence[ErrorItem], records: Mapping[str, Properties]) -> list[str]:
    """The records that send any property the refusal names."""
    return [record for record, properties in records.items() if named(items, properties)]


def located(items: Sequence[ErrorItem], records: Mapping[str, Properties]) -> dict[str, set[str]]:
    """The records whose very value the refusal repeats, with the properties concerned.

    All records found for one item send the same value for the same property, so what holds for one holds for all.
    """
    found: dict[str, set[str]] = {}
    for item in items:
        for name in item.properties:
            sent = {record: values[name] for record, values in records.items() if name in values}
            for value in _offending(item, {each for each in sent.values() if each}):
                for record in (each for each, held in sent.items() if held == value):
                    found.setdefault(record, set()).add(name)
    return found


def _offending(item: ErrorItem, sent: set[str]) -> list[str]:
    """Which of the values sent the item complains of: what it says outright, else the longest it repeats."""
    told = [value for value in item.values if value in sent]
    if told:
        return told
    listed = _ALLOWED.search(item.evidence)
    complaint = item.evidence[: listed.end()] if listed else item.evidence
    repeated = [value for value in sent if _stands_in(value, complaint)]
    return [max(repeated, key=len)] if repeated else []


def _stands_in(value: str, words: str) -> bool:
    """Whether the value stands there as a whole, not as a part of a longer word or number."""
    return value in words and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", words) is not None
