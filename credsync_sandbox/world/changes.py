"""The ways the portal's content changes, whoever asks: a call, a workflow or `/_sandbox/`.

Each takes the wall moment `at` at which it happens, and notes the webhook event it causes and, if asked for, what
became of each record.
"""

from __future__ import annotations

from typing import Any

from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

CONTACT_TYPE = "0-1"


def create(
    world: World,
    type_id: str,
    properties: dict[str, str],
    at: float,
    *,
    record_id: str | None = None,
    slot: str | None = None,
    contact: str | None = None,
    sandbox_at: float | None = None,
) -> Record:
    """A new record."""
    record = Record(
        id=record_id or world.records.new_id(type_id, "made", str(world.records.count())),
        type_id=type_id,
        created=at,
        created_sandbox=world.clock.now() if sandbox_at is None else sandbox_at,
        updated=at,
        properties={name: value for name, value in properties.items() if value != ""},
        slot=slot,
        contact=contact,
    )
    world.records.add(record)
    _note(world, "create", record, at, record.properties)
    _event(world, "object.creation", at, record.type_id, record.id)
    return record


def write(world: World, record: Record, values: dict[str, str], at: float) -> None:
    """A call wrote these properties; an empty value cleared one."""
    world.records.set(record, values, at)
    record.writes += 1
    if record.first_written is None:
        record.first_written = at
    written = record.written = {} if record.written is None else record.written
    written.update(dict.fromkeys(values, at))
    _note(world, "write", record, at, values)
    if world.events is not None:
        for name, value in values.items():
            extra = {"propertyName": name, "propertyValue": value, "changeSource": "INTEGRATION"}
            _event(world, "object.propertyChange", at, record.type_id, record.id, **extra)


def put_properties(world: World, record: Record, values: dict[str, str], at: float) -> None:
    """An automation or a person set these: not counted as a call's write."""
    world.records.set(record, values, at)
    _note(world, "edit", record, at, values)
    if world.events is not None:
        for name, value in values.items():
            extra = {"propertyName": name, "propertyValue": value}
            _event(world, "object.propertyChange", at, record.type_id, record.id, **extra)


def link(world: World, near: Record, far: Record, type_ids: set[int], at: float) -> None:
    """Associate two records; `type_ids` are those of the direction near to far."""
    world.links.put(near.type_id, near.id, far.type_id, far.id, type_ids)
    for end in (near, far):
        if end.linked is None and end.type_id != CONTACT_TYPE:
            end.linked = at
            world.records.touch(end)
    _note_ends(world, "link", near, far, at)
    _association_event(world, near.type_id, near.id, far.type_id, far.id, at, removed=False)


def unlink(world: World, near: Record, far: Record, at: float) -> bool:
    """End their association; False when there was none."""
    ended = world.links.cut(near.type_id, near.id, far.type_id, far.id)
    if ended:
        _note_ends(world, "unlink", near, far, at)
        _association_event(world, near.type_id, near.id, far.type_id, far.id, at, removed=True)
    return ended


def unlabel(world: World, near: Record, far: Record, type_ids: set[int], at: float) -> None:
    """Take labels off their association."""
    world.links.take(near.type_id, near.id, far.type_id, far.id, type_ids)
    _note_ends(world, "unlink", near, far, at)
    _association_event(world, near.type_id, near.id, far.type_id, far.id, at, removed=True)


def archive(world: World, record: Record, at: float) -> None:
    """Delete a record, and with it its associations; `restore` brings both back."""
    record.ended = tuple(_held(world, record))
    ended = world.links.cut_all(record.type_id, record.id)
    for to_type, other in ended:
        _association_event(world, record.type_id, record.id, to_type, other, at, removed=True)
    world.records.archive(record, at)
    _note(world, "archive", record, at)
    _note_all(world, "unlink", ended, at)
    _event(world, "object.deletion", at, record.type_id, record.id)


def restore(world: World, record: Record, at: float) -> None:
    """Bring a deleted record back under its id, with its properties and its associations with what still is there."""
    held = record.ended
    world.records.revive(record, at)
    _note(world, "restore", record, at)
    _event(world, "object.restore", at, record.type_id, record.id)
    for to_type, other_id, type_ids in held:
        other = world.records.resolve(to_type, other_id)
        if other is not None:
            link(world, record, other, set(type_ids), at)


