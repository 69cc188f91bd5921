"""Associations, read and written as HubSpot does."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import VERSIONS, Driver


@pytest.mark.parametrize("version", VERSIONS)
def test_ids_are_strings_at_the_near_end_and_numbers_at_the_far_end(sandbox: Driver, version: str) -> None:
    """`from.id` and `toObjectId`; every association carries the unlabelled type."""
    contact = sandbox.contact(id="237058651")
    answer = sandbox.look("237058651", version=version)
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "results", "startedAt", "completedAt"}
    result = answer.json()["results"][0]
    assert result["from"] == {"id": "237058651"}
    wanted = {int(one["id"]) for one in contact["planned"] if one["object"] == "credentialing"}
    assert {one["toObjectId"] for one in result["to"]} == wanted
    labels = sorted(str(kind["label"]) for one in result["to"] for kind in one["associationTypes"])
    assert labels == ["Active Attested", "None", "None", "Processing for Move"]
    assert {kind["category"] for one in result["to"] for kind in one["associationTypes"]} == {"USER_DEFINED"}


@pytest.mark.parametrize(("version", "status"), [("v3", 207), ("2026-03", 207), ("2026-09", 200)])
def test_who_has_nothing_is_an_error_item_in_a_207_or_folded_into_a_200(
    sandbox: Driver, version: str, status: int
) -> None:
    """A contact without records and one that does not exist look the same."""
    there, empty = sandbox.contact()["id"], sandbox.contact(slots=[])["id"]
    answer = sandbox.look(there, empty, "999", version=version)
    assert answer.status_code == status
    body = answer.json()
    assert [one["from"]["id"] for one in body["results"]] == [there]
    assert body["numErrors"] == 2
    assert [error["context"]["fromObjectId"] for error in body["errors"]] == [[empty], ["999"]]
    error = body["errors"][0]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert (error["category"], error["status"]) == ("OBJECT_NOT_FOUND", "error")
    assert error["message"] == f"No credentialing is associated with contact {empty}."


def test_pages_are_per_input_and_go_on_where_they_stopped(sandbox: Driver) -> None:
    """`paging.next.after` of one input, sent back beside its id."""
    sandbox.do("/settings", {"association_page_size": 1}, method="PUT")
    contact = sandbox.contact()
    wanted = {int(one["id"]) for one in contact["planned"] if one["object"] == "credentialing"}
    first = sandbox.look(contact["id"]).json()["results"][0]
    second = sandbox.look(contact["id"], after=first["paging"]["next"]["after"]).json()["results"][0]
    assert {first["to"][0]["toObjectId"], second["to"][0]["toObjectId"]} == wanted
    assert "paging" not in second


@pytest.mark.parametrize("name", ["0-1", "contact", "contacts", "CONTACTS"])
@pytest.mark.parametrize("to", ["credentialing", "p1234567_credentialing", "p_credentialing"])
def test_an_object_type_is_found_by_any_of_its_names(sandbox: Driver, name: str, to: str) -> None:
    """Its id too."""
    contact = sandbox.contact()["id"]
    type_id = sandbox.do("/health", method="GET")["objects"]["credentialing"]
    for far in (to, type_id):
        path = f"/crm/associations/2026-09/{name}/{far}/batch/read"
        assert sandbox.hubspot.post(path, json={"inputs": [{"id": contact}]}).json()["results"]


def test_a_look_takes_a_thousand_contacts_and_not_one_more(sandbox: Driver) -> None:
    """HubSpot's own limit on inputs."""
    ids = [str(number) for number in range(1, 1002)]
    assert sandbox.look(*ids[:1000]).status_code == 200
    refused = sandbox.look(*ids)
    assert refused.status_code == 400
    assert "1000" in refused.json()["message"]


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_are_listed_per_direction_with_ids_of_their_own(sandbox: Driver, version: str) -> None:
    """The same labels from the other end have other type ids."""
    base = "/crm/v4/associations" if version == "v3" else f"/crm/associations/{version}"
    there = sandbox.hubspot.get(f"{base}/0-1/credentialing/labels").json()["results"]
    back = sandbox.hubspot.get(f"{base}/credentialing/0-1/labels").json()["results"]
    assert {one["label"] for one in there} == {None, "Active Attested", "Processing for Move"}
    assert {one["label"] for one in back} == {one["label"] for one in there}
    assert not {one["typeId"] for one in there} & {one["typeId"] for one in back}


