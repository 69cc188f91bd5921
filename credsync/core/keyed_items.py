"""Whether each item of a submitted list names a record of its own, as the portal file's `each` and `key` tell them apart.

An item that names none would be skipped without a word, and two that name the same would be mixed on one record: both
are told at the door, where somebody can still act on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from unicodedata import normalize

from credsync.core.forms import Fault, FormName
from credsync.core.portal import Portal, WriteMap

MOST_ITEMS: Final = 200
"""A longer list is refused by the form itself."""


def item_faults(portal: Portal, form: FormName, data: object) -> list[Fault]:
    """What is wrong with the keys of the items that this portal maps from a form; paths start at the sections.

    `data` is what was submitted, valid or not: what has another fault already is passed over here.
    """
    found: dict[tuple[str, str], Fault] = {}
    for write in portal.maps_of(form):
        if write.each is not None:
            for fault in _faults(write, _list_at(data, write.each)):
                found.setdefault((fault.path, fault.code), fault)
    return list(found.values())


def _faults(write: WriteMap, items: list[Any]) -> Iterator[Fault]:
    assert write.each is not None
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            continue
        key = {name: item.get(name) for name in write.key}
        for name, value in key.items():
            if value is None or (isinstance(value, str) and not value.strip()):
                message = f"is required: it tells which record of slot {write.to} the item goes to"
                yield Fault(f"{write.each}[{index}].{name}", "missing", message)
        parts = [normalize("NFC", value).strip() for value in key.values() if isinstance(value, str)]
        if len(parts) < len(key) or not all(parts):
            continue
        same = first.setdefault(".".join(parts), index)
        if same != index:
            by = " and ".join(write.key)
            message = f"goes to the same record as {write.each}[{same}]: slot {write.to} takes one item for each {by}"
            yield Fault(f"{write.each}[{index}]", "duplicate_item", message)


def _list_at(data: object, path: str) -> list[Any]:
    for part in path.split("."):
        data = data.get(part) if isinstance(data, Mapping) else None
    return data[:MOST_ITEMS] if isinstance(data, list) else []
