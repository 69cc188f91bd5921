"""Days and moments as texts of one form, so that what was checked is what is stored, and compares in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from credsync.core.forms.fields import Kind

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,30})?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def _day(value: str) -> str:
    try:
        if _DAY.fullmatch(value):
            date.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise PydanticCustomError("invalid_date", "must be a calendar day as text, YYYY-MM-DD")


def _moment(value: str) -> str:
    match = _MOMENT.fullmatch(value)
    if match is None:
        raise PydanticCustomError(
            "invalid_datetime", "must be an RFC 3339 date-time, such as 2026-11-23T18:05:00Z"
        )
    day, time, fraction, zone = match.groups()
    if zone is None:
        raise PydanticCustomError(
            "missing_zone", "must name its zone: end it with Z or an offset such as -05:00"
        )
    micros = (fraction or ".")[1:7].ljust(6, "0")
    offset = "+00:00" if zone in "Zz" else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{micros}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise PydanticCustomError(
            "invalid_datetime", "must be a moment that exists, such as 2026-11-23T18:05:00Z"
        )
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


Day = Annotated[str, AfterValidator(_day), Kind("date", "`YYYY-MM-DD`")]
Moment = Annotated[
    str,
    AfterValidator(_moment),
    Kind("datetime", "RFC 3339 with a zone; kept in UTC with microseconds"),
]


@dataclass(frozen=True, slots=True)
class NotBefore:
    """Annotates a day that must not come before the day in another field, declared above it in the same model.

    It is told even where other fields of the item are wrong: it asks only that both days are days.
    """

    other: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def check(value: str | None, info: core_schema.ValidationInfo) -> str | None:
            earliest = info.data.get(self.other)
            if value is not None and earliest is not None and value < earliest:
                raise PydanticCustomError("date_order", f"must not be before '{self.other}'")
            return value

        return core_schema.with_info_after_validator_function(check, handler(source))
