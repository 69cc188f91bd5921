"""How the tests of the forms ask: one field put where it belongs, and the faults that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from credsync.core.forms import CustomField, Fault, FormFaults, FormName, check_form, paths


def at(path: str, value: Any) -> dict[str, Any]:
    """`{section: …}` with one value at a path; what the path repeats is a list of one item."""
    lists = {name for name, info in paths("af").items() if info.type == "list"}
    parts = path.split(".")
    for end in range(len(parts) - 1, -1, -1):
        value = {parts[end]: value}
        if end and ".".join(parts[:end]) in lists:
            item = {"state": "NY"} if parts[end - 1] == "licenses" else {}
            value = [item | value]
    return value  # type: ignore[no-any-return]


def taken(path: str, value: Any, form: FormName = "ca") -> Any:
    """What is kept of a value at a path."""
    kept: Any = check_form(form, at(path, value)).data
    for part in path.split("."):
        kept = kept[0] if isinstance(kept, list) else kept
        kept = kept[part]
    return kept


def refused(form: FormName, data: Any, custom: Mapping[str, CustomField] | None = None) -> tuple[Fault, ...]:
    """What is wrong with a form; nothing where it is taken."""
    try:
        check_form(form, data, custom or {})
    except FormFaults as refusal:
        return refusal.faults
    return ()


def faults(
    form: FormName, data: Any, custom: Mapping[str, CustomField] | None = None
) -> list[tuple[str, str]]:
    """(path, code) of every fault, in order."""
    return [(fault.path, fault.code) for fault in refused(form, data, custom)]


def messages(form: FormName, data: Any, custom: Mapping[str, CustomField] | None = None) -> list[str]:
    """The message of every fault."""
    return [fault.message for fault in refused(form, data, custom)]


def codes(path: str, value: Any, form: FormName = "ca") -> set[str]:
    """The codes of what is wrong with one value at a path."""
    return {code for _, code in faults(form, at(path, value))}
