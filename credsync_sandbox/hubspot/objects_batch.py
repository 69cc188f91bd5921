"""Batches of records: read, update, create, archive. At most 100 inputs, no promised order, merges not followed."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.hubspot import associations_write
from credsync_sandbox.hubspot.calls import (
    Answer,
    Call,
    batch_answer,
    check_query,
    fields,
    flag,
    id_of,
    inputs,
)
from credsync_sandbox.hubspot.calls import object_type as find_type
from credsync_sandbox.hubspot.object_json import record_json
from credsync_sandbox.hubspot.refusals import (
    VALIDATION_ERROR,
    BadValue,
    Refusal,
    bad_json,
    bad_values,
    invalid,
    missing_ids,
    refuse,
)
from credsync_sandbox.hubspot.rules import broken_rules
from credsync_sandbox.hubspot.signup import contact_created
from credsync_sandbox.hubspot.values import check_values
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world import changes
from credsync_sandbox.world.world import World

MOST = 100


def read(world: World, call: Call) -> Answer:
    """POST …/batch/read"""
    object_type = find_type(world, call.path[0])
    check_query(call, "archived")
    archived = flag(call, "archived")
    given = inputs(call, MOST, "properties", "propertiesWithHistory", "idProperty")
    _no_id_property(world, object_type, call.body.get("idProperty"))
    names = names_of(call.body, "properties")
    history = names_of(call.body, "propertiesWithHistory")
    ids = dict.fromkeys(id_of(fields(item, "inputs", ("id",))["id"], "inputs.id") for item in given)
    look = world.records.archived if archived else world.records.find
    found = [(record_id, look(object_type.type_id, record_id)) for record_id in ids]
    results = [record_json(object_type, record, names, history) for _, record in found if record is not None]
    missing = [record_id for record_id, record in found if record is None]
    errors = [missing_ids(_shout(object_type), missing, [])] if missing else []
    return batch_answer(call, world.clock.wall(), _reorder(results), errors)


def update(world: World, call: Call) -> Answer:
    """POST …/batch/update: one bad value fails everything, an unknown id only itself."""
    object_type = find_type(world, call.path[0])
    check_query(call)
    given = inputs(call, MOST)
    changes_by_id: dict[str, tuple[dict[str, str], str | None]] = {}
    bad: list[tuple[str | None, list[BadValue]]] = []
    doubled: list[str] = []
    for item in given:
        fields(item, "inputs", ("id", "properties"), ("objectWriteTraceId", "idProperty"))
        _no_id_property(world, object_type, item.get("idProperty"))
        record_id = id_of(item["id"], "inputs.id")
        trace = _trace(item)
        if not item["properties"]:
            raise invalid(
                "No properties found to update, please provide at least one.", context={"properties": ["{}"]}
            )
        values, faults = check_values(object_type, item["properties"], "properties")
        record = world.records.find(object_type.type_id, record_id)
        faults += broken_rules(world, call.version, object_type, record, values) if record else []
        if faults:
            bad.append((trace, faults))
        if record_id in changes_by_id:
            doubled.append(record_id)
        if not faults:
            changes_by_id[record_id] = (values, trace)
    if doubled:
        raise invalid(
            f"Duplicate IDs found in batch input: [{', '.join(dict.fromkeys(doubled))}]. IDs must be unique"
        )
    traced = all(_trace(item) for item in given)
    if bad and not (traced and world.settings.trace_errors):
        raise _all_bad(world, [one for _, faults in bad for one in faults])
    return _apply(world, call, object_type, changes_by_id, bad)


def _apply(
    world: World,
    call: Call,
    object_type: ObjectType,
    wanted: dict[str, tuple[dict[str, str], str | None]],
    bad: list[tuple[str | None, list[BadValue]]],
) -> Answer:
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    traces: list[str] = []
    for record_id, (values, trace) in wanted.items():
        record = world.records.find(object_type.type_id, record_id)
        if record is None:
            missing.append(record_id)
            traces += [trace] if trace else []
            continue
        changes.write(world, record, values, call.at)
        results.append(record_json(object_type, record, list(values), trace=trace))
    errors = [
        _bad_values(world, faults) | {"context": {"objectWriteTraceId": [trace]}} for trace, faults in bad
    ]
    if missing:
        errors.append(missing_ids(_shout(object_type), missing, traces))
    return batch_answer(call, world.clock.wall(), _reorder(results), errors)


def create(world: World, call: Call) -> Answer:
    """POST …/batch/create: all or nothing."""
    object_type = find_type(world, call.path[0])
    check_query(call)
    checked: list[tuple[dict[str, str], list[associations_write.Wanted], str | None]] = []
    bad: list[BadValue] = []
    emails: set[str] = set()
    for item in inputs(call, MOST):
        fields(item, "inputs", ("properties",), ("associations", "objectWriteTraceId"))
        values, faults = check_values(object_type, item["properties"], "properties")
        bad += faults + broken_rules(world, call.version, object_type, None, values)
        refuse_taken_email(world, object_type, values, emails)
        checked.append(
            (values, associations_write.wanted(world, object_type, item.get("associations")), _trace(item))
        )
    if bad:
        raise _all_bad(world, bad)
    results = []
    for values, associated, trace in checked:
        record = changes.create(world, object_type.type_id, values, call.at)
        associations_write.associate(world, record, associated, call.at)
        contact_created(world, record)
        results.append(record_json(object_type, record, list(values), trace=trace))
    return batch_answer(call, world.clock.wall(), results, [], 201)


def archive(world: World, call: Call) -> Answer:
    """POST …/batch/archive: unknown ids are no fault."""
    object_type = find_type(world, call.path[0])
    check_query(call)
    for item in inputs(call, MOST):
        record_id = id_of(fields(item, "inputs", ("id",))["id"], "inputs.id")
        record = world.records.find(object_type.type_id, record_id)
        if record is not None:
            changes.archive(world, record, call.at)
    return Answer(204)


def refuse_taken_email(world: World, object_type: ObjectType, values: dict[str, str], seen: set[str]) -> None:
    """409 when a new contact's address belongs to another; `seen` are those of the same batch."""
    email = values.get("email", "").lower()
    if object_type.custom or not email:
        return
    owner = world.records.by_email(email)
    if owner is not None or email in seen:
        raise refuse(409, "CONFLICT", f"Contact already exists. Existing ID: {owner or 'in this batch'}")
    seen.add(email)


