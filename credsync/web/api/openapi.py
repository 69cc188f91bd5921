"""The OpenAPI 3.1 document, made from the list of calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from credsync.core.events import EventName
from credsync.core.portal import Portal
from credsync.web.api.call import Call
from credsync.web.api.documents import Document, Packet, ProblemDocument
from credsync.web.api.problems import KINDS

_ABOUT = (
    "Waits for a therapist's HubSpot records to exist, then writes what was submitted. Times are UTC, RFC 3339, with "
    "microseconds; ids of HubSpot are texts of digits; every error is `application/problem+json` (RFC 9457) and names "
    "every bad field."
)
_PATHS = {
    "uuid": ("the therapist's UUID, in any case", "uuid"),
    "name": ("the portal's name", None),
    "id": ("the alert's id", None),
    "slot": ("the slot, such as license.NY", None),
    "portal": ("the portal's name", None),
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Same key and body, same answer; same key and another body, 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
Mode = Literal["validation", "serialization"]


def openapi_document(calls: Iterable[Call], portals: Mapping[str, Portal]) -> dict[str, Any]:
    """The whole document, with the names of the portals there are and of their slots."""
    listed, names = tuple(calls), _names(portals)
    paths: dict[str, dict[str, Any]] = {}
    for call in listed:
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "credsync", "version": "1", "description": _ABOUT},
        "tags": [{"name": tag} for tag in dict.fromkeys(call.tag for call in listed)],
        "paths": paths,
        "components": {
            "schemas": _schemas(listed, names),
            "responses": {kind: _problem(kind) for kind in KINDS},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`credsync token create NAME --scope S` makes one. Scopes: intake, read, sync; "
                    "admin may do everything.",
                },
                "hubspot": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-HubSpot-Signature-v3",
                    "description": "HubSpot's own signature, beside `X-HubSpot-Request-Timestamp`.",
                },
            },
        },
    }


def _names(portals: Mapping[str, Portal]) -> dict[str, dict[str, Any]]:
    """What a portal and a slot may be called here, and the events, by the names of the parameters that hold them."""
    portal = {"type": "string", "enum": sorted(portals)}
    slots = sorted({re.escape(key) for each in portals.values() for key in each.slots})
    slot = {"type": "string", "pattern": rf"^({'|'.join(slots)})(\.[^.\u0000]+)*$", "maxLength": 1_000}
    events = {"type": "array", "items": {"type": "string", "enum": [each.value for each in EventName]}}
    number = {"type": "string", "pattern": "^[0-9]{1,18}$"}
    return {"portal": portal, "name": portal, "slot": slot, "types": events, "id": number}


def _operation(call: Call, names: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": call.handler,
        "tags": [call.tag],
        "summary": call.summary,
        "description": call.description,
        "security": [{"token": [call.scope.value]}] if call.scope else [{"hubspot": []}] * call.signed,
        "parameters": [*_parameters(call, names)],
        "responses": _responses(call),
    }
    if call.scope:
        described["description"] += f" Needs scope `{call.scope.value}`."
    if call.body is not None:
        content: dict[str, Any] = {"schema": _reference(call.body.__name__)}
        if call.example is not None:
            content["example"] = dict(call.example)
        described["requestBody"] = {
            "required": call.body_needed,
            "content": {"application/json": content},
        }
    return described


def _parameters(call: Call, names: Mapping[str, dict[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for name, (description, form) in _PATHS.items():
        if f"{{{name}}}" in call.path:
            schema = {"type": "string", "format": form} if form else names[name]
            yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
    for parameter in call.parameters:
        described: dict[str, Any] = {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "allowEmptyValue": True,
            "description": parameter.description,
            "schema": names.get(parameter.name) or dict(parameter.schema),
        }
        yield described | ({"explode": False} if described["schema"]["type"] == "array" else {})
    if call.method == "POST" and not call.signed:
        yield _KEY


def _responses(call: Call) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, (description, shape) in call.answers.items():
        if isinstance(shape, str):
            content: dict[str, Any] = {shape: {"schema": {"type": "string"}}}
        else:
            content = {"application/json": {"schema": _reference(shape.__name__)}}
            if shape is Packet:
                content["text/markdown"] = content["text/plain"] = {"schema": {"type": "string"}}
        responses[str(status)] = {"description": description, "content": content}
    kinds = [*(("no-token", "scope") if call.scope else ()), *call.problems]
    if call.scope:
        kinds += ["failed", "unavailable"]
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    for status, same in sorted(by_status.items()):
        responses[str(status)] = (
            {"$ref": f"#/components/responses/{same[0]}"} if len(same) == 1 else _problem(*same)
        )
    return responses


def _problem(*kinds: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": " Or: ".join(f"{KINDS[kind].title}. {KINDS[kind].told}" for kind in kinds),
        "content": {"application/problem+json": {"schema": _reference("ProblemDocument")}},
    }
    if kinds in (("no-token",), ("not-signed",)):
        described["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return described


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(calls: Iterable[Call], names: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    models: dict[type[Any], Mode] = {ProblemDocument: "serialization"}
    for call in calls:
        if call.body is not None:
            models[call.body] = "validation"
        for _, shape in call.answers.values():
            if not isinstance(shape, str) and issubclass(shape, Document):
                models[shape] = "serialization"
    _, definitions = models_json_schema(list(models.items()), ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    for model, mode in models.items():
        portal = schemas[model.__name__].get("properties", {}).get("portal", {})
        if mode == "validation":
            for each in portal.get("anyOf", [portal]):
                if each.get("type") == "string":
                    each["enum"] = names["portal"]["enum"]
    return schemas
