"""The door: whether a submitted form is valid, and what of it may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from credsync.core.forms.application import MODELS, FormName, take_out_confirmed
from credsync.core.forms.career import repeated_licenses
from credsync.core.forms.catalogue import NO_CUSTOM, paths
from credsync.core.forms.custom import CustomField, custom_model
from credsync.core.forms.faults import Fault, FormFaults
from credsync.core.forms.fields import FormModel
from credsync.core.forms.translate import MOST_FAULTS, Translation


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """A valid form. `data` is `{section: {field: value}}`, JSON-able and in its normal form, with only what was given.

    Class C is reduced to flags; null and a blank field are None; a section that was confirmed or has nothing left is absent.
    """

    data: dict[str, Any]
    warnings: tuple[Fault, ...] = ()


def check_form(
    form: FormName,
    data: Mapping[str, Any],
    custom: Mapping[str, CustomField] = NO_CUSTOM,
    *,
    as_of: date | None = None,
) -> CheckedForm:
    """Check `data` against the form's model; raises `FormFaults` naming everything that is wrong.

    `data` is `{section: {field: value}}`; for `sign_up` the fields alone will do, and come back, as their faults do,
    under their section. A portal's own fields come as `data["custom"] = {name: value}`. `as_of`, the day of the
    submission, becomes `immunization_as_of` where statuses or a questionnaire were sent without one. Checking what was
    checked gives equal data. `data` itself is not changed. Source: domain.md, "Fields".
    """
    if not isinstance(data, Mapping):
        raise FormFaults((Fault("", "wrong_type", "must be an object of sections"),))
    submitted = _blank_is_null(_sections(form, data))
    sections, faults = take_out_confirmed(submitted) if form == "af" else (dict(submitted), [])
    own = {"custom": sections.pop("custom")} if "custom" in sections else {}
    context: dict[str, Any] = {"warnings": [], "as_of": as_of.isoformat() if as_of else None}

    errors: list[tuple[str, ErrorDetails]] = []
    kept = _validated(MODELS[form], sections, context, "", errors)
    if own.get("custom") is not None:
        own = {"custom": _validated(custom_model(custom), own["custom"], context, "custom", errors)}
    if form != "sign_up":
        faults += [
            Fault(
                f"education_and_training.licenses[{index}]",
                "duplicate_item",
                "repeats a state and type of the list",
            )
            for index in repeated_licenses(sections)
        ]
    if errors or faults:
        raise FormFaults(_cut(faults + Translation(paths(form, custom)).faults(errors, submitted)))
    kept |= own
    return CheckedForm(
        {name: section for name, section in kept.items() if section != {}}, tuple(context["warnings"])
    )


def _sections(form: FormName, data: Mapping[str, Any]) -> dict[Any, Any]:
    """A copy of `data` by sections; a sign-up's bare fields are put into their section."""
    if form != "sign_up" or "sign_up" in data:
        return dict(data)
    fields = {name: value for name, value in data.items() if name != "custom"}
    own = {"custom": data["custom"]} if "custom" in data else {}
    return {"sign_up": fields, **own} if fields else own


_DEEPEST = 8
"""Levels that a form may have below its sections, and some to spare; what lies deeper is refused as it is."""


def _blank_is_null(data: dict[Any, Any], levels: int = _DEEPEST) -> dict[Any, Any]:
    """A copy with every blank field cleared: a form's empty box says what null says."""
    return {
        key: (None if not value or value.isspace() else value)
        if isinstance(value, str)
        else _cleared(value, levels)
        for key, value in data.items()
    }


def _cleared(value: Any, levels: int) -> Any:
    """A list's texts are no fields: they stay as they are."""
    if isinstance(value, dict) and levels > 1:
        return _blank_is_null(value, levels - 1)
    if isinstance(value, list):
        return [
            _blank_is_null(item, levels - 2) if isinstance(item, dict) and levels > 2 else item
            for item in value
        ]
    return value


def _validated(
    model: type[FormModel],
    data: object,
    context: dict[str, Any],
    prefix: str,
    errors: list[tuple[str, ErrorDetails]],
) -> dict[str, Any]:
    """`data` as the model keeps it; what is wrong goes to `errors`, and the error itself, which holds values, dies here."""
    try:
        return model.model_validate(data, context=context).model_dump(exclude_unset=True, by_alias=True)
    except ValidationError as error:
        errors += [(prefix, each) for each in error.errors(include_url=False, include_input=False)]
    return {}


def _cut(faults: list[Fault]) -> tuple[Fault, ...]:
    if len(faults) > MOST_FAULTS:
        faults = [
            *faults[:MOST_FAULTS],
            Fault("", "more_faults", f"more than {MOST_FAULTS:,} faults: mend these first"),
        ]
    return tuple(faults)
