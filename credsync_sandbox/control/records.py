"""`/_sandbox/records/…`: what a person or another automation does to records by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.contacts import checked_properties, contact_of
from credsync_sandbox.control.reading import BadRequest, answer, flag, json_body, needed, table, text
from credsync_sandbox.control.truth import record_truth
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.world import changes, slots
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

Action = Callable[[World, dict[str, Any], float], Any]


def record_action(action: Action, *allowed: str) -> Callable[[Sandbox, Request], Awaitable[Response]]:
    """An endpoint: read the body, do the action now, answer what it says."""

    async def endpoint(sandbox: Sandbox, request: Request) -> Response:
        body = table(await json_body(request), "body", allowed)
        sandbox.settle()
        told = action(sandbox.world, body, sandbox.world.clock.wall())
        sandbox.keep()
        return answer(told)

    return endpoint


def create(world: World, body: dict[str, Any], at: float) -> Any:
    """Make a record now: in a slot (a second one in it, if it is taken) or of an object without a mark."""
    slot = text(body, "slot")
    entry = slots.entry_of(world, slot) if slot else None
    if slot and entry is None:
        raise BadRequest(f"slot: no slot {slot!r}")
    key = entry.object if entry else needed(body, "object")
    if key not in world.schema.by_key:
        raise BadRequest(f"object: no object {key!r}")
    object_type = world.schema.by_key[key]
    contact = contact_of(world, needed(body, "contact"))
    parent = contact if object_type.parent == "contact" else record_of(world, needed(body, "parent"))
    values = checked_properties(world, key, body.get("properties"))
    record = changes.create(world, object_type.type_id, values, at, slot=slot, contact=contact.id)
    if flag(body, "linked", default=True):
        slots.mark(world, slot, parent, record, at)
    return record_truth(world, record)


def delete(world: World, body: dict[str, Any], at: float) -> Any:
    """Delete a record."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    changes.archive(world, record, at)
    return record_truth(world, record)


def restore(world: World, body: dict[str, Any], at: float) -> Any:
    """Bring a deleted record or contact back, with its associations."""
    record = _deleted(world, needed(body, "id"), text(body, "object"))
    changes.restore(world, record, at)
    return record_truth(world, record)


def erase(world: World, body: dict[str, Any], at: float) -> Any:
    """Delete a contact for good, as a person's right to be forgotten asks."""
    contact = contact_of(world, needed(body, "contact"))
    changes.erase(world, contact, at)
    return record_truth(world, contact)


def reparent(world: World, body: dict[str, Any], at: float) -> Any:
    """Move a record, such as a licence, from the parent it hangs on to another of the same type."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    new = record_of(world, needed(body, "to"), world.schema.types[record.type_id].parent)
    old = _parent(world, record, body)
    if new.id == old.id:
        raise BadRequest(f"to: record {record.id} hangs on {new.id} already")
    changes.reparent(world, record, old, new, at)
    return record_truth(world, record)


def link(world: World, body: dict[str, Any], at: float) -> Any:
    """Associate a record with a parent, in a slot if one is named."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    slots.mark(world, _slot(world, body), _parent(world, record, body), record, at)
    return record_truth(world, record)


def unlink(world: World, body: dict[str, Any], at: float) -> Any:
    """End a record's association with one parent, or with all of them."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    parents = [record_of(world, needed(body, "parent"))] if body.get("parent") else _parents(world, record)
    for parent in parents:
        changes.unlink(world, parent, record, at)
    return record_truth(world, record)


def move(world: World, body: dict[str, Any], at: float) -> Any:
    """Give a slot to the record `to`: its holders under the same parent lose it (not with `keep`)."""
    record = record_of(world, needed(body, "to"), text(body, "object"))
    slot = _slot(world, body) or ""
    parent = _parent(world, record, body)
    if not flag(body, "keep"):
        for holder in slots.holders(world, slot, parent):
            if holder.id != record.id:
                slots.unmark(world, slot, parent, holder, at)
    slots.mark(world, slot, parent, record, at)
    return {"holders": [record_truth(world, holder) for holder in slots.holders(world, slot, parent)]}


def unmark(world: World, body: dict[str, Any], at: float) -> Any:
    """Take a record out of a slot; it stays associated where a label or property allows that."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    slots.unmark(world, _slot(world, body) or "", _parent(world, record, body), record, at)
    return record_truth(world, record)


