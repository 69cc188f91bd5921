"""What a portal consists of, as HubSpot tells it: schemas, properties, the account."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from credsync_sandbox.hubspot.calls import Answer, Call, check_query, flag, object_type
from credsync_sandbox.hubspot.refusals import not_found
from credsync_sandbox.portal.export import describe
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world.times import iso_ms
from credsync_sandbox.world.world import World

_INCLUDES = ("includePropertyDefinitions", "includeAssociationDefinitions", "includeAuditMetadata")


def schemas(world: World, call: Call) -> Answer:
    """GET …/schemas: custom object types only."""
    check_query(call, "archived", *_INCLUDES)
    custom = [found for found in world.schema.types.values() if found.custom]
    return Answer(
        200, {"results": [] if flag(call, "archived") else [_schema(world, found) for found in custom]}
    )


def schema(world: World, call: Call) -> Answer:
    """GET …/schemas/{type}"""
    check_query(call, *_INCLUDES)
    found = world.schema.type_of(call.path[0])
    if found is None:
        raise not_found(f"Unable to find object type {call.path[0]}")
    return Answer(200, _schema(world, found))


def properties(world: World, call: Call) -> Answer:
    """GET …/properties/{type}"""
    check_query(call, "archived", "properties", "dataSensitivity", "locale")
    found = object_type(world, call.path[0])
    listed = [] if flag(call, "archived") else [prop.definition for prop in found.properties.values()]
    return Answer(200, {"results": listed})


def one_property(world: World, call: Call) -> Answer:
    """GET …/properties/{type}/{name}"""
    check_query(call, "archived", "properties", "dataSensitivity", "locale")
    prop = object_type(world, call.path[0]).properties.get(call.path[1])
    if prop is None:
        raise not_found(f"Property {call.path[1]} does not exist")
    return Answer(200, prop.definition)


def account(world: World, call: Call) -> Answer:
    """GET /account-info/…/details"""
    check_query(call)
    zone = ZoneInfo(world.settings.time_zone)
    offset = datetime.fromtimestamp(call.at, zone).utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    sign = "-" if seconds < 0 else "+"
    return Answer(
        200,
        {
            "portalId": world.schema.portal_id,
            "accountType": "STANDARD",
            "timeZone": world.settings.time_zone,
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}",
            "utcOffsetMilliseconds": seconds * 1000,
            "uiDomain": world.settings.ui_domain,
            "dataHostingLocation": "na1",
        },
    )


def _schema(world: World, found: ObjectType) -> dict[str, Any]:
    made = iso_ms(world.started)
    associations = [
        {
            "id": str(kind.type_id),
            "fromObjectTypeId": from_type,
            "toObjectTypeId": to_type,
            "name": f"{world.schema.types[from_type].name}_to_{world.schema.types[to_type].name}",
            "createdAt": None,
            "updatedAt": None,
        }
        for from_type, to_type in world.schema.pairs(found.type_id)
        if (kind := world.schema.unlabelled(from_type, to_type)) is not None
    ]
    return describe(found, made) | {
        "properties": [prop.definition for prop in found.properties.values()],
        "associations": associations,
    }
