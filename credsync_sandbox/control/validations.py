"""`/_sandbox/validations`: set and list the validation rules of properties, told by HubSpot's calls or not."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.control.reading import BadRequest, answer, flag, json_body, needed, table
from credsync_sandbox.portal.validation import rule_of
from credsync_sandbox.sandbox import Sandbox


async def put(sandbox: Sandbox, request: Request) -> Response:
    """PUT validations `{"object", "property", "rules": [...], "unpublished"?}`: all rules of a property at once.

    `unpublished` stands for all of them, or in a rule for itself.
    """
    body = table(await json_body(request), "body", ("object", "property", "rules", "unpublished"))
    found = sandbox.world.schema.by_key.get(needed(body, "object"))
    if found is None:
        raise BadRequest(f"object: no object {body['object']!r}")
    name, given = needed(body, "property"), body.get("rules")
    if name not in found.properties:
        raise BadRequest(f"property: {found.key} has no property {name!r}")
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise BadRequest("rules: must be a list of objects, each with a ruleType")
    try:
        untold = flag(body, "unpublished")
        found.validations[name] = [
            rule_of(each, published=not (untold or each.get("unpublished") is True)) for each in given
        ]
    except ValueError as error:
        raise BadRequest(f"rules: {error}") from error
    if sandbox.state is not None:
        sandbox.state.save_rules(found.key, name, found.validations[name])
    return answer(_told(sandbox))


async def listed(sandbox: Sandbox, request: Request) -> Response:  # noqa: ARG001 - every endpoint's shape
    """GET validations: all of them, by object and property."""
    return answer(_told(sandbox))


def _told(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "validations": {
            found.key: {
                name: [rule.as_json() | {"published": rule.published} for rule in rules]
                for name, rules in found.validations.items()
                if rules
            }
            for found in sandbox.world.schema.types.values()
            if any(found.validations.values())
        }
    }
