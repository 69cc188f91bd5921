"""The rules an administrator set for a property's values, as HubSpot tells them. Only reading is done."""

from __future__ import annotations

from credsync_sandbox.hubspot.calls import Answer, Call, check_query, object_type
from credsync_sandbox.hubspot.refusals import not_found
from credsync_sandbox.portal.validation import ValidationRule
from credsync_sandbox.world.world import World


def of_type(world: World, call: Call) -> Answer:
    """GET …/property-validations/{type}: the properties that have rules."""
    check_query(call)
    found = object_type(world, call.path[0])
    told = {name: _published(rules) for name, rules in found.validations.items() if name in found.properties}
    results = [
        {"propertyName": name, "propertyValidationRules": [rule.as_json() for rule in rules]}
        for name, rules in told.items()
        if rules
    ]
    return Answer(200, {"results": results})


def of_property(world: World, call: Call) -> Answer:
    """GET …/property-validations/{type}/{name}"""
    check_query(call)
    found = object_type(world, call.path[0])
    if call.path[1] not in found.properties:
        raise not_found(f"Property {call.path[1]} does not exist")
    rules = _published(found.validations.get(call.path[1], []))
    return Answer(200, {"results": [rule.as_json() for rule in rules]})


def _published(rules: list[ValidationRule]) -> list[ValidationRule]:
    return [rule for rule in rules if rule.published]
