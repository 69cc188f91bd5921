"""Which records hold which slots, read off a look."""

from __future__ import annotations

from credsync.core.portal import ByLabel
from credsync.core.portal_file import parse_portal
from credsync.core.slots import Candidate, holders, properties_needed, tells_by_labels
from tests.core.builders import ACTIVE, ADDRESS, ATTESTED, NJ, NY, PORTAL, portal_text


def labelled(record_id: str, *labels: str) -> Candidate:
    return Candidate(record_id, "101", frozenset(labels))


def told(record_id: str, **properties: str | None) -> Candidate:
    return Candidate(record_id, "101", frozenset(), properties)


def ids(found: dict[str, list[Candidate]]) -> dict[str, list[str]]:
    return {slot: [c.record_id for c in candidates] for slot, candidates in found.items()}


def test_a_labelled_slot_is_held_by_whoever_carries_its_label_among_others() -> None:
    seen = [labelled("1"), labelled("2", ATTESTED, "Other"), labelled("3", "active attested")]
    assert ids(holders(PORTAL.slots[ACTIVE], seen, [])) == {ACTIVE: ["2"]}
    assert ids(holders(PORTAL.slots[ACTIVE], [], [])) == {ACTIVE: []}


def test_a_slot_told_by_a_property_is_held_by_whoever_has_its_value() -> None:
    text = portal_text().replace('label = "Current Address"', 'property = "kind"\nvalue = "current"')
    portal = parse_portal("alpha", text)
    seen = [told("1", kind="current"), told("2", kind="old"), told("3", kind=None), labelled("4")]
    assert ids(holders(portal.slots[ADDRESS], seen, [])) == {ADDRESS: ["1"]}
    assert properties_needed(portal, "therapist_address") == ("kind",)
    assert not tells_by_labels(portal, "therapist_address")


def test_the_only_record_of_its_type_holds_a_slot_that_asks_for_no_more() -> None:
    portal = parse_portal("alpha", portal_text().replace('label = "Current Address"', "only = true", 1))
    seen = [labelled("1"), labelled("2", "Any")]
    assert ids(holders(portal.slots[ADDRESS], seen, [])) == {ADDRESS: ["1", "2"]}


def test_a_slot_per_value_has_an_entry_for_each_value_seen_and_each_slot_known() -> None:
    seen = [told("1", license_state="NJ"), told("2", license_state="NJ"), told("3", license_state="CT")]
    assert ids(holders(PORTAL.slots["license"], seen, [NY])) == {NY: [], NJ: ["1", "2"], "license.CT": ["3"]}


def test_a_record_whose_value_is_still_empty_holds_no_slot_yet() -> None:
    seen = [told("1", license_state=None), told("2", license_state=""), told("3"), labelled("4")]
    assert ids(holders(PORTAL.slots["license"], seen, [])) == {}


def test_a_slot_of_two_values_needs_both() -> None:
    text = portal_text(writes="").replace('"license_state"', '["license_state", "license_type"]')
    portal = parse_portal("alpha", text)
    seen = [told("1", license_state="NY", license_type="PT"), told("2", license_state="NY")]
    assert ids(holders(portal.slots["license"], seen, [])) == {"license.NY.PT": ["1"]}
    assert properties_needed(portal, "license") == ("license_state", "license_type")


def test_only_what_tells_slots_apart_is_read() -> None:
    assert properties_needed(PORTAL, "license") == ("license_state",)
    assert properties_needed(PORTAL, "credentialing") == ()
    assert tells_by_labels(PORTAL, "credentialing")
    assert not tells_by_labels(PORTAL, "license")
    assert PORTAL.slots[ACTIVE].marker == ByLabel(ATTESTED)
