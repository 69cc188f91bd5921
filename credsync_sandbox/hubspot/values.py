"""What a property takes. Values arrive as JSON strings, numbers or booleans and are kept as text; empty clears.

Codes are HubSpot's where they are known (PROPERTY_DOESNT_EXIST, INVALID_OPTION, INVALID_LONG, INVALID_DATE,
READ_ONLY_VALUE, LEADING_TRAILING_WHITESPACE); PROPERTY_VALUE_TOO_LONG is a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

from credsync_sandbox.hubspot.refusals import BadValue, bad_json
from credsync_sandbox.portal.property import Property
from credsync_sandbox.portal.schema import ObjectType
from credsync_sandbox.portal.validation import broken_by
from credsync_sandbox.world.times import iso_ms

LONGEST = 65_536
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DAY_MS = 86_400_000


class _Bad(Exception):
    """Code and message for one value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_values(object_type: ObjectType, given: Any, where: str) -> tuple[dict[str, str], list[BadValue]]:
    """The values to keep (empty text clears) and those that cannot be taken."""
    if not isinstance(given, dict):
        raise bad_json(f"{where} must be an object")
    kept: dict[str, str] = {}
    bad: list[BadValue] = []
    for name, value in given.items():
        if isinstance(value, dict | list):
            raise bad_json(f"{where}.{name}: Cannot deserialize value of type `java.lang.String`")
        prop = object_type.properties.get(name)
        if prop is None:
            bad.append(BadValue(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
            continue
        if prop.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            bad.append(BadValue(name, "READ_ONLY_VALUE", message))
            continue
        try:
            kept[name] = _ruled(object_type, name, _shape(prop, value))
        except _Bad as error:
            bad.append(BadValue(name, error.code, error.message))
    return kept, bad


def _ruled(object_type: ObjectType, name: str, text: str) -> str:
    """A value that keeps the property's validation rules; clearing keeps them all."""
    for rule in object_type.validations.get(name, ()) if text else ():
        found = broken_by(rule, text)
        if found is not None:
            raise _Bad(*found)
    return text


def _shape(prop: Property, value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if text == "":
        return ""
    if prop.type == "string":
        if len(text) > LONGEST:
            message = f"Property value is {len(text)} characters long; the most is {LONGEST}."
            raise _Bad("PROPERTY_VALUE_TOO_LONG", message)
        return text
    if text != text.strip():
        message = f'Property "{prop.name}" cannot have leading or trailing whitespace: "{text}"'
        raise _Bad("LEADING_TRAILING_WHITESPACE", message)
    if prop.type == "number":
        if not _NUMBER.fullmatch(text):
            raise _Bad("INVALID_LONG", f"{text} was not a valid long.")
        return text
    if prop.type == "date":
        return _date(text)
    if prop.type == "datetime":
        return _datetime(text)
    return _options(prop, text)


def _date(text: str) -> str:
    if re.fullmatch(r"-?\d+", text):
        moment = int(text)
        if moment % _DAY_MS:
            raise _Bad("INVALID_DATE", f"{text} is not midnight UTC in milliseconds.")
        return _from_ms(moment, text).date().isoformat()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass
    raise _Bad(
        "INVALID_DATE", f"{text} was not a valid date. Write YYYY-MM-DD or midnight UTC in milliseconds."
    )


def _datetime(text: str) -> str:
    if re.fullmatch(r"-?\d+", text):
        return iso_ms(_from_ms(int(text), text).timestamp())
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is not None and len(text) == len("2025-01-01"):
        found = found.replace(tzinfo=UTC)
    if found is None or found.tzinfo is None:
        raise _Bad(
            "INVALID_DATE", f"{text} was not a valid date. Write ISO 8601 with a zone or milliseconds."
        )
    return iso_ms(found.timestamp())


def _from_ms(moment: int, text: str) -> datetime:
    try:
        return datetime.fromtimestamp(moment / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise _Bad("INVALID_DATE", f"{text} was not a valid date.") from None


def _options(prop: Property, text: str) -> str:
    """bool and enumeration: exact internal values; several, joined by `;`, only where the property takes several."""
    allowed = prop.options or (frozenset({"true", "false"}) if prop.type == "bool" else frozenset())
    if not allowed and prop.definition.get("externalOptions"):
        return text
    words = text.split(";") if prop.many else [text]
    for word in words:
        if word not in allowed:
            listed = ", ".join(sorted(allowed))
            raise _Bad("INVALID_OPTION", f"{word} was not one of the allowed options: [{listed}]")
    return ";".join(dict.fromkeys(words))
