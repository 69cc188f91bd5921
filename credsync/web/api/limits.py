"""The door for bodies: at most 1 MiB of UTF-8 JSON, one object, not too deep, nothing ambiguous, nothing unstorable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NoReturn

from starlette.requests import Request

from credsync.core.forms import Fault
from credsync.web.api.problems import Problem, broken, invalid, shown_name

LARGEST_BODY: Final = 1024 * 1024
DEEPEST: Final = 50
_MOST_FAULTS: Final = 100
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes that may stand for NUL or half a surrogate pair; a body without them holds neither."""
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


async def read_body(request: Request) -> bytes:
    """The raw body, never more than 1 MiB of it in memory. Raises `Problem` 413 or 415."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and (len(length) > 12 or int(length) > LARGEST_BODY):
        raise _too_large()
    chunks: list[bytes] = []
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > LARGEST_BODY:
            raise _too_large()
        chunks.append(chunk)
    if read:
        _check_media_type(request)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(raw: bytes) -> Any:
    """The JSON value that a body holds. Raises `Problem` 400, or 422 for keys that stand twice."""
    if not raw.strip():
        raise broken("empty_body", "is empty: send JSON")
    value = _parse(raw)
    if raw.count(b"{") + raw.count(b"[") > DEEPEST:
        _check_depth(value)
    return value


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises `Problem` 400, or 422 naming what in it cannot be taken."""
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise invalid([Fault("", "wrong_type", "must be a JSON object")])
    if _UNSTORABLE.search(raw) and (faults := list(islice(_unstorable(value), _MOST_FAULTS))):
        raise invalid(faults)
    return value


def storable(text: str) -> bool:
    """Whether a text can be stored at all: no NUL and no half surrogate pair."""
    return not _NOT_STORABLE.search(text)


def _too_large() -> Problem:
    message = f"must have at most {LARGEST_BODY:,} bytes"
    return Problem("too-large", f"The body {message}.", [Fault("", "too_large", message)])


def _check_media_type(request: Request) -> None:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters.lower())
    if media != "application/json" and not re.fullmatch(r"application/[\w.+-]+\+json", media):
        message = "must be application/json"
    elif charset and charset[1] not in ("utf-8", "utf8"):
        message = "must have charset utf-8, or none"
    elif request.headers.get("content-encoding", "identity").lower() != "identity":
        fault = Fault("Content-Encoding", "media_type", "must be absent: bodies are not compressed")
        raise Problem("media-type", "The body must not be compressed.", [fault])
    else:
        return
    raise Problem("media-type", f"Content-Type {message}.", [Fault("Content-Type", "media_type", message)])


class _RepeatedKeys(Exception):
    """An object has two values under one key."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _RepeatedKeys
    return made


def _no_constant(_name: str) -> NoReturn:
    raise broken("broken_json", "is not JSON: NaN and Infinity are no JSON numbers")


def _parse(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise broken("invalid_utf8", f"is not UTF-8 (byte {error.start:,})") from None
    try:
        return _load(text, _object)
    except _RepeatedKeys:
        value = _load(text, _Pairs)
    _check_depth(value)
    raise invalid(islice(_repeated(value), _MOST_FAULTS))


def _load(text: str, hook: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json.loads(text, object_pairs_hook=hook, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise broken("broken_json", f"is not JSON ({place}: {error.msg})") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # an integer of thousands of digits
        raise broken("number_too_long", "holds a number of too many digits") from None


class _Pairs(list[tuple[str, Any]]):
    """An object with all its keys, for telling which are repeated."""


def _inner(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, _Pairs):
        yield from value
    elif isinstance(value, list):
        yield from enumerate(value)


_Place = tuple[Any, str | int] | None
"""Where a value stands, as a chain to the root: a path is only spelt out for a fault."""


def _walk(value: Any) -> Iterator[tuple[_Place, Any]]:
    heap: list[tuple[_Place, Any]] = [(None, value)]
    while heap:
        place, at = heap.pop()
        yield place, at
        heap += [((place, part), inner) for part, inner in _inner(at)]


def _path(place: _Place) -> str:
    parts: list[str] = []
    while place is not None:
        place, part = place
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            parts.append(f".{shown_name(part)}")
    return "".join(reversed(parts)).removeprefix(".")


def _too_deep() -> Problem:
    return broken("too_deep", f"is nested more than {DEEPEST} levels deep")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return
        level = [inner for outer in level for _part, inner in _inner(outer)]
    raise _too_deep()


def _repeated(value: Any) -> Iterator[Fault]:
    for place, at in _walk(value):
        if isinstance(at, _Pairs):
            keys: set[str] = set()
            for key, _value in at:
                if key in keys:
                    yield Fault(_path((place, key)), "duplicate_key", "stands twice in its object")
                keys.add(key)


def _unstorable(value: Any) -> Iterator[Fault]:
    message = "must hold no NUL and no half surrogate pair"
    for place, at in _walk(value):
        if isinstance(at, str) and not storable(at):
            yield Fault(_path(place), "invalid_characters", message)
        elif isinstance(at, dict):
            for key in at:
                if not storable(key):
                    yield Fault(_path((place, key)), "invalid_characters", message)