def merge(world: World, body: dict[str, Any], at: float) -> Any:
    """Merge two records of a type; the answer is the new one."""
    primary = record_of(world, needed(body, "primary"), text(body, "object"))
    other = record_of(world, needed(body, "other"), text(body, "object"))
    if primary.type_id != other.type_id or primary.id == other.id:
        raise BadRequest("primary and other must be two records of one type")
    return record_truth(world, changes.merge(world, primary, other, at))


def edit(world: World, body: dict[str, Any], at: float) -> Any:
    """A person edits properties in HubSpot: not counted as a call's write."""
    record = record_of(world, needed(body, "id"), text(body, "object"))
    key = world.schema.types[record.type_id].key
    changes.put_properties(world, record, checked_properties(world, key, body.get("properties")), at)
    return record_truth(world, record)


ACTIONS: dict[str, Callable[[Sandbox, Request], Awaitable[Response]]] = {
    "create": record_action(create, "contact", "slot", "object", "parent", "properties", "linked"),
    "delete": record_action(delete, "id", "object"),
    "restore": record_action(restore, "id", "object"),
    "erase": record_action(erase, "contact"),
    "reparent": record_action(reparent, "id", "object", "to", "parent"),
    "link": record_action(link, "id", "object", "parent", "slot"),
    "unlink": record_action(unlink, "id", "object", "parent"),
    "move": record_action(move, "slot", "to", "object", "parent", "keep"),
    "unmark": record_action(unmark, "id", "object", "slot", "parent"),
    "merge": record_action(merge, "primary", "other", "object"),
    "edit": record_action(edit, "id", "object", "properties"),
}


def record_of(world: World, record_id: str, key: str | None = None) -> Record:
    """The live record with this id, through merges; `key` says of which object when ids of two types are alike."""
    for object_type in world.schema.types.values():
        if key in (None, object_type.key):
            found = world.records.resolve(object_type.type_id, record_id)
            if found is not None:
                return found
    raise BadRequest(f"no record {record_id}", 404)


def _deleted(world: World, record_id: str, key: str | None) -> Record:
    """The deleted record with this id that can come back: neither merged nor erased."""
    for object_type in world.schema.types.values():
        found = (
            world.records.archived(object_type.type_id, record_id) if key in (None, object_type.key) else None
        )
        if found is not None and found.merged_into is not None:
            raise BadRequest(f"id: record {record_id} was merged into {found.merged_into}, not deleted", 409)
        if found is not None:
            return found
    raise BadRequest(f"no deleted record {record_id}", 404)


def _slot(world: World, body: dict[str, Any]) -> str | None:
    slot = text(body, "slot")
    if slot is not None and slots.entry_of(world, slot) is None:
        raise BadRequest(f"slot: no slot {slot!r}; there are {', '.join(sorted(world.portal.slots))}")
    return slot


def _parents(world: World, record: Record) -> list[Record]:
    parent_type = world.schema.by_key[world.schema.types[record.type_id].parent or "contact"].type_id
    held = world.links.of(record.type_id, parent_type, record.id)
    return [parent for one in held if (parent := world.records.find(parent_type, one)) is not None]


def _parent(world: World, record: Record, body: dict[str, Any]) -> Record:
    if body.get("parent"):
        return record_of(world, needed(body, "parent"))
    parents = _parents(world, record)
    if len(parents) != 1:
        raise BadRequest(f"parent: record {record.id} has {len(parents)} parents, so say which")
    return parents[0]
