"""Reading HubSpot's JSON, in which every field is optional and none is to be trusted.

Each function takes whatever stood there and gives the thing, or nothing; none raises.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_DIGITS = re.compile(r"[0-9]+")
_WORD = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """The array, or an empty one."""
    return value if isinstance(value, list) else []


def record_id(value: Any) -> str | None:
    """An id as text: digits, or a JSON number that is a whole one. A bool, a fraction or a sign is no id."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and value >= 0:
        return str(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return value
    return None


def record_ids(*values: Any) -> tuple[str, ...]:
    """Every id in these fields, each of which may hold one or many."""
    found = (record_id(each) for value in values for each in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def word(value: Any) -> str:
    """A code, a category or a name as HubSpot spells them; empty for anything that might be prose or a value."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def words(*values: Any) -> tuple[str, ...]:
    """Every word in these fields, each of which may hold one or many."""
    found = (word(each) for value in values for each in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(each for each in found if each))


def text(value: Any) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def texts(*values: Any) -> tuple[str, ...]:
    """Every string in these fields, each of which may hold one or many."""
    found = (each for value in values for each in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(each for each in found if isinstance(each, str)))


def moment(value: Any) -> datetime | None:
    """A time with its zone, in UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def next_page(body: dict[str, Any]) -> str | None:
    """`paging.next.after`, where there is a next page."""
    after = mapping(mapping(body.get("paging")).get("next")).get("after")
    if isinstance(after, int) and not isinstance(after, bool):
        return str(after)
    return after if isinstance(after, str) and after else None


USER_DEFINED = "USER_DEFINED"


def type_key(category: Any, type_id: Any) -> str | None:
    """One name for an association type: the bare id of a portal's own label, `HUBSPOT_DEFINED:1` for the others."""
    number, kind = record_id(type_id), word(category)
    if number is None or not kind:
        return None
    return number if kind == USER_DEFINED else f"{kind}:{number}"
