"""A portal's own fields, `custom.<name>`: declared in the portal file with a type and class A or B."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, create_model

from credsync.core.forms.answers import check_number
from credsync.core.forms.dates import Day, Moment
from credsync.core.forms.fields import Boolean, DataClass, FormModel, Kind
from credsync.core.forms.forbidden import is_forbidden
from credsync.core.forms.texts import Choices, Text

CustomType = Literal["string", "number", "boolean", "date", "datetime", "list"]


@dataclass(frozen=True, slots=True)
class CustomField:
    """One declared field. `list` is a list of choices; one choice is a `string`, whose option the mapping names."""

    name: str
    type: CustomType
    data_class: Literal["A", "B"]


Number = Annotated[Any, PlainValidator(check_number), Kind("number", "finite")]
CUSTOM_TYPES: Final[Mapping[CustomType, Any]] = {
    "string": Text,
    "number": Number,
    "boolean": Boolean,
    "date": Day,
    "datetime": Moment,
    "list": Choices,
}


def custom_model(custom: Mapping[str, CustomField]) -> type[FormModel]:
    """The section `custom` of a portal as a model; a name that would be class D is left out, and so refused."""
    return _model(tuple((name, field.type, field.data_class) for name, field in custom.items()))


@lru_cache(maxsize=64)
def _model(declared: tuple[tuple[str, CustomType, Literal["A", "B"]], ...]) -> type[FormModel]:
    fields: dict[str, Any] = {
        # a portal may call its field `json` or `copy`, which a model cannot; hence the alias
        f"custom_{index}": (
            Annotated[CUSTOM_TYPES[kind] | None, DataClass(data_class)],
            Field(default=None, alias=name),
        )
        for index, (name, kind, data_class) in enumerate(declared)
        if not is_forbidden(name)
    }
    model: type[FormModel] = create_model("Custom", __base__=FormModel, **fields)
    return model
