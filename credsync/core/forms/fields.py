"""How a field is declared: its class of data, its type as the mapping sees it, and the base of every model.

`Public[Day]` is a class A day, `Contact[Email]` class B, `Sensitive[Day]` class C and `Never` class D. Each of the
first three may be null, which clears it. A class C field is excluded from every dump and a class D field refuses
whatever it is given, so that neither depends on somebody remembering to drop it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

FieldType = Literal["string", "number", "integer", "boolean", "date", "datetime", "list", "object"]


class DataClass(StrEnum):
    """How far a value may travel (domain.md, "Fields"); a later letter is stricter."""

    A = "A"
    """Public or professional."""
    B = "B"
    """Contact data."""
    C = "C"
    """Sensitive: checked, reduced to a flag and dropped; stored nowhere."""
    D = "D"
    """Never accepted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an annotated type is to a mapping (`type`), and its rule in a few words for the reference page."""

    type: FieldType
    rule: str = ""


class FormModel(BaseModel):
    """Strict and closed; its repr and its errors show no value."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return []


def _refuse(_value: object) -> None:
    raise PydanticCustomError("forbidden_field", "is never accepted")


T = TypeVar("T")
Public = Annotated[T | None, DataClass.A]
Contact = Annotated[T | None, DataClass.B]
Sensitive = Annotated[T | None, DataClass.C, Field(exclude=True, repr=False)]
Never = Annotated[
    Any, PlainValidator(_refuse), DataClass.D, Field(exclude=True, repr=False), Kind("string", "refused")
]

Boolean = Annotated[bool, Kind("boolean")]
Cents = Annotated[int, Field(ge=0, le=2**53 - 1), Kind("integer", "whole cents, 0 or more")]
Appointments = Annotated[int, Field(ge=0, le=1000), Kind("integer", "0 to 1,000")]
