"""HubSpot's errors, in its own shape: `{status, message, correlationId, category, subCategory?, errors?, context?}`.

A handler raises Refusal; the gate adds the correlation id and sends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

VALIDATION_ERROR = "VALIDATION_ERROR"
OBJECT_NOT_FOUND = "OBJECT_NOT_FOUND"


class Refusal(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(body.get("message", ""))
        self.status = status
        self.body = body
        self.headers = headers or {}


def refuse(status: int, category: str | None, message: str, **more: Any) -> Refusal:
    """An error of this category."""
    body = {"status": "error", "message": message}
    if category is not None:
        body["category"] = category
    return Refusal(status, body | more)


def invalid(message: str, **more: Any) -> Refusal:
    """400 VALIDATION_ERROR."""
    return refuse(400, VALIDATION_ERROR, message, **more)


def bad_json(problem: str) -> Refusal:
    """400 for a body that is not what the call takes."""
    return invalid(f"Invalid input JSON on line 1, column 1: {problem}")


def unknown_type(name: str) -> Refusal:
    """400 for an object type nobody knows."""
    return invalid(f"Unable to infer object type from: {name}")


def not_found(message: str = "resource not found") -> Refusal:
    """404."""
    return refuse(404, OBJECT_NOT_FOUND, message)


def unauthenticated(message: str) -> Refusal:
    """401."""
    return refuse(401, "INVALID_AUTHENTICATION", message)


NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details "
    "at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
BAD_CREDENTIALS = "The OAuth token used to make this call is unknown, revoked or expired."


def missing_scopes(scopes: Iterable[str]) -> Refusal:
    """403 naming what is missing."""
    return refuse(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": sorted(scopes)},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def rate_limited(policy: str, retry_after: int | None = None) -> Refusal:
    """429; `policy` is TEN_SECONDLY_ROLLING, SECONDLY or DAILY."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
    }
    return Refusal(429, body, {} if retry_after is None else {"Retry-After": str(retry_after)})


@dataclass(frozen=True, slots=True)
class BadValue:
    """One property value that cannot be taken."""

    name: str
    code: str
    message: str


def bad_values(found: list[BadValue], portal_id: int, listed: int, tells: str = "all") -> dict[str, Any]:
    """The body for bad values: all of them as JSON text in `message`, the first `listed` in `errors`.

    `tells` "names" leaves out what may repeat the value, "nothing" all of it.
    """
    if tells == "nothing":
        return {"status": "error", "message": "Property values were not valid", "category": VALIDATION_ERROR}
    if tells == "names":
        found = [BadValue(bad.name, bad.code, "The value is not valid") for bad in found]
    unique = list(dict.fromkeys(found))
    told = [
        {
            "isValid": False,
            "message": bad.message,
            "error": bad.code,
            "name": bad.name,
            "localizedErrorMessage": bad.message,
            "portalId": portal_id,
        }
        for bad in unique
    ]
    return {
        "status": "error",
        "message": "Property values were not valid: " + json.dumps(told, separators=(",", ":")),
        "errors": [
            {"message": bad.message, "code": bad.code, "context": {"propertyName": [bad.name]}}
            for bad in unique[:listed]
        ],
        "category": VALIDATION_ERROR,
    }


def missing_ids(type_name: str, ids: list[str], traces: list[str]) -> dict[str, Any]:
    """The one error item of a batch for all ids that lead nowhere."""
    context = {"ids": ids} | ({"objectWriteTraceId": traces} if traces else {})
    return {
        "status": "error",
        "category": OBJECT_NOT_FOUND,
        "message": (
            f"Could not get some {type_name} objects, they may be deleted or not exist. Check that ids are valid."
        ),
        "context": context,
    }