def test_labels_are_put_on_and_taken_off_one_association_at_a_time(sandbox: Driver) -> None:
    """PUT default, PUT with types, batch/labels/archive, DELETE."""
    contact = sandbox.contact(slots=[])["id"]
    record = sandbox.objects("create", [{"properties": {"npi": "1"}}]).json()["results"][0]["id"]
    base = f"/crm/objects/2026-09/0-1/{contact}/associations"
    plain = sandbox.hubspot.put(f"{base}/default/credentialing/{record}")
    assert plain.json()["results"][0]["associationSpec"]["associationCategory"] == "USER_DEFINED"
    labels = sandbox.hubspot.get("/crm/associations/2026-09/0-1/credentialing/labels").json()["results"]
    kind = next(one for one in labels if one["label"] == "Active Attested")
    spec = {"associationCategory": kind["category"], "associationTypeId": kind["typeId"]}
    labelled = sandbox.hubspot.put(f"{base}/credentialing/{record}", json=[spec])
    assert (labelled.status_code, labelled.json()["labels"]) == (201, ["Active Attested"])
    assert list(sandbox.records(contact)) == ["credentialing_active_attested"]
    one = {"from": {"id": contact}, "to": {"id": record}, "types": [spec]}
    archived = sandbox.hubspot.post(
        "/crm/associations/2026-09/0-1/credentialing/batch/labels/archive", json={"inputs": [one]}
    )
    assert archived.status_code == 204
    assert sandbox.records(contact)[record]["labels"] == []
    assert sandbox.hubspot.get(f"{base}/credentialing").json()["results"][0]["toObjectId"] == int(record)
    assert sandbox.hubspot.delete(f"{base}/credentialing/{record}").status_code == 204
    assert sandbox.look(contact).json()["results"] == []


def test_batches_make_and_end_associations(sandbox: Driver) -> None:
    """batch/create with types, batch/associate/default, batch/archive with a list at the far end."""
    contact = sandbox.contact(slots=[])["id"]
    made = sandbox.objects("create", [{"properties": {"npi": str(number)}} for number in range(2)]).json()
    first, second = (one["id"] for one in made["results"])
    base = "/crm/v4/associations/contacts/credentialing/batch"
    labels = sandbox.hubspot.get("/crm/v4/associations/contacts/credentialing/labels").json()["results"]
    type_id = next(one["typeId"] for one in labels if one["label"] == "Processing for Move")
    inputs = [
        {"from": {"id": contact}, "to": {"id": to}, "types": [{"associationTypeId": type_id}]}
        for to in (first, "7")
    ]
    created = sandbox.hubspot.post(f"{base}/create", json={"inputs": inputs})
    assert created.status_code == 207
    assert created.json()["results"][0]["labels"] == ["Processing for Move"]
    assert created.json()["errors"][0]["context"]["ids"] == ["7"]
    plain = {"inputs": [{"from": {"id": contact}, "to": {"id": second}}]}
    assert sandbox.hubspot.post(f"{base}/associate/default", json=plain).status_code == 200
    assert len(sandbox.look(contact).json()["results"][0]["to"]) == 2
    ended = {"inputs": [{"from": {"id": contact}, "to": [{"id": first}, {"id": second}]}]}
    assert sandbox.hubspot.post(f"{base}/archive", json=ended).status_code == 204
    assert sandbox.look(contact).json()["results"] == []


def test_a_record_can_be_made_together_with_its_association(sandbox: Driver) -> None:
    """`associations` of a create call."""
    contact = sandbox.contact(slots=[])["id"]
    labels = sandbox.hubspot.get("/crm/associations/2026-09/credentialing/0-1/labels").json()["results"]
    type_id = next(one["typeId"] for one in labels if one["label"] == "Active Attested")
    body = {
        "properties": {"npi": "1"},
        "associations": [{"to": {"id": contact}, "types": [{"associationTypeId": type_id}]}],
    }
    assert sandbox.hubspot.post("/crm/objects/2026-09/credentialing", json=body).status_code == 201
    assert list(sandbox.records(contact)) == ["credentialing_active_attested"]


def test_types_that_cannot_be_associated_or_do_not_exist_are_400(sandbox: Driver) -> None:
    """An unknown object type, a pair without a definition, a type id of another direction."""
    for path in ("0-1/nothing", "0-1/contacts", "license/therapist_address"):
        answer = sandbox.hubspot.post(
            f"/crm/associations/2026-09/{path}/batch/read", json={"inputs": [{"id": "1"}]}
        )
        assert answer.status_code == 400, path
        assert answer.json()["category"] == "VALIDATION_ERROR"
    contact = sandbox.contact()
    path = (
        f"/crm/objects/2026-09/0-1/{contact['id']}/associations/credentialing/{contact['planned'][0]['id']}"
    )
    assert sandbox.hubspot.put(path, json=[{"associationTypeId": 1}]).status_code == 400
