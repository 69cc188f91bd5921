"""Every path of a form, read off the models: what a mapping may name, and what it may not and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic.fields import FieldInfo

from credsync.core.forms.application import MODELS, FormName
from credsync.core.forms.custom import CustomField, custom_model
from credsync.core.forms.dates import NotBefore
from credsync.core.forms.fields import DataClass, FieldType, FormModel, Kind

NO_CUSTOM: Final[Mapping[str, CustomField]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PathInfo:
    """One path: its class, its type, the list it is repeated in (None outside lists) and its rule in a few words.

    A section or object has the strictest class of what is in it. `rule` is for the reference page.
    """

    path: str
    data_class: DataClass
    type: FieldType
    in_list: str | None
    rule: str = ""


_DERIVED: Final[Mapping[str, Kind]] = {
    "form_status": Kind("string", "derived: the form's state"),
    "submitted_at": Kind("datetime", "derived: when the form was submitted"),
    "attested_at": Kind("datetime", "derived: when it was attested"),
    "attestation_due": Kind(
        "date",
        "derived: when the next attestation is due (after 120 days, or `due_after` of the portal file)",
    ),
}


def paths(form: FormName, custom: Mapping[str, CustomField] = NO_CUSTOM) -> dict[str, PathInfo]:
    """Every path of a form by its name, classes C and D included, so that mapping one is refused with its reason.

    Paths have no indexes: an item's field is `education_and_training.licenses.number`, `in_list` its list. Derived
    paths (`submitted_at` …) have no section. Source: domain.md, "Fields".
    """
    return {info.path: info for info in (*_form_paths(form), *_section("custom", custom_model(custom)))}


@cache
def _form_paths(form: FormName) -> tuple[PathInfo, ...]:
    found: list[PathInfo] = []
    for name, field in MODELS[form].model_fields.items():
        section, _kind = _inside(field.annotation)
        found += _section(name, section) if section else [_leaf(name, field, None)]
    derived = [PathInfo(name, DataClass.A, kind.type, None, kind.rule) for name, kind in _DERIVED.items()]
    return (*found, *derived)


def _section(name: str, model: type[FormModel]) -> list[PathInfo]:
    inner = list(_fields(name, model, None))
    return [PathInfo(name, _strictest(inner), "object", None), *inner]


def _fields(prefix: str, model: type[FormModel], in_list: str | None) -> Iterator[PathInfo]:
    for name, field in model.model_fields.items():
        path = f"{prefix}.{field.alias or name}"
        nested, kind = _inside(field.annotation)
        if nested is None or (kind is not None and kind.type != "list"):
            yield _leaf(path, field, in_list)
            continue
        inner = list(_fields(path, nested, path if kind else in_list))
        whole = max(_data_class(field) or DataClass.A, _strictest(inner))
        yield PathInfo(path, whole, kind.type if kind else "object", in_list, kind.rule if kind else "")
        yield from inner


def _leaf(path: str, field: FieldInfo, in_list: str | None) -> PathInfo:
    data_class = _data_class(field)
    metadata = (*reversed(field.metadata), *_metadata(field.annotation))
    kind = next((each for each in metadata if isinstance(each, Kind)), None)
    if data_class is None or kind is None:
        raise TypeError(f"{path} is declared without its class or its type")
    rules = [kind.rule] if kind.rule else []
    rules += [f"not before `{each.other}`" for each in field.metadata if isinstance(each, NotBefore)]
    if field.is_required():
        rules.append("required in an item")
    return PathInfo(path, data_class, kind.type, in_list, "; ".join(rules))


def _data_class(field: FieldInfo) -> DataClass | None:
    return next((each for each in field.metadata if isinstance(each, DataClass)), None)


def _strictest(inner: list[PathInfo]) -> DataClass:
    return max((each.data_class for each in inner), default=DataClass.A)


def _metadata(annotation: Any) -> tuple[Any, ...]:
    """The metadata of the type within an optional: `Annotated[T, …] | None` gives what follows T."""
    for each in (annotation, *get_args(annotation)):
        if get_origin(each) is Annotated:
            return tuple(reversed(get_args(each)[1:]))
    return ()


def _inside(annotation: Any) -> tuple[type[FormModel] | None, Kind | None]:
    """The model an annotation holds, alone or as a list's item, and the kind where it declares one."""
    kind = next((each for each in _metadata(annotation) if isinstance(each, Kind)), None)
    for each in (annotation, *get_args(annotation)):
        bare = get_args(each)[0] if get_origin(each) is Annotated else each
        if get_origin(bare) is list:
            bare = get_args(bare)[0]
        if isinstance(bare, type) and issubclass(bare, FormModel):
            return bare, kind
    return None, kind
