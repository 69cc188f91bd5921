"""Rules an administrator set in the portal, which HubSpot enforces on API writes from version 2026-09 on."""

from __future__ import annotations

from credsync_sandbox.hubspot.refusals import BadValue
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.world import World


def broken_rules(
    world: World, version: str, object_type: ObjectType, record: Record | None, values: dict[str, str]
) -> list[BadValue]:
    """What a write would leave empty although a rule requires it. The code is a guess."""
    if version != "2026-09" or not world.settings.rules:
        return []
    after = {**(record.properties if record else {}), **values}
    found: list[BadValue] = []
    for rule in world.settings.rules:
        if rule.get("object") not in (object_type.key, object_type.name):
            continue
        if all(after.get(name) == value for name, value in rule.get("when", {}).items()):
            found += [
                BadValue(name, "REQUIRED_PROPERTY", f'"{name}" is required by a rule of this account.')
                for name in rule.get("require", [])
                if not after.get(name)
            ]
    return found
