"""Each item of a mapped list names a record of its own, or the form is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.facts import Facts
from credsync.core.forms import FormName
from credsync.core.keyed_items import item_faults
from credsync.core.mapping import targets
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from tests.core.builders import portal_text, submission

BY_STATE = parse_portal("alpha", portal_text())
BY_BOTH = parse_portal(
    "alpha",
    portal_text()
    .replace('"license_state"', '["license_state", "license_type"]')
    .replace('key = "state"', 'key = ["state", "type"]'),
)
UNMAPPED = parse_portal("alpha", portal_text(writes=""))
PLACE = "education_and_training.licenses"


def licenses(*items: Any) -> dict[str, Any]:
    return {"education_and_training": {"licenses": list(items)}}


def found(portal: Portal, data: object, form: FormName = "ca") -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in item_faults(portal, form, data)]


def test_an_item_that_lacks_what_tells_its_record_is_named() -> None:
    """A key that is absent, null or blank would leave the item without a record, and without a word."""
    data = licenses({"state": "NY"}, {"state": "NY", "type": None}, {"state": "NJ", "type": " "})
    assert found(BY_BOTH, data) == [(f"{PLACE}[{n}].type", "missing") for n in range(3)]
    assert found(BY_STATE, licenses({"state": "NY"})) == []


def test_two_items_for_one_record_are_named() -> None:
    """The later one, with the earlier one in its message; a type tells them apart only where the portal asks for it."""
    data = licenses({"state": "NY", "type": "PT"}, {"state": "NJ"}, {"state": " NY ", "type": "OT"})
    (fault,) = item_faults(BY_STATE, "ca", data)
    assert (fault.path, fault.code) == (f"{PLACE}[2]", "duplicate_item")
    assert f"{PLACE}[0]" in fault.message
    typed = licenses({"state": "NY", "type": "PT"}, {"state": "NY", "type": "OT"})
    assert found(BY_BOTH, typed) == []


def test_what_the_portal_does_not_map_is_nobodys_business() -> None:
    """A list that goes nowhere, or another form's, may repeat itself."""
    data = licenses({"state": "NY"}, {"state": "NY"})
    assert found(UNMAPPED, data) == []
    assert found(BY_STATE, data, "sign_up") == []
    assert found(BY_STATE, data, "af") == [(f"{PLACE}[1]", "duplicate_item")]


@pytest.mark.parametrize(
    "data",
    [
        {},
        [],
        None,
        licenses(5, None, "NY", [], {"state": 5}, {"state": ["NY"]}),
        {"education_and_training": None},
        {"education_and_training": {"licenses": {"state": "NY"}}},
    ],
)
def test_what_has_another_fault_is_passed_over(data: object) -> None:
    """The form's own check names it."""
    assert found(BY_STATE, data) == []


ITEM = st.fixed_dictionaries(
    {"number": st.sampled_from(["1", "2"])},
    optional={"state": st.sampled_from(["NY", "NJ"]), "type": st.sampled_from(["PT", "OT", None])},
)


@given(st.sampled_from([BY_STATE, BY_BOTH]), st.lists(ITEM, max_size=4))
def test_a_list_without_faults_loses_no_item(portal: Portal, items: list[dict[str, Any]]) -> None:
    """Every item of a list that is taken has a slot of its own; a list that is refused would have lost one."""
    one = submission(1, licenses(*items))
    facts = Facts.of(submissions=[one])
    said = [t for t in targets(portal, facts, one, [one], {}) if t.slot.startswith("license.")]
    assert (found(portal, one.data) == []) == (len(said) == len(items))