def erase(world: World, contact: Record, at: float) -> None:
    """Delete a contact for good (GDPR): its content and associations go, its id and those merged into it lead nowhere.

    What hung on it stays, under nobody. HubSpot tells of it twice: as of any deletion, and as of a privacy deletion.
    """
    archive(world, contact, at)
    world.records.erase(contact, at)
    _event(world, "contact.privacyDeletion", at, contact.type_id, contact.id)


def reparent(world: World, record: Record, old: Record, new: Record, at: float) -> None:
    """Hang a record on another parent, under the labels it had under the old one."""
    held = world.links.of(old.type_id, record.type_id, old.id).get(record.id, ())
    unlink(world, old, record, at)
    link(world, new, record, set(held), at)


def merge(world: World, primary: Record, other: Record, at: float) -> Record:
    """Two records become one with a new id: the primary's values first, everybody's associations."""
    merged = (*primary.merged, primary.id, *other.merged, other.id)
    record = Record(
        id=world.records.new_id(primary.type_id, "merged", primary.id, other.id),
        type_id=primary.type_id,
        created=min(primary.created, other.created),
        created_sandbox=min(primary.created_sandbox, other.created_sandbox),
        updated=at,
        properties={**other.properties, **primary.properties},
        slot=primary.slot,
        contact=primary.contact,
        linked=primary.linked or other.linked,
        writes=primary.writes + other.writes,
        written={**(other.written or {}), **(primary.written or {})} or None,
        first_written=min((at for at in (primary.first_written, other.first_written) if at), default=None),
        merged=merged,
    )
    held = [one for former in (primary, other) for one in _held(world, former)]
    for former in (primary, other):
        world.links.cut_all(former.type_id, former.id)
        world.records.archive(former, at, merged_into=record.id)
        _note(world, "archive", former, at)
    world.records.add(record)
    for to_type, to_id, type_ids in held:
        world.links.put(record.type_id, record.id, to_type, to_id, set(type_ids))
    _note(world, "merge", record, at)
    _note_all(world, "link", [(to_type, to_id) for to_type, to_id, _ in held], at)
    extra = {
        "primaryObjectId": int(primary.id),
        "mergedObjectIds": [int(other.id)],
        "newObjectId": int(record.id),
        "numberOfPropertiesMoved": len(other.properties.keys() - primary.properties.keys()),
    }
    _event(world, "object.merge", at, record.type_id, record.id, **extra)
    return record


def _held(world: World, record: Record) -> list[tuple[str, str, tuple[int, ...]]]:
    """What a record is associated with: type, id and the types of the association."""
    return [
        (to_type, to_id, type_ids)
        for _, to_type in world.schema.pairs(record.type_id)
        for to_id, type_ids in world.links.of(record.type_id, to_type, record.id).items()
    ]


def _note(world: World, action: str, record: Record, at: float, values: dict[str, str] | None = None) -> None:
    if world.journal is not None and world.settings.journal:
        world.journal.note(action, record, at, values)


def _note_ends(world: World, action: str, near: Record, far: Record, at: float) -> None:
    for end in (near, far):
        if end.type_id != CONTACT_TYPE:
            _note(world, action, end, at)


def _note_all(world: World, action: str, ends: list[tuple[str, str]], at: float) -> None:
    for type_id, record_id in ends:
        end = world.records.find(type_id, record_id)
        if end is not None and type_id != CONTACT_TYPE:
            _note(world, action, end, at)


def _association_event(
    world: World, from_type: str, from_id: str, to_type: str, to_id: str, at: float, *, removed: bool
) -> None:
    if world.events is None:
        return
    for near_type, near, far in ((from_type, from_id, to_id), (to_type, to_id, from_id)):
        extra = {"fromObjectId": int(near), "toObjectId": int(far), "associationRemoved": removed}
        _event(world, "object.associationChange", at, near_type, near, **extra)


def _event(world: World, kind: str, at: float, type_id: str, record_id: str, **extra: Any) -> None:
    if world.events is None:
        return
    event = {
        "portalId": world.schema.portal_id,
        "occurredAt": int(at * 1000),
        "subscriptionType": kind,
        "objectTypeId": type_id,
        "changeSource": "CRM_UI" if kind == "object.merge" else "AUTOMATION_PLATFORM",
    }
    if kind != "object.associationChange":
        event["objectId"] = int(record_id)
    world.events.append(event | extra)
