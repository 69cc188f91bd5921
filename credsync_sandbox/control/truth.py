"""`/_sandbox/truth`: what really is, with no limit and no lag. Moments are wall time unless named otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.contacts import contact_of
from credsync_sandbox.control.reading import BadRequest, answer
from credsync_sandbox.sandbox import Sandbox
from credsync_sandbox.world import slots
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.steps import Step
from credsync_sandbox.world.times import iso_us
from credsync_sandbox.world.world import World


def record_truth(world: World, record: Record) -> dict[str, Any]:
    """A record: `made_for` is the slot a workflow made it for, `slots` those it is in now."""
    object_type = world.schema.types[record.type_id]
    return {
        "id": record.id,
        "object": object_type.key,
        "type_id": record.type_id,
        "made_for": record.slot,
        "slots": slots.slots_of(world, record),
        "labels": _labels(world, record),
        "parents": _parents(world, record),
        "properties": dict(record.properties),
        "created_at": iso_us(record.created),
        "created_at_sandbox": iso_us(record.created_sandbox),
        "visible_at": None if record.linked is None else iso_us(max(record.linked, record.created)),
        "writes": record.writes,
        "first_written_at": None if record.first_written is None else iso_us(record.first_written),
        "written": {name: iso_us(at) for name, at in (record.written or {}).items()},
        "archived_at": None if record.archived is None else iso_us(record.archived),
        "merged_into": record.merged_into,
        "merged": list(record.merged),
    }


def contact_truth(world: World, contact: Record, made: list[Record], pending: list[Step]) -> dict[str, Any]:
    """A contact with every record that hangs on it or was made for it, and what is still to come."""
    now = world.clock.now()
    return {
        "id": contact.id,
        "properties": dict(contact.properties),
        "created_at": iso_us(contact.created),
        "created_at_sandbox": iso_us(contact.created_sandbox),
        "writes": contact.writes,
        "written": {name: iso_us(at) for name, at in (contact.written or {}).items()},
        "archived_at": None if contact.archived is None else iso_us(contact.archived),
        "erased": contact.erased,
        "merged": list(contact.merged),
        "records": [
            record_truth(world, record)
            for record in sorted(made, key=lambda each: (each.created_sandbox, each.id))
        ],
        "pending": [
            {
                "action": step.action,
                "slot": step.slot,
                "object": world.schema.types[step.type_id].key,
                "id": step.record_id,
                "due_in_s": round(step.due - now, 6),
            }
            for step in sorted(pending, key=lambda step: (step.due, step.seq))
        ],
    }


async def one_contact(sandbox: Sandbox, request: Request) -> Response:
    """GET truth/contacts/{id}"""
    sandbox.settle()
    world = sandbox.world
    contact_id = request.path_params["id"]
    contact = world.records.gone(world.contact_type.type_id, contact_id) or contact_of(world, contact_id)
    if contact.merged_into is not None:
        contact = contact_of(world, contact_id)
    found = _by_contact(world, {contact.id, *contact.merged})
    pending = [step for step in world.steps if step.contact in (contact.id, *contact.merged)]
    made = {id(record): record for records in found.values() for record in records}
    for record in _reachable(world, contact):
        made[id(record)] = record
    return answer(contact_truth(world, contact, list(made.values()), pending))


async def everything(sandbox: Sandbox, request: Request) -> Response:
    """GET truth: totals and, unless `contacts=false`, every contact (`limit` and `after` page through them)."""
    sandbox.settle()
    world = sandbox.world
    people = world.records.of(world.contact_type.type_id)
    body: dict[str, Any] = {
        "portal_id": str(world.schema.portal_id),
        "contacts_total": len(people),
        "records_total": world.records.count() - len(people),
        "by_object": dict(Counter(world.schema.types[each.type_id].key for each in _live(world))),
        "writes": sum(record.writes for record in _live(world)),
        "pending": len(world.steps),
        "skipped": world.steps.skipped,
    }
    if request.query_params.get("contacts") != "false":
        limit, after = request.query_params.get("limit"), request.query_params.get("after", "0")
        if not (limit is None or limit.isdigit()) or not after.isdigit():
            raise BadRequest("limit and after must be whole numbers")
        order = sorted((each for each in people if int(each) > int(after)), key=int)
        page = order if limit is None else order[: int(limit)]
        records = _by_contact(world, None)
        pending: dict[str, list[Step]] = {}
        for step in world.steps:
            pending.setdefault(step.contact, []).append(step)
        body["contacts"] = [
            contact_truth(world, people[each], records.get(each, []), pending.get(each, [])) for each in page
        ]
        body["next"] = page[-1] if page and len(page) < len(order) else None
    return answer(body)


def _live(world: World) -> list[Record]:
    return [record for record in world.records.everything() if record.archived is None]


def _by_contact(world: World, wanted: set[str] | None) -> dict[str, list[Record]]:
    """Custom records by the contact they were made for (and what it was merged into)."""
    people = world.contact_type.type_id
    found: dict[str, list[Record]] = {}
    for record in world.records.everything():
        owner = record.contact
        if record.type_id == people or owner is None or (wanted is not None and owner not in wanted):
            continue
        heir = world.records.resolve(people, owner)
        found.setdefault(heir.id if heir else owner, []).append(record)
    return found


def _reachable(world: World, contact: Record) -> list[Record]:
    """What hangs on the contact, directly or over another record."""
    found: dict[tuple[str, str], Record] = {}
    front = [contact]
    while front:
        near = front.pop()
        for _, to_type in world.schema.pairs(near.type_id):
            if world.schema.types[to_type].parent != world.schema.types[near.type_id].key:
                continue
            for other in world.links.of(near.type_id, to_type, near.id):
                record = world.records.find(to_type, other)
                if record is not None and (to_type, other) not in found:
                    found[(to_type, other)] = record
                    front.append(record)
    return list(found.values())


def _labels(world: World, record: Record) -> list[str]:
    parent_type, held = _held(world, record)
    named = [
        label for types in held.values() for label in world.links.labels(record.type_id, parent_type, types)
    ]
    return sorted(dict.fromkeys(named))


def _parents(world: World, record: Record) -> list[str]:
    return sorted(_held(world, record)[1])


def _held(world: World, record: Record) -> tuple[str, dict[str, tuple[int, ...]]]:
    """The type of the record's parents, and each parent with its association's types."""
    parent = world.schema.by_key.get(world.schema.types[record.type_id].parent or "")
    if parent is None:
        return "", {}
    return parent.type_id, world.links.of(record.type_id, parent.type_id, record.id)
