"""A value read back is the one that was sent, however HubSpot spells it."""

from __future__ import annotations

import pytest

from credsync.core.properties import Property
from credsync.core.readback import same_value
from credsync.core.value_rules import ValueRule

TYPES = {
    name: Property("p", name) for name in ("string", "number", "bool", "date", "datetime", "enumeration")
}

SAME = [
    ("string", "a", "a"),
    ("string", None, ""),
    ("string", "", None),
    ("number", "12.50", "12.5"),
    ("number", "1000", "1E+3"),
    ("bool", "true", "true"),
    ("date", "2026-01-02", "1767312000000"),
    ("date", "2026-01-02", "2026-01-02T00:00:00Z"),
    ("date", "1969-12-31", "-86400000"),
    ("datetime", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678000+00:00"),
    ("datetime", "2026-01-02T03:04:05.000Z", "1767323045000"),
    ("enumeration", "a;b", "b;a"),
]
OTHER = [
    ("string", "a", "A"),
    ("string", "a", None),
    ("string", None, "a"),
    ("string", "12.50", "12.5"),
    ("number", "12.5", "12.6"),
    ("number", "12.5", "twelve"),
    ("bool", "true", "false"),
    ("date", "2026-01-02", "2026-01-03"),
    ("date", "2026-01-02", "soon"),
    ("datetime", "2026-01-02T03:04:05.678Z", "9" * 30),
    ("enumeration", "a;b", "a"),
]


@pytest.mark.parametrize(("kind", "sent", "got"), SAME)
def test_the_same_in_the_propertys_own_type_is_the_same(kind: str, sent: str | None, got: str | None) -> None:
    assert same_value(sent, got, TYPES[kind])


@pytest.mark.parametrize(("kind", "sent", "got"), OTHER)
def test_anything_else_is_another_value(kind: str, sent: str | None, got: str | None) -> None:
    assert not same_value(sent, got, TYPES[kind])


def test_where_hubspot_may_mend_a_value_its_case_and_blanks_at_the_ends_are_the_same() -> None:
    """A rule with normalization set: what was sent comes back in HubSpot's spelling."""
    mended = Property("p", "string", rules=(ValueRule("FORMAT", ("UPPER",), normalizes=True),))
    assert same_value(" ny", "NY", mended)
    assert not same_value("ny", "CA", mended)
    assert not same_value(" ny", "NY", Property("p", "string", rules=(ValueRule("FORMAT", ("UPPER",)),)))
