"""pydantic's errors as faults: the one place where its words become ours, and where no value can slip through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from pydantic_core import ErrorDetails

from credsync.core.forms.catalogue import PathInfo
from credsync.core.forms.faults import CODES, Fault
from credsync.core.forms.forbidden import forbidden_in, is_forbidden, refusal
from credsync.core.forms.spelling import nearest

MOST_FAULTS: Final = 1_000
_HINTS: Final = 50
"""How many unknown names get a suggestion: looking one up costs more than everything else about it."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PYDANTIC: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": ("wrong_type", "must be a text"),
    "int_type": ("wrong_type", "must be a whole number"),
    "bool_type": ("wrong_type", "must be true or false"),
    "list_type": ("wrong_type", "must be a list"),
    "dict_type": ("wrong_type", "must be an object"),
    "model_type": ("wrong_type", "must be an object"),
    "model_attributes_type": ("wrong_type", "must be an object"),
    "invalid_key": ("wrong_type", "must have texts as names"),
    "string_unicode": ("invalid_characters", "must be Unicode without half surrogate pairs"),
    "missing": ("missing", "is required: it names the item"),
}


class Translation:
    """Errors of one form, with the paths it knows."""

    def __init__(self, known: Mapping[str, PathInfo]) -> None:
        self._known = known
        self._names = {name for path in known for name in path.split(".")}
        self._hints = 0

    def faults(self, errors: Iterable[tuple[str, ErrorDetails]], data: object) -> list[Fault]:
        """`errors` as faults, each with the prefix of its place; then what class D is left in `data` unnamed.

        It ends soon after `MOST_FAULTS`: a hostile body must not cost more than an honest one.
        """
        found = [self._fault(prefix, error) for prefix, error in islice(errors, MOST_FAULTS + 1)]
        named = {fault.path for fault in found if fault.code == "forbidden_field"}
        for place in islice(forbidden_in(data), MOST_FAULTS + 1):
            path = self._path(place)
            if path not in named:
                named.add(path)
                found.append(Fault(path, "forbidden_field", refusal(str(place[-1]))))
        return found

    def _fault(self, prefix: str, error: ErrorDetails) -> Fault:
        loc = (prefix, *error["loc"]) if prefix else error["loc"]
        name = next((str(part) for part in reversed(loc) if part != "[key]"), "")
        code, context = error["type"], error.get("ctx", {})
        if code == "forbidden_field" or (code == "extra_forbidden" and is_forbidden(name)):
            return Fault(self._path(loc), "forbidden_field", refusal(name))
        if code == "extra_forbidden":
            return Fault(self._path(loc, unknown=True), "unknown_field", self._unknown(loc))
        return Fault(self._path(loc), *_worded(code, error["msg"], context))

    def _path(self, loc: Sequence[str | int], *, unknown: bool = False) -> str:
        """A dotted path. A name that is no form's own is shown only where it is the fault, and as `*` elsewhere."""
        path = ""
        for place, part in enumerate(loc):
            if isinstance(part, int):
                path += f"[{part}]"
            elif part != "[key]" and not part.startswith("~"):
                own = part in self._names or is_forbidden(part) or (unknown and place == len(loc) - 1)
                path += "." if path else ""
                path += part if own and _NAME.fullmatch(part) else "*"
        return path

    def _unknown(self, loc: Sequence[str | int]) -> str:
        name = str(loc[-1])
        what = "section" if len(loc) == 1 else "field"
        if not _NAME.fullmatch(name):
            return f"unknown {what} (its name is no plain word)"
        self._hints += 1
        hint = self._hint(loc, name) if self._hints <= _HINTS else None
        return f"unknown {what} '{name}'" + (f": did you mean '{hint}'?" if hint else "")

    def _hint(self, loc: Sequence[str | int], name: str) -> str | None:
        parent = ".".join(part for part in loc[:-1] if isinstance(part, str) and not part.startswith("~"))
        siblings, elsewhere = [], []
        for path, info in self._known.items():
            above, _, last = path.rpartition(".")
            if not is_forbidden(last):
                if above == parent and (parent or info.type == "object"):
                    siblings.append(last)
                elif last == name:
                    elsewhere.append(path)
        return elsewhere[0] if elsewhere else nearest(name, siblings)


def _worded(code: str, message: str, context: Mapping[str, Any]) -> tuple[str, str]:
    if code in _PYDANTIC:
        return _PYDANTIC[code]
    if code == "literal_error":
        return "not_allowed", f"must be {context['expected']}"
    if (
        code == "too_long" and "max_length" in context
    ):  # pydantic's, of a list; ours, of a text, has no context
        return "too_many", f"must have at most {context['max_length']:,} items"
    if code == "greater_than_equal":
        return "out_of_range", f"must be at least {context['ge']:,}"
    if code == "less_than_equal":
        return "out_of_range", f"must be at most {context['le']:,}"
    if code in CODES:
        return code, message  # one of our own checks, whose messages hold no value
    return "wrong_type", "must have another type"
