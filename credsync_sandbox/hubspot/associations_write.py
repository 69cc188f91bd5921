"""Associations made, labelled and ended, one at a time or in batches (the calls of HubSpot's v4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from credsync_sandbox.hubspot.associations_read import pair_of
from credsync_sandbox.hubspot.calls import (
    Answer,
    Call,
    batch_answer,
    check_query,
    fields,
    id_of,
    inputs,
    record_or_404,
)
from credsync_sandbox.hubspot.refusals import bad_json, invalid, missing_ids
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world import changes
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

MOST_MADE = 2000
MOST_ENDED = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """An association asked for with a new record; the type ids are those of the direction new record to `to`."""

    to: Record
    type_ids: frozenset[int]


def wanted(world: World, object_type: ObjectType, given: Any) -> list[Wanted]:
    """The `associations` of a create call, checked before anything is made."""
    if given is None:
        return []
    if not isinstance(given, list):
        raise bad_json("associations must be a list")
    found = []
    for item in given:
        fields(item, "associations", ("to", "types"))
        type_ids = _type_ids(item["types"])
        to_id = id_of(fields(item["to"], "to", ("id",))["id"], "to.id")
        far = next(
            (to for _, to in world.schema.pairs(object_type.type_id)
             if type_ids and type_ids <= set(world.schema.associations(object_type.type_id, to))),
            None,
        )  # fmt: skip
        record = world.records.resolve(far, to_id) if far else None
        if record is None:
            raise invalid(f"associations: no such association type or record ({sorted(type_ids)}, {to_id})")
        found.append(Wanted(record, frozenset(type_ids)))
    return found


def associate(world: World, record: Record, given: list[Wanted], at: float) -> None:
    """Make the associations of a create call."""
    for one in given:
        changes.link(world, record, one.to, set(one.type_ids), at)


def put_default(world: World, call: Call) -> Answer:
    """PUT …/objects/{from}/{id}/associations/default/{to}/{to id}"""
    near, far = pair_of(world, call)
    check_query(call)
    ends = _ends(world, near, far, call.path[1], call.path[3])
    changes.link(world, *ends, set(), call.at)
    return batch_answer(call, world.clock.wall(), _specs(world, *ends), [])


def put_labelled(world: World, call: Call) -> Answer:
    """PUT …/objects/{from}/{id}/associations/{to}/{to id}: the body lists types; they are added to those there."""
    near, far = pair_of(world, call)
    check_query(call)
    type_ids = _known(world, near, far, _type_ids(call.body))
    ends = _ends(world, near, far, call.path[1], call.path[3])
    _keep_limits(world, *ends, type_ids)
    changes.link(world, *ends, type_ids, call.at)
    return Answer(201, _pair_json(world, *ends))


def end_one(world: World, call: Call) -> Answer:
    """DELETE …/objects/{from}/{id}/associations/{to}/{to id}: all of it, labels too."""
    near, far = pair_of(world, call)
    check_query(call)
    record = world.records.resolve(near.type_id, id_of(call.path[1], "id"))
    other = world.records.resolve(far.type_id, id_of(call.path[3], "to id"))
    if record is not None and other is not None:
        changes.unlink(world, record, other, call.at)
    return Answer(204)


def batch_create(world: World, call: Call) -> Answer:
    """POST …/{from}/{to}/batch/create: types are checked for the whole batch, ids each for itself."""
    near, far = pair_of(world, call)
    check_query(call)
    asked = [(*_input_ends(item, ("from", "to", "types")), item) for item in inputs(call, MOST_MADE)]
    checked = [(one, other, _known(world, near, far, _type_ids(item["types"]))) for one, other, item in asked]
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for near_id, far_id, type_ids in checked:
        record, other = world.records.find(near.type_id, near_id), world.records.find(far.type_id, far_id)
        if record is None or other is None:
            lost, lost_id = (near, near_id) if record is None else (far, far_id)
            errors.append(missing_ids(lost.name.upper(), [lost_id], []))
            continue
        _keep_limits(world, record, other, type_ids)
        changes.link(world, record, other, type_ids, call.at)
        results.append(_pair_json(world, record, other))
    return batch_answer(call, world.clock.wall(), results, errors, 201)


def batch_default(world: World, call: Call) -> Answer:
    """POST …/{from}/{to}/batch/associate/default"""
    near, far = pair_of(world, call)
    check_query(call)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for item in inputs(call, MOST_MADE):
        near_id, far_id = _input_ends(item, ("from", "to"))
        record, other = world.records.find(near.type_id, near_id), world.records.find(far.type_id, far_id)
        if record is None or other is None:
            lost, lost_id = (near, near_id) if record is None else (far, far_id)
            errors.append(missing_ids(lost.name.upper(), [lost_id], []))
            continue
        changes.link(world, record, other, set(), call.at)
        results += _specs(world, record, other)
    return batch_answer(call, world.clock.wall(), results, errors)


def batch_archive(world: World, call: Call) -> Answer:
    """POST …/{from}/{to}/batch/archive: `to` is a list here."""
    near, far = pair_of(world, call)
    check_query(call)
    for item in inputs(call, MOST_ENDED):
        fields(item, "inputs", ("from", "to"))
        record = world.records.find(
            near.type_id, id_of(fields(item["from"], "from", ("id",))["id"], "from.id")
        )
        if not isinstance(item["to"], list):
            raise bad_json("to must be a list of objects")
        for end in item["to"]:
            other = world.records.find(far.type_id, id_of(fields(end, "to", ("id",))["id"], "to.id"))
            if record is not None and other is not None:
                changes.unlink(world, record, other, call.at)
    return Answer(204)


def batch_labels_archive(world: World, call: Call) -> Answer:
    """POST …/{from}/{to}/batch/labels/archive: taking the unlabelled type away ends the association."""
    near, far = pair_of(world, call)
    check_query(call)
    for item in inputs(call, MOST_ENDED):
        near_id, far_id = _input_ends(item, ("from", "to", "types"))
        type_ids = _known(world, near, far, _type_ids(item["types"]))
        record, other = world.records.find(near.type_id, near_id), world.records.find(far.type_id, far_id)
        if record is not None and other is not None:
            changes.unlabel(world, record, other, type_ids, call.at)
    return Answer(204)


def _ends(
    world: World, near: ObjectType, far: ObjectType, near_id: str, far_id: str
) -> tuple[Record, Record]:
    return (
        record_or_404(world.records.resolve(near.type_id, id_of(near_id, "id"))),
        record_or_404(world.records.resolve(far.type_id, id_of(far_id, "to id"))),
    )


def _input_ends(item: dict[str, Any], required: tuple[str, ...]) -> tuple[str, str]:
    fields(item, "inputs", required)
    near = fields(item["from"], "from", ("id",))
    far = fields(item["to"], "to", ("id",))
    return id_of(near["id"], "from.id"), id_of(far["id"], "to.id")


def _type_ids(given: Any) -> set[int]:
    if not isinstance(given, list) or not given:
        raise bad_json("types must be a list of association types")
    found = set()
    for item in given:
        fields(item, "types", ("associationTypeId",), ("associationCategory",))
        type_id = item["associationTypeId"]
        if isinstance(type_id, bool) or not isinstance(type_id, int):
            raise bad_json("associationTypeId must be a number")
        found.add(type_id)
    return found


def _known(world: World, near: ObjectType, far: ObjectType, type_ids: set[int]) -> set[int]:
    for type_id in sorted(type_ids - set(world.schema.associations(near.type_id, far.type_id))):
        raise invalid(f"No association type {type_id} exists between {near.type_id} and {far.type_id}")
    return type_ids


def _keep_limits(world: World, record: Record, other: Record, type_ids: set[int]) -> None:
    """400 when a label limited to so many records per record is used up."""
    known = world.schema.associations(record.type_id, other.type_id)
    held = world.links.of(record.type_id, other.type_id, record.id)
    for type_id in type_ids:
        limit = known[type_id].limit
        others = sum(1 for other_id, types in held.items() if type_id in types and other_id != other.id)
        if limit is not None and others >= limit:
            raise invalid(
                f"Record {record.id} has reached the limit of {limit} associations labelled {known[type_id].label!r}."
            )


def _pair_json(world: World, record: Record, other: Record) -> dict[str, Any]:
    type_ids = world.links.of(record.type_id, other.type_id, record.id).get(other.id, ())
    return {
        "fromObjectTypeId": record.type_id,
        "fromObjectId": int(record.id),
        "toObjectTypeId": other.type_id,
        "toObjectId": int(other.id),
        "labels": world.links.labels(record.type_id, other.type_id, type_ids),
    }


def _specs(world: World, record: Record, other: Record) -> list[dict[str, Any]]:
    found = []
    for near, far in ((record, other), (other, record)):
        kind = world.schema.unlabelled(near.type_id, far.type_id)
        if kind is not None:
            spec = {"associationCategory": kind.category, "associationTypeId": kind.type_id}
            found.append({"from": {"id": near.id}, "to": {"id": far.id}, "associationSpec": spec})
    return found
