"""Reading a portal file: which object types, slots and mapped properties the sandbox has to have.

The sandbox's own reader, of the parts it needs; judging the file is the service's business. An unusable file raises
PortalFileError with the key at fault.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTACT = "contact"
DEFAULT_PORTAL_ID = 1234567


class PortalFileError(ValueError):
    """The portal file cannot be used; the message names the key."""


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """`[objects.KEY]`: `name` is a schema name, a fully qualified name or an object type id; `parent` another key.

    `stamp` is a text property that the service writes beside the mapped ones.
    """

    key: str
    name: str
    parent: str
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class SlotEntry:
    """`[slots.KEY]`: exactly one of label, property with value, only, each tells which record is in it."""

    key: str
    object: str
    label: str | None = None
    property: str | None = None
    value: str | None = None
    only: bool = False
    each: tuple[str, ...] = ()
    awaited: str = "always"


@dataclass(frozen=True, slots=True)
class Definitive:
    """One rule of `[definitive]`; `when` is None or a condition's word, such as `moving`."""

    slot: str
    when: str | None


@dataclass(frozen=True, slots=True)
class MappedField:
    """One property a form writes: its object's key (or `contact`), the full path, and its options if renamed."""

    object: str
    property: str
    path: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PortalFile:
    """What the sandbox takes from a portal file."""

    portal_id: int
    objects: dict[str, ObjectEntry]
    slots: dict[str, SlotEntry]
    definitive: tuple[Definitive, ...] = ()
    fields: tuple[MappedField, ...] = ()
    sync_url: str | None = None
    custom_types: dict[str, str] = field(default_factory=dict)


def read_portal_file(path: Path) -> PortalFile:
    """Read the file; PortalFileError when it is not there, not TOML, or its parts do not fit together."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PortalFileError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PortalFileError(f"{path}: not TOML: {error}") from error
    return read_portal(data)


def read_portal(data: dict[str, Any]) -> PortalFile:
    """The parsed TOML as a PortalFile."""
    objects = {key: _object(key, entry) for key, entry in _table(data, "objects").items()}
    for entry in objects.values():
        _check_parents(entry, objects)
    slots = {key: _slot(key, entry, objects) for key, entry in _table(data, "slots").items()}
    rules: dict[tuple[str, str | None], Definitive] = {}
    for form, listed in _table(data, "definitive").items():
        for rule in listed if isinstance(listed, list) else []:
            slot = rule.get("slot")
            if slot not in slots:
                raise PortalFileError(f"definitive.{form}: no slot {slot!r}")
            rules.setdefault((slot, rule.get("when")), Definitive(slot, rule.get("when")))
    definitive = tuple(rules.values())
    hubspot = _table(data, "hubspot")
    portal_id = str(hubspot.get("portal_id", DEFAULT_PORTAL_ID))
    if not portal_id.isascii() or not portal_id.isdigit():
        raise PortalFileError(f"hubspot.portal_id: {portal_id!r} is not digits")
    custom = _table(data, "custom")
    return PortalFile(
        portal_id=int(portal_id),
        objects=objects,
        slots=slots,
        definitive=definitive,
        fields=tuple(_fields(data.get("writes", []), slots, definitive)),
        sync_url=_table(data, "contact").get("sync_url"),
        custom_types={name: str(entry.get("type", "string")) for name, entry in custom.items()},
    )


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise PortalFileError(f"{key}: must be a table")
    return value


def _object(key: str, entry: Any) -> ObjectEntry:
    if not isinstance(entry, dict):
        raise PortalFileError(f"objects.{key}: must be a table")
    stamp = entry.get("stamp")
    return ObjectEntry(
        key,
        str(entry.get("name", key)),
        str(entry.get("parent", CONTACT)),
        None if stamp is None else str(stamp),
    )


def _check_parents(entry: ObjectEntry, objects: dict[str, ObjectEntry]) -> None:
    """Every chain of parents ends at the contact."""
    seen = {entry.key}
    parent = entry.parent
    while parent != CONTACT:
        if parent not in objects:
            raise PortalFileError(f"objects.{entry.key}.parent: no object {parent!r}")
        if parent in seen:
            raise PortalFileError(f"objects.{entry.key}.parent: {parent!r} hangs on itself")
        seen.add(parent)
        parent = objects[parent].parent


def _slot(key: str, entry: Any, objects: dict[str, ObjectEntry]) -> SlotEntry:
    if not isinstance(entry, dict):
        raise PortalFileError(f"slots.{key}: must be a table")
    if entry.get("object") not in objects:
        raise PortalFileError(f"slots.{key}.object: no object {entry.get('object')!r}")
    each = entry.get("each", ())
    marks = [name for name in ("label", "property", "only", "each") if entry.get(name)]
    if len(marks) != 1:
        raise PortalFileError(
            f"slots.{key}: exactly one of label, property, only, each must tell the slot's record"
        )
    return SlotEntry(
        key=key,
        object=entry["object"],
        label=entry.get("label"),
        property=entry.get("property"),
        value=None if entry.get("value") is None else str(entry["value"]),
        only=bool(entry.get("only", False)),
        each=(each,) if isinstance(each, str) else tuple(each),
        awaited=str(entry.get("awaited", "always")),
    )


def _fields(
    writes: Any, slots: dict[str, SlotEntry], definitive: tuple[Definitive, ...]
) -> list[MappedField]:
    found: list[MappedField] = []
    for number, write in enumerate(writes if isinstance(writes, list) else []):
        target = write.get("to")
        if target == "definitive":
            targets = {slots[rule.slot].object for rule in definitive}
        elif target == CONTACT:
            targets = {CONTACT}
        elif target in slots:
            targets = {slots[target].object}
        else:
            raise PortalFileError(f"writes[{number}].to: no slot {target!r}")
        prefix = f"{write['each']}." if "each" in write else ""
        renamed = write.get("values", {})
        for prop, path in write.get("fields", {}).items():
            options = tuple(str(value) for value in renamed.get(prop, {}).values())
            found += [MappedField(target, prop, f"{prefix}{path}", options) for target in sorted(targets)]
    return found
