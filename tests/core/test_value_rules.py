"""What an administrator asks of a property's values is checked before sending, where it is certain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.properties import Property, ShapeFault, shape
from credsync.core.value_rules import ValueRule, broken_rule
from credsync_sandbox.portal.validation import broken_by, rule_of

JULY = "1782864000000"
"""2026-07-01 in milliseconds."""
JULY_IN_NEW_YORK = "1782878400000"

BROKEN = [
    ("number", "MIN_NUMBER", ("1",), "0.9", "1", "too_small"),
    ("number", "MAX_NUMBER", ("99.5",), 99.6, 99.5, "too_large"),
    ("number", "DECIMAL", ("2",), "1.123", "1.10", "too_many_decimals"),
    ("number", "DECIMAL", ("0",), "1.5", "100", "too_many_decimals"),
    ("string", "MIN_LENGTH", ("3",), "ab", "abc", "too_short"),
    ("string", "MAX_LENGTH", ("3",), "abcd", "abc ", "too_long"),
    ("string", "ALPHANUMERIC", ("NUMERIC_ONLY",), "12a", "12-3", "wrong_characters"),
    ("string", "ALPHANUMERIC", ("ALPHA_ONLY",), "ab1", "ab c", "wrong_characters"),
    ("string", "ALPHANUMERIC", ("ALPHANUMERIC",), "a#1", "a-1", "wrong_characters"),
    ("string", "SPECIAL_CHARACTERS", ("NOT_ALLOWED",), "a#1", "a, b.", "wrong_characters"),
    ("string", "FORMAT", ("UPPER",), "Ny", "NY 1", "wrong_case"),
    ("string", "FORMAT", ("LOWER",), "nY", "é", "wrong_case"),
    ("string", "FORMAT", ("CAPITALIZATION",), "ann", "1ann", "wrong_case"),
    ("string", "WHITESPACE", ("TRIM",), " q7", "a b", "wrong_characters"),
    ("string", "REGEX", ("^[A-Z]{2}-[0-9]+$", "Two letters, a number"), "NY77", "NY-77", "wrong_form"),
    ("date", "START_DATE", (JULY_IN_NEW_YORK,), "2026-06-30", "2026-07-01", "too_early"),
    ("date", "END_DATE", (JULY_IN_NEW_YORK,), "2026-07-03", "2026-07-01", "too_late"),
    ("datetime", "START_DATETIME", (JULY,), "2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z", "too_early"),
    ("datetime", "END_DATETIME", (JULY,), "2026-07-01T00:00:01Z", "2026-07-01T00:00:00Z", "too_late"),
    ("date", "DAYS_OF_WEEK", ("MONDAY", "WEDNESDAY"), "2026-07-02", "2026-07-01", "wrong_day"),
]


@pytest.mark.parametrize(("type_", "kind", "arguments", "bad", "good", "code"), BROKEN)
def test_a_value_that_surely_breaks_a_rule_is_refused_before_it_is_sent(
    type_: str, kind: str, arguments: tuple[str, ...], bad: Any, good: Any, code: str
) -> None:
    """And its neighbour is not; clearing keeps every rule; a rule by which HubSpot mends the value refuses nothing."""
    prop = Property("p", type_, rules=(ValueRule("ODD"), ValueRule(kind, arguments)))
    with pytest.raises(ShapeFault) as refused:
        shape(bad, prop)
    assert refused.value.code == code
    assert str(bad) not in refused.value.message
    shape(good, prop)
    assert shape(None, prop) is None
    shape(bad, Property("p", type_, rules=(ValueRule(kind, arguments, normalizes=True),)))


@pytest.mark.parametrize(
    "rule",
    [
        ValueRule("MIN_NUMBER", ()),
        ValueRule("MIN_NUMBER", ("many",)),
        ValueRule("MIN_NUMBER", ("NaN",)),
        ValueRule("MAX_LENGTH", ("1.5",)),
        ValueRule("ALPHANUMERIC", ("SOME",)),
        ValueRule("START_DATE", ("99999999999999999999999",)),
        ValueRule("AFTER_DURATION", ("P7D",)),
        ValueRule("EMAIL"),
        ValueRule("REGEX", ("[unclosed",)),
        ValueRule("REGEX", (r"\p{Lu}",)),
        ValueRule("REGEX", ("(?i)x",)),
        ValueRule("REGEX", ("[[:alpha:]]",)),
        ValueRule("REGEX", ("a|b",)),
    ],
)
def test_a_rule_that_is_not_understood_refuses_nothing(rule: ValueRule) -> None:
    """HubSpot is asked, and its refusal found then."""
    assert broken_rule("5", (rule,)) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 60 + "!"),
        ("a?" * 40 + "a" * 40, "a" * 40),
        ("a*a*a*a*a*b", "a" * 99),
        ("[a-z]*[a-z]*!", "a" * 100),
        ("a{1,99}a{1,99}a{1,99}b", "a" * 99),
        ("[a-z]*[a-z]*!", "a" * 60_000),
    ],
)
def test_no_pattern_takes_long(pattern: str, text: str) -> None:
    """HubSpot matches in linear time, Python does not: what could take long is not tried. Would hang if it did."""
    broken_rule(text, (ValueRule("REGEX", (pattern,)),))


KINDS = {
    "number": ["MIN_NUMBER", "MAX_NUMBER", "DECIMAL"],
    "date": ["START_DATE", "END_DATE", "DAYS_OF_WEEK"],
    "string": [
        "MIN_LENGTH",
        "MAX_LENGTH",
        "ALPHANUMERIC",
        "SPECIAL_CHARACTERS",
        "FORMAT",
        "WHITESPACE",
        "REGEX",
    ],
}
ARGUMENTS = {
    "ALPHANUMERIC": ["NUMERIC_ONLY", "ALPHA_ONLY", "ALPHANUMERIC"],
    "SPECIAL_CHARACTERS": ["NOT_ALLOWED"],
    "FORMAT": ["UPPER", "LOWER", "CAPITALIZATION"],
    "WHITESPACE": ["ALL", "TRIM"],
    "REGEX": ["[A-Z]+", "^[a-z ]*$", r"\d{3}", r"^\w+-?\w+$"],
    "START_DATE": [JULY, JULY_IN_NEW_YORK],
    "END_DATE": [JULY, JULY_IN_NEW_YORK],
    "DAYS_OF_WEEK": ["MONDAY", "FRIDAY"],
}
VALUES = {
    "number": st.decimals(-10, 10, places=3).map(lambda n: format(n, "f")),
    "date": st.dates().map(str),
    "string": st.text("aZ9é #-_.,\u00a0", min_size=1, max_size=8),
}


@given(st.data(), st.sampled_from(sorted(KINDS)))
def test_nothing_is_refused_before_sending_that_hubspot_would_take(data: st.DataObject, type_: str) -> None:
    """As the sandbox reads the rules, which knows nothing of ours."""
    kind = data.draw(st.sampled_from(KINDS[type_]))
    numbers = st.integers(0, 8).map(str)
    argument = data.draw(st.sampled_from(ARGUMENTS[kind]) if kind in ARGUMENTS else numbers)
    text = data.draw(VALUES[type_])
    if broken_rule(text, (ValueRule(kind, (argument,)),)) is not None:
        assert broken_by(rule_of({"ruleType": kind, "ruleArguments": [argument]}), text) is not None
