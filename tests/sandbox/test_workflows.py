"""Records come after their contact, when and where the portal's workflows put them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.driver import PORTAL, Driver, running

CASES = {"K": 141.9, "P": 114.1, "W": 161.1, "S": 120.4}


@pytest.mark.parametrize(("case", "late"), CASES.items())
def test_a_case_has_nothing_at_sixty_seconds_and_both_records_after_its_real_lateness(
    sandbox: Driver, case: str, late: float
) -> None:
    """What the old way saw after 60 s, and what was there later."""
    contact = sandbox.do("/contacts", {"case": case})["id"]
    sandbox.advance(60)
    assert sandbox.look(contact).json()["results"] == []
    sandbox.advance(late - 60 - 0.001)
    assert sandbox.look(contact).json()["results"] == []
    sandbox.advance(0.001)
    found = sandbox.look(contact).json()["results"][0]["to"]
    assert len(found) == 2
    assert set(sandbox.records(contact)) >= {"credentialing_active_attested", "credentialing_relocation"}


def test_the_delay_called_cases_takes_the_four_cases_in_turn(tmp_path: Path) -> None:
    """K, P, W, S, K, …"""
    with running(tmp_path, delay="cases") as sandbox:
        made = [sandbox.do("/contacts") for _ in range(5)]
    assert [one["planned"][0]["due_in_s"] for one in made] == [141.9, 114.1, 161.1, 120.4, 141.9]


def test_a_lognormal_delay_depends_on_seed_and_contact_and_not_on_the_order_of_making(tmp_path: Path) -> None:
    """The same contact waits equally long whoever came before it."""

    def delays(seed: int, ids: list[str]) -> dict[str, float]:
        with running(tmp_path, delay="lognormal:90s:0.6", seed=seed) as sandbox:
            return {one: sandbox.do("/contacts", {"id": one})["planned"][0]["due_in_s"] for one in ids}

    ids = [str(number) for number in range(100, 130)]
    first = delays(1, ids)
    assert delays(1, ids[::-1]) == first
    assert delays(2, ids) != first
    ordered = sorted(first.values())
    assert 40 < ordered[15] < 200
    assert ordered[0] < ordered[-1]


def test_a_first_sign_up_makes_what_is_always_awaited_and_what_definitive_names(sandbox: Driver) -> None:
    """Both Credentialings and an address; licences only when asked for."""
    contact = sandbox.contact()
    assert [one["slot"] for one in contact["planned"]] == [
        "credentialing_active_attested",
        "credentialing_relocation",
        "therapist_address_current",
    ]
    assert all(one["due_in_s"] == 0 for one in contact["planned"])


def test_a_licence_is_made_per_state_and_hangs_on_the_definitive_credentialing(sandbox: Driver) -> None:
    """Two hops: under active-attested, or under relocation for one who moves."""
    for moving, parent in ((False, "credentialing_active_attested"), (True, "credentialing_relocation")):
        contact = sandbox.contact(licenses=["NY", {"state": "CA"}], moving=moving)["id"]
        records = sandbox.records(contact)
        for state in ("NY", "CA"):
            licence = records[f"license.{state}"]
            assert licence["properties"]["license_state"] == state
            assert licence["parents"] == [records[parent]["id"]]


def test_a_contact_made_by_hubspots_own_call_starts_the_same_workflows(sandbox: Driver) -> None:
    """One at a time and in batches."""
    one = sandbox.hubspot.post(
        "/crm/objects/2026-09/contacts", json={"properties": {"email": "a@example.com"}}
    )
    two = sandbox.objects("create", [{"properties": {"firstname": "B"}}], "contacts", "v3")
    assert (one.status_code, two.status_code) == (201, 201)
    ids = [one.json()["id"], two.json()["results"][0]["id"]]
    assert sandbox.look(*ids).json()["results"] == []
    sandbox.advance("90s")
    assert len(sandbox.look(*ids).json()["results"]) == 2


def test_each_slot_can_have_a_delay_of_its_own_and_can_never_come(sandbox: Driver) -> None:
    """A map of delays, and `never`."""
    contact = sandbox.do(
        "/contacts",
        {
            "delay": {"credentialing_active_attested": "10s", "credentialing": "20s"},
            "never": ["therapist_address"],
            "licenses": ["NY"],
        },
    )
    assert {one["slot"]: one["due_in_s"] for one in contact["planned"]} == {
        "credentialing_active_attested": 10.0,
        "credentialing_relocation": 20.0,
        "therapist_address_current": None,
        "license.NY": 90.0,
    }
    sandbox.advance("7d")
    assert set(sandbox.records(contact["id"])) == {
        "credentialing_active_attested",
        "credentialing_relocation",
        "license.NY",
    }


def test_a_child_never_comes_before_the_record_it_hangs_on(sandbox: Driver) -> None:
    """A licence due at once waits for its Credentialing."""
    contact = sandbox.do("/contacts", {"delay": {"license": 0, "credentialing": "1m"}, "licenses": ["NY"]})
    assert {one["due_in_s"] for one in contact["planned"] if one["object"] == "license"} == {60.0}


def test_object_types_can_come_apart_and_an_association_later_than_its_record(sandbox: Driver) -> None:
    """`spread` and `link_delay`."""
    spread = {one["object"]: one["due_in_s"] for one in sandbox.do("/contacts", {"spread": "30s"})["planned"]}
    assert spread["credentialing"] != spread["therapist_address"]
    assert all(90 <= seconds <= 120 for seconds in spread.values())
    contact = sandbox.contact(link_delay="5s", slots=["credentialing_active_attested"])
    record = contact["planned"][0]["id"]
    assert sandbox.objects("read", [{"id": record}]).json()["results"][0]["id"] == record
    assert sandbox.look(contact["id"]).json()["results"] == []
    sandbox.advance("5s")
    assert sandbox.look(contact["id"]).json()["results"][0]["to"][0]["toObjectId"] == int(record)


def test_ids_are_large_and_not_in_the_order_of_creation(sandbox: Driver) -> None:
    """Eleven digits; a record made later may have the smaller id."""
    made = sandbox.do("/contacts", {"count": 50})["contacts"]
    ids = [int(one["id"]) for contact in made for one in contact["planned"]]
    assert min(ids) > 10_000_000_000
    assert ids != sorted(ids)
    assert len(set(ids)) == len(ids)


def test_a_workflow_of_a_deleted_contact_makes_nothing(sandbox: Driver) -> None:
    """It is counted as skipped."""
    contact = sandbox.do("/contacts")["id"]
    sandbox.hubspot.delete(f"/crm/objects/2026-09/contacts/{contact}")
    sandbox.advance("2m")
    truth = sandbox.do("/truth", method="GET")
    assert (truth["records_total"], truth["skipped"], truth["pending"]) == (0, 3, 0)


def test_a_second_enrolment_puts_a_second_record_in_the_slot(sandbox: Driver) -> None:
    """Two holders: what the service must call ambiguous."""
    contact = sandbox.contact()["id"]
    sandbox.do("/enrol", {"contact": contact, "slots": ["credentialing_active_attested"], "delay": "1m"})
    sandbox.advance("1m")
    held = [
        one for one in sandbox.truth(contact)["records"] if "credentialing_active_attested" in one["slots"]
    ]
    assert len(held) == 2


def test_an_extended_sign_up_moves_the_label_in_steps_with_nobody_holding_it_between(sandbox: Driver) -> None:
    """Created, taken from the old one, given to the new one, then the licences move."""
    contact = sandbox.contact(licenses=["NY"])["id"]
    before = sandbox.records(contact)["credentialing_active_attested"]["id"]
    made = sandbox.do("/esu", {"contact": contact, "pause": "5s"})
    new = made["record"]["id"]
    assert [step["action"] for step in made["steps"]] == ["make", "unmark", "mark", "adopt"]

    def holders() -> list[str]:
        truth = sandbox.truth(contact)["records"]
        return [one["id"] for one in truth if "credentialing_active_attested" in one["slots"]]

    seen = []
    for _ in range(3):
        seen.append(holders())
        sandbox.advance("5s")
    assert seen == [[before], [], [new]]
    assert sandbox.records(contact)["license.NY"]["parents"] == [new]


def test_an_extended_sign_up_can_have_two_holders_for_a_while(sandbox: Driver) -> None:
    """`overlap`: the new one is labelled before the old one is not."""
    contact = sandbox.contact()["id"]
    new = sandbox.do("/esu", {"contact": contact, "pause": "5s", "overlap": True})["record"]["id"]
    sandbox.advance("5s")
    held = [
        one for one in sandbox.truth(contact)["records"] if "credentialing_active_attested" in one["slots"]
    ]
    assert len(held) == 2
    sandbox.advance("5s")
    assert sandbox.records(contact)["credentialing_active_attested"]["id"] == new


def test_slots_told_by_property_and_by_being_the_only_one_are_filled_too(tmp_path: Path) -> None:
    """No label anywhere."""
    portal = PORTAL.replace('label = "Active Attested"', 'property = "stage"\nvalue = "attested"')
    portal = portal.replace('label = "Processing for Move"', 'property = "stage"\nvalue = "moving"')
    portal = portal.replace('label = "Current Address"', "only = true")
    with running(tmp_path, portal) as sandbox:
        contact = sandbox.contact()["id"]
        records = sandbox.records(contact)
        assert records["credentialing_relocation"]["properties"]["stage"] == "moving"
        assert records["therapist_address_current"]["labels"] == []
        labels = sandbox.hubspot.get("/crm/associations/2026-09/0-1/credentialing/labels").json()["results"]
        assert [label["label"] for label in labels] == [None]
        sandbox.do("/esu", {"contact": contact, "pause": 1})
        sandbox.advance(2)
        stages = [one["properties"].get("stage") for one in sandbox.truth(contact)["records"][:2]]
        assert None in stages
        assert sandbox.records(contact)["credentialing_active_attested"]["properties"]["stage"] == "attested"
