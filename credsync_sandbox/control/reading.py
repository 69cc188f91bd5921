"""Reading the bodies of `/_sandbox/` calls: unknown fields and wrong types are refused with their names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from credsync_sandbox.world.times import BadDuration, parse_duration

T = TypeVar("T")


class BadRequest(ValueError):
    """A call that cannot be done; `status` 400, 404 or 409."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def answer(body: Any, status: int = 200) -> Response:
    """JSON."""
    return Response(json.dumps(body, separators=(",", ":")), status, media_type="application/json")


async def json_body(request: Request) -> Any:
    """The body; an empty one is `{}`."""
    raw = await request.body()
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from error


def table(given: Any, where: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    """An object with no other fields than these."""
    if not isinstance(given, dict):
        raise BadRequest(f"{where}: must be an object")
    for name in given:
        if name not in allowed:
            raise BadRequest(f"{where}.{name}: unknown field; there are {', '.join(allowed)}")
    return given


def text(given: dict[str, Any], name: str, default: str | None = None) -> str | None:
    """A string field; a number is taken as its digits, for ids."""
    value = given.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"{name}: must be a string")
    return value


def needed(given: dict[str, Any], name: str) -> str:
    """A string field that has to be there."""
    value = text(given, name)
    if value is None:
        raise BadRequest(f"{name}: is missing")
    return value


def flag(given: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """A boolean field."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"{name}: must be true or false")
    return value


def seconds(given: dict[str, Any], name: str, default: float = 0.0) -> float:
    """A duration field, in seconds."""
    return convert(name, parse_duration, given.get(name, default))


def words(given: dict[str, Any], name: str) -> list[str]:
    """A list of strings; absent is empty."""
    value = given.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadRequest(f"{name}: must be a list of strings")
    return value


def number(given: dict[str, Any], name: str, default: int | None = None) -> int | None:
    """A whole number of zero or more."""
    value = given.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise BadRequest(f"{name}: must be a whole number of zero or more")
    return value


def share(given: dict[str, Any], name: str) -> float:
    """A number from 0 to 1; absent is 0."""
    value = given.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadRequest(f"{name}: must be a number from 0 to 1")
    return float(value)


def convert(name: str, change: Callable[[Any], T], value: Any) -> T:
    """Apply a conversion; its complaint names the field."""
    try:
        return change(value)
    except BadDuration as error:
        raise BadRequest(f"{name}: {error}") from error