def names_of(body: dict[str, Any], part: str) -> list[str]:
    """A list of property names in a body; absent is empty."""
    given = body.get(part) or []
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise bad_json(f"{part} must be a list of strings")
    return given


def _all_bad(world: World, bad: list[BadValue]) -> Refusal:
    return Refusal(400, _bad_values(world, bad))


def _bad_values(world: World, bad: list[BadValue]) -> dict[str, Any]:
    settings = world.settings
    return bad_values(bad, world.schema.portal_id, settings.errors_listed, settings.refusals_tell)


def _no_id_property(world: World, object_type: ObjectType, name: Any) -> None:
    if name:
        raise refuse(
            400,
            VALIDATION_ERROR,
            f"Unable to perform update/upsert by non-unique {object_type.type_id} property {name} "
            f"in portal ID {world.schema.portal_id}",
        )


def _trace(item: dict[str, Any]) -> str | None:
    trace = item.get("objectWriteTraceId")
    if trace is not None and not isinstance(trace, str):
        raise bad_json("objectWriteTraceId must be a string")
    return trace


def _shout(object_type: ObjectType) -> str:
    return object_type.name.upper()


def _reorder(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By the ids' last digits: an order nobody can lean on."""
    return sorted(results, key=lambda result: result["id"][::-1])
