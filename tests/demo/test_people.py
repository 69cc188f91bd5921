"""The made-up people pass the door, and what is expected of HubSpot covers the portal's whole mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from credsync.core.forms import check_form
from credsync.core.portal_file import parse_portal
from credsync.demo.people import Person
from credsync.demo.plan import the_cases, the_crowd
from credsync.demo.processes import portal_text

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [part.person for part in [*the_cases(1), *the_crowd(200, 10, 1)]]


def test_every_form_passes_the_door_without_a_warning(people: list[Person]) -> None:
    for person in people:
        assert not check_form("ca", person.application(), as_of=NOW.date()).warnings
        assert not check_form("sign_up", person.sign_up()).warnings


def test_nobody_is_anybody_else(people: list[Person]) -> None:
    assert len({person.id for person in people}) == len({person.email for person in people}) == len(people)


def test_the_same_seed_makes_the_same_people() -> None:
    assert the_crowd(20, 10, 7) == the_crowd(20, 10, 7) != the_crowd(20, 10, 8)


def test_what_is_expected_of_hubspot_is_the_whole_mapping_of_the_application(people: list[Person]) -> None:
    portal = parse_portal("demo", portal_text())
    mapped = {each.to: set(each.fields) for each in portal.maps_of("ca")}
    for person in people:
        expected = person.expected(NOW)
        assert set(expected) == set(person.slots)
        for slot, properties in expected.items():
            target = "definitive" if slot == person.definitive_slot else slot.split(".")[0]
            assert set(properties) == mapped[target]


def test_the_portal_file_in_the_package_is_the_one_in_portals() -> None:
    assert portal_text() == (ROOT / "portals/demo.toml").read_text(encoding="utf-8")


def test_the_portal_file_gets_the_sandboxs_address_and_nothing_else() -> None:
    moved = portal_text("http://127.0.0.1:1234")
    assert parse_portal("demo", moved).hubspot.base_url == "http://127.0.0.1:1234"
    assert moved.replace("http://127.0.0.1:1234", "http://127.0.0.1:8090") == portal_text()
