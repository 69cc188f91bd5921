"""What it means, in the portal, that a record is in a slot: a label, a property's value, or being the only one.

A slot's name is its key (`credentialing_relocation`) or, where the slot has one place per value, key and values
(`license.NY`, `license.NY.PT`).
"""

from __future__ import annotations

from credsync_sandbox.portal.portal_file import SlotEntry
from credsync_sandbox.world import changes
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World


def entry_of(world: World, name: str) -> SlotEntry | None:
    """The portal file's entry for a slot's name."""
    return world.portal.slots.get(name) or world.portal.slots.get(name.split(".", 1)[0])


def properties_of(entry: SlotEntry, name: str) -> dict[str, str]:
    """The properties that put a record in this slot; empty where a label or being the only one does."""
    if entry.property:
        return {entry.property: entry.value or ""}
    if entry.each:
        return dict(zip(entry.each, name.split(".")[1:], strict=False))
    return {}


def label_types(world: World, entry: SlotEntry, parent_type: str, type_id: str) -> set[int]:
    """The type ids (parent to record) that put a record in this slot."""
    found = world.schema.label(parent_type, type_id, entry.label) if entry.label else None
    return {found.type_id} if found else set()


def mark(world: World, name: str | None, parent: Record, record: Record, at: float) -> None:
    """Associate the record with its parent and put it in the slot."""
    entry = entry_of(world, name) if name else None
    types: set[int] = set()
    if entry and name:
        types = label_types(world, entry, parent.type_id, record.type_id)
        wanted = properties_of(entry, name)
        if any(record.properties.get(key) != value for key, value in wanted.items()):
            changes.put_properties(world, record, wanted, at)
    changes.link(world, parent, record, types, at)


def unmark(world: World, name: str, parent: Record, record: Record, at: float) -> None:
    """Take the record out of the slot, leaving it associated where a label or property allows that."""
    entry = entry_of(world, name)
    if entry is None:
        return
    if entry.label:
        changes.unlabel(world, parent, record, label_types(world, entry, parent.type_id, record.type_id), at)
    elif entry.only:
        changes.unlink(world, parent, record, at)
    else:
        changes.put_properties(world, record, dict.fromkeys(properties_of(entry, name), ""), at)


def holders(world: World, name: str, parent: Record) -> list[Record]:
    """The records in this slot under this parent, as a look would find them."""
    entry = entry_of(world, name)
    if entry is None or entry.object not in world.schema.by_key:
        return []
    type_id = world.schema.by_key[entry.object].type_id
    types = label_types(world, entry, parent.type_id, type_id)
    wanted = properties_of(entry, name)
    found = []
    for record_id, held in world.links.of(parent.type_id, type_id, parent.id).items():
        record = world.records.find(type_id, record_id)
        if record is None:
            continue
        labelled = not entry.label or bool(types and types <= set(held))
        if labelled and all(record.properties.get(key) == value for key, value in wanted.items()):
            found.append(record)
    return found


def slots_of(world: World, record: Record) -> list[str]:
    """The names of the slots this record is in, under any parent."""
    found: list[str] = []
    for entry in world.portal.slots.values():
        object_type = world.schema.by_key.get(entry.object)
        parent_type = world.schema.by_key.get(object_type.parent or "") if object_type else None
        if object_type is None or parent_type is None or object_type.type_id != record.type_id:
            continue
        values = [record.properties.get(name, "") for name in entry.each]
        name = ".".join((entry.key, *values))
        wanted = properties_of(entry, name)
        if entry.each and not all(values):
            continue
        if any(record.properties.get(key) != value for key, value in wanted.items()):
            continue
        types = label_types(world, entry, parent_type.type_id, record.type_id)
        parents = world.links.of(record.type_id, parent_type.type_id, record.id)
        inverse = {
            world.schema.associations(parent_type.type_id, record.type_id)[one].inverse for one in types
        }
        if any(not entry.label or (inverse and inverse <= set(held)) for held in parents.values()):
            found.append(name)
    return found
