"""Associations read: in batches, for one record, and which labels there are."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.hubspot.calls import (
    Answer,
    Call,
    batch_answer,
    check_query,
    fields,
    id_of,
    inputs,
    object_type,
    one,
    record_or_404,
)
from credsync_sandbox.hubspot.refusals import invalid
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world.world import World

MOST = 1000


def pair_of(world: World, call: Call) -> tuple[ObjectType, ObjectType]:
    """The two object types of a call; 400 when they cannot be associated."""
    near, far = (
        object_type(world, call.path[0]),
        object_type(world, call.path[2 if len(call.path) > 2 else 1]),
    )
    if not world.schema.associations(near.type_id, far.type_id):
        raise invalid(f"No association type exists between {near.type_id} and {far.type_id}")
    return near, far


def batch_read(world: World, call: Call) -> Answer:
    """POST …/{from}/{to}/batch/read: paged per input; who has none is an error item, known or not."""
    near, far = pair_of(world, call)
    check_query(call)
    results: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    size = world.settings.association_page_size
    of, types_json = world.links.of, world.links.types_json
    near_id, far_id = near.type_id, far.type_id
    for item in inputs(call, MOST):
        fields(item, "inputs", ("id",), ("after",))
        record_id = id_of(item["id"], "inputs.id")
        held = of(near_id, far_id, record_id)
        after = item.get("after")
        if not held:
            errors.append(_none(near, far, record_id))
            continue
        others = sorted(held, key=int) if len(held) > 1 else list(held)
        if after is not None:
            floor = int(id_of(after, "inputs.after"))
            others = [other for other in others if int(other) > floor]
        result: dict[str, Any] = {
            "from": {"id": record_id},
            "to": [
                {"toObjectId": int(other), "associationTypes": types_json(near_id, far_id, held[other])}
                for other in others[:size]
            ],
        }
        if len(others) > size:
            last = others[size - 1]
            result["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
        results.append(result)
    results.reverse()
    return batch_answer(call, world.clock.wall(), results, errors)


def _none(near: ObjectType, far: ObjectType, record_id: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {far.name} is associated with {near.name} {record_id}.",
        "context": {"fromObjectId": [record_id], "fromObjectType": [near.name], "toObjectType": [far.name]},
    }


def read_one(world: World, call: Call) -> Answer:
    """GET …/objects/{type}/{id}/associations/{to}: `limit` up to 500."""
    near, far = pair_of(world, call)
    check_query(call, "limit", "after")
    record = record_or_404(world.records.resolve(near.type_id, id_of(call.path[1], "id")))
    limit = one(call, "limit", "500")
    if limit is None or not limit.isdigit() or not 1 <= int(limit) <= 500:
        raise invalid("limit must be between 1 and 500")
    held = world.links.of(near.type_id, far.type_id, record.id)
    floor = int(id_of(one(call, "after", "0"), "after"))
    others = [other for other in sorted(held, key=int) if int(other) > floor]
    size = min(int(limit), world.settings.association_page_size)
    body: dict[str, Any] = {
        "results": [
            {
                "toObjectId": int(other),
                "associationTypes": world.links.types_json(near.type_id, far.type_id, held[other]),
            }
            for other in others[:size]
        ]
    }
    if len(others) > size:
        body["paging"] = {"next": {"after": others[size - 1]}}
    return Answer(200, body)


def labels(world: World, call: Call) -> Answer:
    """GET …/{from}/{to}/labels"""
    near, far = pair_of(world, call)
    check_query(call)
    kinds = world.schema.associations(near.type_id, far.type_id).values()
    return Answer(200, {"results": [kind.as_json() for kind in sorted(kinds, key=lambda kind: kind.type_id)]})


def limits(world: World, call: Call) -> Answer:
    """GET …/definitions/configurations/{from}/{to}: the association types an administrator limited."""
    near, far = pair_of(world, call)
    check_query(call)
    kinds = world.schema.associations(near.type_id, far.type_id).values()
    limited = [
        kind.as_json() | {"userEnforcedMaxToObjectIds": kind.limit}
        for kind in sorted(kinds, key=lambda kind: kind.type_id)
        if kind.limit is not None
    ]
    return Answer(200, {"results": limited})
