"""POST …/{type}/search: there because HubSpot has it, and late as HubSpot's is. Nobody should find ids with it."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.hubspot.calls import Answer, Call, check_query, fields, object_type
from credsync_sandbox.hubspot.object_json import record_json, value_of
from credsync_sandbox.hubspot.objects_batch import names_of
from credsync_sandbox.hubspot.refusals import bad_json, invalid
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World

_OPERATORS = ("EQ", "NEQ", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY")


def search(world: World, call: Call) -> Answer:
    """Filters of one property each; sorting and free text are not done. Changes show `search_lag` seconds later."""
    found = object_type(world, call.path[0])
    check_query(call)
    body = fields(call.body, "body", (), ("filterGroups", "properties", "limit", "after", "sorts", "query"))
    if body.get("sorts") or body.get("query"):
        raise invalid("The sandbox's search knows neither sorts nor query")
    groups = [_group(group) for group in body.get("filterGroups") or []]
    limit = body.get("limit", 10)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 200:
        raise invalid("limit must be between 1 and 200")
    after = str(body.get("after") or "0")
    if not after.isdigit():
        raise invalid("after must be a number")
    seen = world.clock.wall_of(world.clock.now() - world.settings.search_lag)
    hits = [
        record
        for record in world.records.of(found.type_id).values()
        if record.updated <= seen and (not groups or any(_passes(record, group) for group in groups))
    ]
    hits.sort(key=lambda record: int(record.id))
    page = hits[int(after) : int(after) + limit]
    names = names_of(body, "properties")
    answer: dict[str, Any] = {
        "total": len(hits),
        "results": [record_json(found, record, names) for record in page],
    }
    if int(after) + limit < len(hits):
        answer["paging"] = {"next": {"after": str(int(after) + limit)}}
    return Answer(200, answer)


def _group(given: Any) -> list[dict[str, Any]]:
    filters = fields(given, "filterGroups", ("filters",))["filters"]
    if not isinstance(filters, list):
        raise bad_json("filters must be a list")
    for one in filters:
        fields(one, "filters", ("propertyName", "operator"), ("value", "values", "highValue"))
        if one["operator"] not in _OPERATORS:
            raise invalid(f"The sandbox's search knows the operators {', '.join(_OPERATORS)} only")
    return filters


def _passes(record: Record, filters: list[dict[str, Any]]) -> bool:
    for one in filters:
        value = value_of(record, one["propertyName"])
        passes = {
            "EQ": value is not None and value == one.get("value"),
            "NEQ": value != one.get("value"),
            "IN": value in (one.get("values") or []),
            "NOT_IN": value not in (one.get("values") or []),
            "HAS_PROPERTY": value is not None,
            "NOT_HAS_PROPERTY": value is None,
        }[one["operator"]]
        if not passes:
            return False
    return True
