"""A value goes in the shape its property takes, or is refused without being shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.properties import LONGEST, Property, ShapeFault, shape

TEXT = Property("p", "string", "text")
NUMBER = Property("p", "number", "number")
BOOL = Property("p", "bool", "booleancheckbox", frozenset({"true", "false"}))
DATE = Property("p", "date", "date")
DATETIME = Property("p", "datetime", "date")
ONE = Property("p", "enumeration", "select", frozenset({"Yes", "No", "a b"}))
MANY = Property("p", "enumeration", "checkbox", frozenset({"anxiety", "grief", "true"}))
ANY = Property("p", "enumeration", "select")
EAST = timezone(timedelta(hours=9))

SHAPED = [
    (TEXT, "Dr. Who", "Dr. Who"),
    (TEXT, "  as it was  ", "  as it was  "),
    (TEXT, 5, "5"),
    (TEXT, "one; two", "one; two"),
    (TEXT, True, "true"),
    (TEXT, 1e22, "10000000000000000000000"),
    (TEXT, ["en", "es", None], "en;es"),
    (TEXT, date(2026, 1, 2), "2026-01-02"),
    (TEXT, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
    (Property("p", "phone_number"), "+15551234567", "+15551234567"),
    (NUMBER, 5, "5"),
    (NUMBER, -0.0, "0"),
    (NUMBER, 1e-7, "0.0000001"),
    (NUMBER, 1e21, "1000000000000000000000"),
    (NUMBER, 0.1, "0.1"),
    (NUMBER, Decimal("12.50"), "12.50"),
    (NUMBER, " 007.5 ", "7.5"),
    (NUMBER, "1e3", "1000"),
    (BOOL, True, "true"),
    (BOOL, False, "false"),
    (BOOL, " TRUE ", "true"),
    (DATE, date(2026, 1, 2), "2026-01-02"),
    (DATE, "2026-01-02", "2026-01-02"),
    (DATE, " 2026-01-02 ", "2026-01-02"),
    (DATE, "2026-01-02T03:04:05+09:00", "2026-01-01"),
    (DATE, datetime(2026, 1, 2, 3, tzinfo=EAST), "2026-01-01"),
    (DATETIME, "2026-01-02T03:04:05.678912Z", "2026-01-02T03:04:05.678Z"),
    (DATETIME, datetime(2026, 1, 2, 3, tzinfo=EAST), "2026-01-01T18:00:00.000Z"),
    (DATETIME, "2026-01-02", "2026-01-02T00:00:00.000Z"),
    (DATETIME, date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
    (DATETIME, datetime(987, 1, 2, tzinfo=UTC), "0987-01-02T00:00:00.000Z"),
    (ONE, "Yes", "Yes"),
    (ONE, " a b ", "a b"),
    (ONE, ["No"], "No"),
    (MANY, ["grief", "anxiety", "grief"], "grief;anxiety"),
    (MANY, True, "true"),
    (ANY, "whatever", "whatever"),
]


@pytest.mark.parametrize(("prop", "value", "text"), SHAPED)
def test_a_value_takes_the_shape_of_its_property(prop: Property, value: Any, text: str) -> None:
    assert shape(value, prop) == text


@pytest.mark.parametrize("prop", [TEXT, NUMBER, BOOL, DATE, DATETIME, ONE, MANY])
@pytest.mark.parametrize("value", [None, "", [], [None], [""]])
def test_nothing_clears_the_property(prop: Property, value: Any) -> None:
    assert shape(value, prop) is None


@pytest.mark.parametrize("prop", [NUMBER, BOOL, DATE, DATETIME, ONE, MANY])
def test_a_blank_is_nothing_except_in_a_text(prop: Property) -> None:
    assert shape("  ", prop) is None
    assert shape("  ", TEXT) == "  "


FAULTY = [
    (NUMBER, "secret", "not_a_number"),
    (NUMBER, True, "not_a_number"),
    (NUMBER, float("nan"), "not_a_number"),
    (NUMBER, float("inf"), "not_a_number"),
    (NUMBER, "1_000", "not_a_number"),
    (NUMBER, "١٢", "not_a_number"),
    (NUMBER, "1,5", "not_a_number"),
    (NUMBER, {"secret": 1}, "not_a_number"),
    (NUMBER, "1e9999", "too_long"),
    (NUMBER, 10**40, "too_long"),
    pytest.param(NUMBER, 10**5000, "not_a_number", id="more digits than Python prints"),
    (NUMBER, [1, 2], "not_single"),
    (BOOL, "secret", "not_a_bool"),
    (BOOL, 1, "not_a_bool"),
    (BOOL, [True, False], "not_single"),
    (DATE, "2026-02-30", "not_a_date"),
    (DATE, "02/03/2026", "not_a_date"),
    (DATE, "2026-01-02T03:04:05", "not_a_date"),
    (DATE, datetime(2026, 1, 2), "not_a_date"),  # noqa: DTZ001 - a time without its zone is the case
    (DATE, 1767312000000, "not_a_date"),
    (DATE, "0001-01-01T00:00:00+09:00", "not_a_date"),
    (DATETIME, "secret", "not_a_datetime"),
    (DATETIME, "2026-13-01", "not_a_datetime"),
    (DATETIME, "2026-01-02T03:04", "not_a_datetime"),
    (ONE, "yes", "not_an_option"),
    (ONE, ["Yes", "No"], "not_single"),
    (ONE, {"secret": 1}, "not_text"),
    (ANY, "secret;other", "separator"),
    (ANY, ["secret;other"], "separator"),
    (MANY, ["grief;anxiety"], "separator"),
    (TEXT, ["secret;other", "third"], "separator"),
    (TEXT, ["secret;other"], "separator"),
    (MANY, ["grief", "secret"], "not_an_option"),
    (TEXT, {"secret": 1}, "not_text"),
    (TEXT, [["secret"]], "not_text"),
    (TEXT, "secret \ud800", "not_text"),
    (TEXT, "secret" * LONGEST, "too_long"),
    (TEXT, ["x" * LONGEST, "y"], "too_long"),
]


@pytest.mark.parametrize(("prop", "value", "code"), FAULTY)
def test_a_value_that_does_not_fit_is_a_fault_that_does_not_repeat_it(
    prop: Property, value: Any, code: str
) -> None:
    with pytest.raises(ShapeFault) as caught:
        shape(value, prop)
    assert caught.value.code == code
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None


def test_the_longest_text_still_fits() -> None:
    assert shape("x" * LONGEST, TEXT) == "x" * LONGEST


@pytest.mark.parametrize("value", ["x", None])
def test_what_nobody_may_write_is_refused_whatever_the_value(value: Any) -> None:
    with pytest.raises(ShapeFault) as caught:
        shape(value, Property("p", "string", read_only=True))
    assert caught.value.code == "read_only"


def test_renames_lead_from_submitted_values_to_the_portals_own() -> None:
    renames = {"enrolled": "Yes", "not_enrolled": "No", "true": "Yes", "1": "No"}
    assert shape("enrolled", ONE, renames) == "Yes"
    assert shape(True, ONE, renames) == "Yes"
    assert shape(1, ONE, renames) == "No"
    assert shape(["a", "grief"], MANY, {"a": "anxiety"}) == "anxiety;grief"
    assert shape("No", ONE, renames) == "No"
    with pytest.raises(ShapeFault):
        shape("Enrolled", ONE, renames)
    with pytest.raises(ShapeFault):
        shape(["a"], MANY, {"a": "anxiety;grief"})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes()
    | st.dates()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(anything, st.sampled_from([TEXT, NUMBER, BOOL, DATE, DATETIME, ONE, MANY, ANY]))
def test_whatever_comes_is_shaped_or_refused(value: Any, prop: Property) -> None:
    try:
        text = shape(value, prop)
    except ShapeFault:
        return
    assert text is None or (text != "" and text.encode())
    assert text is None or prop.type == "string" or text == text.strip()
