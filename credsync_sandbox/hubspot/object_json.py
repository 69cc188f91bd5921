"""A record as HubSpot answers it."""

from __future__ import annotations

from typing import Any

from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.times import iso_ms

_CONTACT_DEFAULTS = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
_CUSTOM_DEFAULTS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")
_CONTACT_ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")


def value_of(record: Record, name: str) -> str | None:
    """A property's value as a read answers it; None when it has none."""
    if name in ("hs_createdate", "createdate"):
        return iso_ms(record.created)
    if name in ("hs_lastmodifieddate", "lastmodifieddate"):
        return iso_ms(record.updated)
    if name == "hs_object_id":
        return record.id
    if name == "hs_merged_object_ids":
        return ";".join(record.merged) or None
    return record.properties.get(name)


def record_json(
    object_type: ObjectType,
    record: Record,
    names: list[str] | None = None,
    history: list[str] | None = None,
    trace: str | None = None,
) -> dict[str, Any]:
    """With the properties asked for (unknown ones are left out, as HubSpot does), else HubSpot's default ones.

    Whatever is asked for, the record's id and its two dates come along. `history` gives the newest version only.
    """
    always = _CUSTOM_DEFAULTS if object_type.custom else _CONTACT_ALWAYS
    wanted = [*names, *always] if names else _CUSTOM_DEFAULTS if object_type.custom else _CONTACT_DEFAULTS
    found: dict[str, Any] = {
        "id": record.id,
        "properties": {name: value_of(record, name) for name in wanted if name in object_type.properties},
        "createdAt": iso_ms(record.created),
        "updatedAt": iso_ms(record.updated),
        "archived": record.archived is not None,
    }
    if record.archived is not None:
        found["archivedAt"] = iso_ms(record.archived)
    if history:
        found["propertiesWithHistory"] = {
            name: [_version(record, name)] for name in history if value_of(record, name) is not None
        }
    if trace is not None:
        found["objectWriteTraceId"] = trace
    return found


def _version(record: Record, name: str) -> dict[str, Any]:
    at = (record.written or {}).get(name, record.created)
    source = "INTEGRATION" if name in (record.written or {}) else "AUTOMATION_PLATFORM"
    return {"value": value_of(record, name), "timestamp": iso_ms(at), "sourceType": source}
