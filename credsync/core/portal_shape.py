"""Reads the tables of a portal file and says, in our words, what has the wrong shape.

What is wrong is taken out or stood in for, so that what the tables say of each other can be judged in the same go: a
file's faults come all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from credsync.core.forms import nearest
from credsync.core.portal_tables import (
    ADDRESS_PATTERN,
    DIGITS_PATTERN,
    KEY_PATTERN,
    PROPERTY_PATTERN,
    PortalFault,
    PortalTables,
    did_you_mean,
    table_at,
)

Place = tuple[str | int, ...]
_PASSES: Final = 20
_STAND_INS: Final[dict[str, Any]] = {
    "name": "stand_in",
    "object": "stand_in",
    "slot": "stand_in",
    "to": "stand_in",
    "form": "ca",
    "type": "string",
    "class": "A",
    "fields": {"stand_in": "stand_in"},
    "objects": {},
    "slots": {},
}
"""What keeps a table whole where something required is missing or wrong; no fault may be told of it."""


def read_tables(given: dict[str, Any]) -> tuple[PortalTables | None, list[PortalFault]]:
    """The tables a file gives, stood in for where they are wrong, and every fault of their shape.

    No tables where even that does not help.
    """
    data = deepcopy(given)
    faults: dict[str, PortalFault] = {}
    for _ in range(_PASSES):
        try:
            return PortalTables.model_validate(data), list(faults.values())
        except ValidationError as error:
            for place, same in _by_place(data, error.errors(include_url=False)).items():
                key = ".".join(map(str, place)) or "(file)"
                if not any(f"{key}.".startswith(f"{told}.") for told in faults):
                    faults[key] = PortalFault(key, _worded(place, same), _meant(place, same[0]))
                _mend(data, place, same[0]["type"])
    return None, list(faults.values())


def unspoilt(cross: Iterable[PortalFault], shape: Sequence[PortalFault]) -> list[PortalFault]:
    """Those of the faults between tables that do not merely follow from a fault of the shape."""
    told = [f"{key}." for fault in shape for key in (fault.key, *fault.about)]
    return [
        fault
        for fault in cross
        if not any(f"{asked}.".startswith(key) for asked in (fault.key, *fault.about) for key in told)
    ]


def _by_place(data: object, errors: Iterable[ErrorDetails]) -> dict[Place, list[ErrorDetails]]:
    """Errors by the place in the file they are about; a union's branches are one place."""
    found: dict[Place, list[ErrorDetails]] = {}
    for error in errors:
        at, place = data, []
        for part in error["loc"]:
            if isinstance(at, dict) and (part in at or error["type"] == "missing"):
                at = at.get(str(part))
            elif isinstance(at, list) and isinstance(part, int) and part < len(at):
                at = at[part]
            else:
                break
            place.append(part)
        if "[key]" not in error["loc"]:
            found.setdefault(tuple(place), []).append(error)
        else:
            found[tuple(place)] = [error]
    return found


def _mend(data: Any, place: Place, kind: str) -> None:
    """Take what is wrong out, or put something harmless in its place."""
    *above, last = place
    for part in above:
        if isinstance(data, dict) and part not in data:
            return  # taken out already, with what it stood in
        data = data[part]
    if isinstance(last, int):
        data[last] = {}
    elif kind == "missing":
        data[last] = deepcopy(_STAND_INS.get(str(last), {}))
    elif kind in ("model_type", "dict_type"):
        data[last] = {}
    else:
        data.pop(last, None)


def _worded(place: Place, errors: Sequence[ErrorDetails]) -> str:
    error = errors[0]
    kind, context, given = error["type"], error.get("ctx", {}), error["input"]
    if kind == "extra_forbidden":
        return _unknown_key(place)
    if kind == "missing":
        return "is missing; add it (docs/configuration.md shows every key)"
    if "[key]" in error["loc"]:
        return _bad_name(str(place[-1]), context)
    if len(errors) > 1:
        return "must be a text in quotes, or a list of one to four of them"
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", context["expected"]) or [str(context["expected"]).lower()]
        guess = did_you_mean(given, words) if isinstance(given, str) else ""
        return f"must be {_either(words)}{guess}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), "must not begin or end with a blank")
    return _plainly(kind, context)


_PATTERNS: Final = {
    ADDRESS_PATTERN: "must be an address, such as https://api.hubapi.com",
    DIGITS_PATTERN: 'must be digits in quotes, such as "1234567"',
    PROPERTY_PATTERN: "must be a property's internal name: small letters, digits and _, beginning with a letter",
    KEY_PATTERN: "must be a key: small letters, digits and _, beginning with a letter",
}


def _plainly(kind: str, context: dict[str, Any]) -> str:
    match kind:
        case "string_type":
            return "must be a text, in quotes"
        case "int_type" | "int_from_float":
            return "must be a whole number, without quotes"
        case "greater_than_equal":
            return f"must be at least {context['ge']:,}"
        case "less_than_equal":
            return f"must be at most {context['le']:,}"
        case "string_too_short" | "too_short":
            return "must not be empty"
        case "string_too_long" | "too_long":
            return f"must not be longer than {context['max_length']:,}"
        case "model_type" | "dict_type":
            return "must be a table, such as { key = value }"
        case "list_type":
            return "must be a list, in [ and ]"
        case _:
            return "has another shape than docs/configuration.md shows"


def _bad_name(name: str, context: dict[str, Any]) -> str:
    if "expected" in context:
        words = re.findall(r"'([^']*)'", context["expected"])
        return f"is no form; use {_either(words)}{did_you_mean(name, words)}"
    return "is no key; use small letters, digits and _, beginning with a letter"


def _meant(place: Place, error: ErrorDetails) -> tuple[str, ...]:
    """The key that an unknown one was probably meant to be."""
    guess = nearest(str(place[-1]), table_at(place[:-1])) if error["type"] == "extra_forbidden" else None
    return (".".join(map(str, (*place[:-1], guess))),) if guess else ()


def _unknown_key(place: Place) -> str:
    name = str(place[-1])
    own = table_at(place[:-1])
    guess = nearest(name, own)
    if guess:
        return f"is not a key of a portal file (did you mean {guess!r}?); remove or rename it"
    elsewhere = [table for table in ("hubspot", "contact") if name in table_at((table,))]
    if elsewhere:
        return f"is not a key here (it belongs in [{elsewhere[0]}]); move or remove it"
    return f"is not a key here; known are {', '.join(own)}; remove or rename it"


def _either(words: Sequence[str]) -> str:
    quoted = [repr(word) if word not in ("true", "false") else word for word in words]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
