"""Judges an answer by the models of HubSpot's Python client: no field they do not have, none missing, each of its type.

The client itself lets most of that pass. Where HubSpot's recorded answers say otherwise than the client's models, the
answers are right: EXCEPTIONS lists those places.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

EXCEPTIONS: dict[str, str] = {
    "MultiAssociatedObjectWithLabel.toObjectId": "int",
    "LabelsBetweenObjectPair.fromObjectId": "int",
    "LabelsBetweenObjectPair.toObjectId": "int",
}
"""What the wire has instead of the type the model names: ids at the far end of an association are JSON numbers."""

LEFT_OUT = frozenset(
    {
        "StandardError.id",
        "StandardError.links",
        "StandardError.errors",
        "StandardError.context",
        "LabelsBetweenObjectPair.labels",
    }
)
"""Fields the models require and HubSpot leaves out where there is nothing to say."""


def faults(models: Any, kind: str, body: Any, where: str = "body") -> Iterator[str]:
    """What is wrong with a JSON value for a type as the client spells it: `str`, `list[X]`, `dict[str, X]`, `X`."""
    if kind == "object":
        return
    if found := re.fullmatch(r"list\[(.+)\]", kind):
        if not isinstance(body, list):
            yield f"{where}: {body!r} is no list"
            return
        for place, item in enumerate(body):
            yield from faults(models, found[1], item, f"{where}[{place}]")
    elif found := re.fullmatch(r"dict\[str, (.+)\]", kind):
        if not isinstance(body, dict):
            yield f"{where}: {body!r} is no object"
            return
        for name, item in body.items():
            if item is not None:
                yield from faults(models, found[1], item, f"{where}.{name}")
    elif kind in ("str", "int", "bool", "datetime", "float"):
        if not _is_plain(kind, body):
            yield f"{where}: {body!r} is no {kind}"
    else:
        yield from _model_faults(models, kind, body, where)


def _model_faults(models: Any, name: str, body: Any, where: str) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"{where}: {body!r} is no {name}"
        return
    model = getattr(models, name)
    required = _required(model)
    by_key = {key: attribute for attribute, key in model.attribute_map.items()}
    for key in body.keys() - by_key.keys():
        yield f"{where}.{key}: {name} has no such field"
    for key, attribute in by_key.items():
        place = f"{name}.{key}"
        if body.get(key) is not None:
            kind = EXCEPTIONS.get(place, model.openapi_types[attribute])
            yield from faults(models, kind, body[key], f"{where}.{key}")
        elif attribute in required and place not in LEFT_OUT:
            yield f"{where}.{key}: is missing"


@cache
def _required(model: Any) -> frozenset[str]:
    """The attributes a model refuses to be without: those whose setter raises for None."""
    return frozenset(
        attribute
        for attribute in model.attribute_map
        if "must not be `None`" in inspect.getsource(getattr(model, attribute).fset)
    )


def _is_plain(kind: str, value: Any) -> bool:
    if kind == "datetime":
        return isinstance(value, str) and value.endswith("Z") and bool(datetime.fromisoformat(value))
    if kind in ("int", "float"):
        return isinstance(value, int | float if kind == "float" else int) and not isinstance(value, bool)
    return isinstance(value, str if kind == "str" else bool)
