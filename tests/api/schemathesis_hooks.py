"""What schemathesis checks beside its own: that what the document allows is refused only by rules it cannot state."""

from __future__ import annotations

import json
from typing import Final

import schemathesis
from schemathesis import Case, CheckContext, GenerationMode, Response

BEYOND_SCHEMAS: Final = frozenset(
    {
        ("portal", "missing"),  # of a therapist nobody knows yet
        ("section", "unknown_section"),  # the Attestation Form's own, said of a CA
        ("occurred_at", "out_of_range"),  # date-time knows no earliest year
        ("name", "invalid_characters"),  # a formula, or a joiner between the wrong letters
        ("cursor", "invalid_cursor"),  # only a page gives one
        ("record_id", "not_a_candidate"),  # what a slot has at that moment
    }
)
"""Path and code of what JSON Schema cannot say. What is in `data` has its rules in docs/fields.md."""


@schemathesis.check
def refused_by_what_no_schema_says(_context: CheckContext, response: Response, case: Case) -> None:
    """A body or question that fits the document is refused for a rule of `BEYOND_SCHEMAS`, or not at all."""
    if (
        response.status_code != 422
        or case.meta is None
        or case.meta.generation.mode is GenerationMode.NEGATIVE
    ):
        return
    for error in json.loads(response.content)["errors"]:
        known = (error["path"], error["code"]) in BEYOND_SCHEMAS
        assert known or error["path"].partition(".")[0] == "data", f"the document allows this: {error}"
