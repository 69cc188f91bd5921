"""Property types guessed from the mapping, for a portal nobody has exported.

The rules, first match wins: options named in `values` make an enumeration; a path that ends in a word for a day is a
date, in `_at` a datetime (a date if the property's own name says so); counts and cents are numbers; flags are bools;
everything else is a string.
"""

from __future__ import annotations

from collections.abc import Iterable

from credsync_sandbox.portal.portal_file import CONTACT, MappedField, PortalFile
from credsync_sandbox.portal.property import Property, define

_DAYS = ("expiry", "issued", "start", "end", "effective", "birth_date", "attestation_due", "as_of")
_FLAGS = ("agreed", "name_changed", "compact", "moving", "_complete")
_NUMBERS = ("_cents", "weekly_appointments")
_LISTS = ("specialties", "languages", "aliases")


def guess_property(
    name: str, path: str, options: tuple[str, ...] = (), custom: dict[str, str] | None = None
) -> Property:
    """The property a mapping of `path` to `name` most likely meets."""
    last = path.rsplit(".", 1)[-1]
    if options:
        return define(name, "enumeration", options=tuple(dict.fromkeys(options)), many=last in _LISTS)
    if path.startswith("custom."):
        return define(name, (custom or {}).get(path.removeprefix("custom."), "string"))
    if last.endswith("_at"):
        return define(name, "date" if name.endswith(("_on", "_date", "_day")) else "datetime")
    if last.endswith(_DAYS):
        return define(name, "date")
    if last.endswith(_NUMBERS):
        return define(name, "number")
    if last.endswith(_FLAGS):
        return define(name, "bool")
    return define(name)


def guess_properties(portal: PortalFile, key: str) -> dict[str, Property]:
    """Every property the portal file needs on one of its objects (or on `contact`), by name."""
    found: dict[str, Property] = {}
    for name, uses in _by_property(use for use in portal.fields if use.object == key).items():
        options = tuple(option for use in uses for option in use.options)
        found[name] = guess_property(name, uses[0].path, options, portal.custom_types)
    if key == CONTACT:
        if portal.sync_url:
            found.setdefault(portal.sync_url, define(portal.sync_url))
        return found
    slots = [slot for slot in portal.slots.values() if slot.object == key]
    for name in dict.fromkeys(slot.property for slot in slots if slot.property):
        values = tuple(slot.value for slot in slots if slot.property == name and slot.value)
        found[name] = define(name, "enumeration", options=tuple(dict.fromkeys(values)))
    for slot in slots:
        for name in slot.each:
            found.setdefault(name, define(name))
    entry = portal.objects.get(key)
    if entry is not None and entry.stamp:
        found.setdefault(entry.stamp, define(entry.stamp))
    return found


def _by_property(uses: Iterable[MappedField]) -> dict[str, list[MappedField]]:
    grouped: dict[str, list[MappedField]] = {}
    for use in uses:
        grouped.setdefault(use.property, []).append(use)
    return grouped
