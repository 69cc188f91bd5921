"""One record at a time: read, list, create, update, archive, merge. Ids of merged records lead to what they became."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.hubspot import associations_write
from credsync_sandbox.hubspot.calls import (
    Answer,
    Call,
    check_query,
    fields,
    flag,
    id_of,
    many,
    object_type,
    one,
    record_or_404,
)
from credsync_sandbox.hubspot.object_json import record_json
from credsync_sandbox.hubspot.objects_batch import refuse_taken_email
from credsync_sandbox.hubspot.refusals import Refusal, bad_values, invalid
from credsync_sandbox.hubspot.rules import broken_rules
from credsync_sandbox.hubspot.signup import contact_created
from credsync_sandbox.hubspot.values import check_values
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world import changes
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

_READ = ("properties", "propertiesWithHistory", "associations", "archived", "idProperty")


def read(world: World, call: Call) -> Answer:
    """GET …/{type}/{id}"""
    found = object_type(world, call.path[0])
    check_query(call, *_READ)
    _no_id_property(call)
    record_id = id_of(call.path[1], "id")
    if flag(call, "archived"):
        record = record_or_404(world.records.archived(found.type_id, record_id))
    else:
        record = record_or_404(world.records.resolve(found.type_id, record_id))
    return Answer(200, _full(world, call, found, record))


def list_page(world: World, call: Call) -> Answer:
    """GET …/{type}: by id, `limit` 1 to 100."""
    found = object_type(world, call.path[0])
    check_query(call, "limit", "after", *_READ[:-1])
    limit = _limit(one(call, "limit", "10"), 100)
    after = id_of(one(call, "after", "0"), "after")
    records = world.records.of(found.type_id) if not flag(call, "archived") else {}
    page = sorted(
        (record for key, record in records.items() if int(key) > int(after)), key=lambda each: int(each.id)
    )
    body: dict[str, Any] = {"results": [_full(world, call, found, record) for record in page[:limit]]}
    if len(page) > limit:
        body["paging"] = {"next": {"after": page[limit - 1].id}}
    return Answer(200, body)


def create(world: World, call: Call) -> Answer:
    """POST …/{type}"""
    found = object_type(world, call.path[0])
    check_query(call)
    body = fields(call.body, "body", ("properties",), ("associations", "objectWriteTraceId"))
    values = _checked(world, call, found, None, body["properties"])
    refuse_taken_email(world, found, values, set())
    associated = associations_write.wanted(world, found, body.get("associations"))
    record = changes.create(world, found.type_id, values, call.at)
    associations_write.associate(world, record, associated, call.at)
    contact_created(world, record)
    return Answer(201, record_json(found, record, list(values), trace=body.get("objectWriteTraceId")))


def update(world: World, call: Call) -> Answer:
    """PATCH …/{type}/{id}"""
    found = object_type(world, call.path[0])
    check_query(call, "idProperty")
    _no_id_property(call)
    body = fields(call.body, "body", ("properties",), ("objectWriteTraceId",))
    record = record_or_404(world.records.resolve(found.type_id, id_of(call.path[1], "id")))
    if not body["properties"]:
        raise invalid(
            "No properties found to update, please provide at least one.", context={"properties": ["{}"]}
        )
    values = _checked(world, call, found, record, body["properties"])
    changes.write(world, record, values, call.at)
    return Answer(200, record_json(found, record, list(values), trace=body.get("objectWriteTraceId")))


def archive(world: World, call: Call) -> Answer:
    """DELETE …/{type}/{id}: 204, also for an id that leads nowhere."""
    found = object_type(world, call.path[0])
    check_query(call)
    record = world.records.resolve(found.type_id, id_of(call.path[1], "id"))
    if record is not None:
        changes.archive(world, record, call.at)
    return Answer(204)


def merge(world: World, call: Call) -> Answer:
    """POST …/{type}/merge: a record with a new id, `hs_merged_object_ids` naming the old ones."""
    found = object_type(world, call.path[0])
    check_query(call)
    body = fields(call.body, "body", ("primaryObjectId", "objectIdToMerge"))
    ends = [
        record_or_404(world.records.resolve(found.type_id, id_of(body[name], name)))
        for name in ("primaryObjectId", "objectIdToMerge")
    ]
    if ends[0].id == ends[1].id:
        raise invalid("A record cannot be merged with itself.")
    record = changes.merge(world, ends[0], ends[1], call.at)
    return Answer(200, record_json(found, record, ["hs_merged_object_ids"]))


def gdpr_delete(world: World, call: Call) -> Answer:
    """POST …/contacts/gdpr-delete: a contact is gone for good; 204 whatever became of it."""
    found = object_type(world, "contact")
    check_query(call)
    body = fields(call.body, "body", ("objectId",), ("idProperty",))
    if body.get("idProperty"):
        raise invalid("idProperty: the sandbox finds contacts by their record id only")
    record = world.records.resolve(found.type_id, id_of(body["objectId"], "objectId"))
    if record is not None:
        changes.erase(world, record, call.at)
    return Answer(204)


def _checked(
    world: World, call: Call, found: ObjectType, record: Record | None, given: Any
) -> dict[str, str]:
    values, bad = check_values(found, given, "properties")
    bad += broken_rules(world, call.version, found, record, values)
    if bad:
        raise Refusal(
            400,
            bad_values(
                bad, world.schema.portal_id, world.settings.errors_listed, world.settings.refusals_tell
            ),
        )
    return values


def _full(world: World, call: Call, found: ObjectType, record: Record) -> dict[str, Any]:
    body = record_json(found, record, many(call, "properties"), many(call, "propertiesWithHistory"))
    associations: dict[str, Any] = {}
    for name in many(call, "associations"):
        other = object_type(world, name)
        held = world.links.of(found.type_id, other.type_id, record.id)
        kind = f"{found.name}_to_{other.name}"
        if held:
            associations[other.plural.lower().replace(" ", "_")] = {
                "results": [{"id": other_id, "type": kind} for other_id in sorted(held)]
            }
    return body | ({"associations": associations} if associations else {})


def _no_id_property(call: Call) -> None:
    if one(call, "idProperty"):
        raise invalid("idProperty: the sandbox finds records by their record id only")


def _limit(given: str | None, most: int) -> int:
    if given is None or not given.isdigit() or not 1 <= int(given) <= most:
        raise invalid(f"limit must be between 1 and {most}")
    return int(given)
