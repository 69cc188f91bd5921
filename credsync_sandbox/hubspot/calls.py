"""One call as a handler sees it, its answer, and the checks every handler makes of the request's shape.

What HubSpot would not know (a parameter, a body field) is refused with its name, so that a typing mistake shows here
and not in a portal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from credsync_sandbox.hubspot.refusals import bad_json, invalid, not_found, unknown_type
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.world.records import Record
from credsync_sandbox.world.times import iso_ms
from credsync_sandbox.world.world import World


@dataclass(slots=True)
class Call:
    """`at` is the wall moment; `version` one of v3, v4, 2026-03, 2026-09; `path` the words the path left open."""

    method: str
    version: str
    path: tuple[str, ...]
    query: dict[str, list[str]]
    body: Any
    at: float

    @property
    def folds_errors(self) -> bool:
        """2026-09 answers a partly failed batch with 200, its errors in the body."""
        return self.version == "2026-09"


@dataclass(slots=True)
class Answer:
    """`body` None: no content."""

    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[World, Call], Answer]


def object_type(world: World, name: str) -> ObjectType:
    """The object type a path means, or 400."""
    found = world.schema.type_of(name)
    if found is None:
        raise unknown_type(name)
    return found


def check_query(call: Call, *allowed: str) -> None:
    """Refuse query parameters this call does not have."""
    for name in call.query:
        if name not in allowed:
            raise invalid(f"Unknown query parameter {name!r}; this call takes {', '.join(allowed) or 'none'}")


def one(call: Call, name: str, default: str | None = None) -> str | None:
    """A query parameter given at most once."""
    values = call.query.get(name)
    return values[-1] if values else default


def many(call: Call, name: str) -> list[str]:
    """A query parameter that is repeated or joined by commas."""
    return [word for value in call.query.get(name, []) for word in value.split(",") if word]


def flag(call: Call, name: str) -> bool:
    """A boolean query parameter, in any case: HubSpot's Python client sends `True`."""
    value = (one(call, name) or "false").lower()
    if value not in ("true", "false"):
        raise invalid(f"Query parameter {name!r} must be true or false")
    return value == "true"


def fields(
    given: Any, where: str, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A JSON object with these fields and no others."""
    if not isinstance(given, dict):
        raise bad_json(f"{where} must be an object")
    for name in given:
        if name not in required and name not in optional:
            raise bad_json(f'Unrecognized field "{name}" in {where}')
    for name in required:
        if given.get(name) is None:
            raise bad_json(f"Some required fields were not set: [{name}] in {where}")
    return given


def inputs(call: Call, most: int, *optional: str) -> list[dict[str, Any]]:
    """The `inputs` of a batch: a list of one to `most` objects."""
    body = fields(call.body, "body", ("inputs",), optional)
    given = body["inputs"]
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise bad_json("inputs must be a list of objects")
    if not given:
        raise invalid("inputs must hold at least one entry")
    if len(given) > most:
        raise invalid(
            f"The maximum number of inputs supported in a batch request is {most}. Found {len(given)} inputs"
        )
    return given


def id_of(given: Any, where: str) -> str:
    """An id: digits, as a JSON string (HubSpot also reads a JSON number)."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str):
        raise bad_json(f"{where} must be a string of digits")
    if not given.isascii() or not given.isdigit():
        raise invalid(f"{where}: {given!r} is not a valid object id")
    return given


def batch_answer(
    call: Call, started: float, results: list[Any], errors: list[dict[str, Any]], status: int = 200
) -> Answer:
    """A batch's answer; with errors it is a 207, or on 2026-09 a plain success with the errors folded in."""
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso_ms(call.at),
        "completedAt": iso_ms(max(started, call.at)),
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
        status = status if call.folds_errors else 207
    return Answer(status, body)


def record_or_404(found: Record | None) -> Record:
    """The record, or HubSpot's 404."""
    if found is None:
        raise not_found()
    return found
