"""Shaping a value the way its HubSpot property takes it.

Strings go as they were submitted, blanks at the ends included: HubSpot minds those (LEADING_TRAILING_WHITESPACE) in
every other type only, where they are stripped here. None, an empty string and an empty list clear the property.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from credsync.core.phrases import phrase
from credsync.core.value_rules import ValueRule, broken_rule

LONGEST = 65_536
MOST_DIGITS = 30
_MANY = "checkbox"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Property:
    """A property as the portal defines it. No options means that any value may be sent."""

    name: str
    type: str
    field_type: str = ""
    options: frozenset[str] = frozenset()
    read_only: bool = False
    rules: tuple[ValueRule, ...] = ()
    """What an administrator asks of its values."""


class ShapeFault(Exception):
    """This value does not fit this property. The message never holds the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shape(value: Any, prop: Property, renames: Mapping[str, str] | None = None) -> str | None:
    """The text to send, or None to clear the property. Raises ShapeFault.

    `renames` maps a submitted value to the portal's own name for it, before the type is looked at.
    """
    if prop.read_only:
        raise ShapeFault("read_only", phrase("HubSpot lets nobody write this property"))
    text = _by_type(value, prop, renames)
    broken = broken_rule(text, prop.rules) if text is not None else None
    if broken is not None:
        raise ShapeFault(*broken)
    return text


def _by_type(value: Any, prop: Property, renames: Mapping[str, str] | None) -> str | None:
    values = list(value) if isinstance(value, list | tuple) else [value]
    kept = [_renamed(each, renames or {}) for each in values if each is not None and each != ""]
    if not kept:
        return None
    if prop.type == "enumeration":
        return _enumeration(kept, prop)
    if prop.type in _SCALARS:
        if len(kept) > 1:
            raise ShapeFault(
                "not_single", phrase("a {type} property takes one value, not a list", type=prop.type)
            )
        return _SCALARS[prop.type](kept[0])
    if isinstance(value, list | tuple) and any(isinstance(each, str) and ";" in each for each in kept):
        raise ShapeFault("separator", phrase("an item of the list holds a ';', which separates the items"))
    return _string(kept)


def _renamed(value: Any, renames: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return renames.get(value, value)
    if isinstance(value, bool | int) and abs(value) < 10**MOST_DIGITS:
        return renames.get(str(value).lower(), value)
    return value


def _enumeration(values: list[Any], prop: Property) -> str | None:
    texts = [text for text in dict.fromkeys(_text(each).strip() for each in values) if text]
    if prop.field_type and prop.field_type != _MANY and len(texts) > 1:
        raise ShapeFault("not_single", phrase("this property takes one option, not several"))
    if any(";" in text for text in texts):
        raise ShapeFault(
            "separator", phrase("the value holds a ';', by which HubSpot would take it for two options")
        )
    if prop.options and not prop.options.issuperset(texts):
        raise ShapeFault("not_an_option", phrase("the value is none of the property's options"))
    return ";".join(texts) or None


def _bool(value: Any) -> str | None:
    text = _text(value).strip().lower()
    if text not in ("true", "false", ""):
        raise ShapeFault("not_a_bool", phrase("the value is neither true nor false"))
    return text or None


def _number(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ShapeFault("not_a_number", phrase("the value is no number"))
    try:
        text = str(value).strip()
        if not text:
            return None
        number = Decimal(text if _NUMBER.fullmatch(text) else "NaN")
    except (ValueError, InvalidOperation):
        number = Decimal("NaN")
    if not number.is_finite():
        raise ShapeFault("not_a_number", phrase("the value is no number"))
    if len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
        raise ShapeFault("too_long", phrase("the number has more than {most} digits", most=str(MOST_DIGITS)))
    return format(number, "f") if number else "0"


def _date(value: Any) -> str | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            raise ShapeFault("not_a_date", phrase("the value is no day of the calendar")) from None
    moment = _moment(value, "not_a_date")
    return None if moment is None else moment.date().isoformat()


def _datetime(value: Any) -> str | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    elif isinstance(value, str) and _DATE.fullmatch(value.strip()):
        value = f"{value.strip()}T00:00:00Z"
    moment = _moment(value, "not_a_datetime")
    if moment is None:
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _moment(value: Any, code: str) -> datetime | None:
    try:
        if isinstance(value, str):
            if not value.strip():
                return None
            value = datetime.fromisoformat(value.strip())
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ShapeFault(code, phrase("the value is no date, or a time without its zone"))


def _string(values: list[Any]) -> str | None:
    text = ";".join(map(_text, values))
    if len(text) > LONGEST:
        raise ShapeFault("too_long", phrase("the text is longer than {most} characters", most=str(LONGEST)))
    return text


def _text(value: Any) -> str:
    """One value as plain text; anything with parts has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _number(value) or ""
    if isinstance(value, datetime):
        return _datetime(value) or ""
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise ShapeFault("not_text", phrase("the value has parts; HubSpot takes one text per property"))
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise ShapeFault("not_text", phrase("the text holds half a character"))
    return value


_SCALARS = {"bool": _bool, "number": _number, "date": _date, "datetime": _datetime}
