"""Records read and written: typed values, whole-batch refusals, partial failures, merges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.driver import VERSIONS, Driver, objects_path


def credentialing(sandbox: Driver) -> str:
    """A record that is there."""
    record: str = sandbox.contact(slots=["credentialing_active_attested"])["planned"][0]["id"]
    return record


@pytest.mark.parametrize("version", VERSIONS)
def test_an_update_answers_each_record_with_its_creation_time_and_what_was_written(
    sandbox: Driver, version: str
) -> None:
    """Keyed by id; the order of inputs is not kept."""
    ids = [credentialing(sandbox) for _ in range(4)]
    inputs = [{"id": one, "properties": {"npi": one}, "objectWriteTraceId": f"t-{one}"} for one in ids]
    answer = sandbox.objects("update", inputs, version=version)
    assert answer.status_code == 200
    results = {one["id"]: one for one in answer.json()["results"]}
    assert set(results) == set(ids)
    one = results[ids[0]]
    assert one["properties"]["npi"] == ids[0]
    assert one["createdAt"] == one["properties"]["hs_createdate"]
    assert one["updatedAt"] >= one["createdAt"]
    assert one["archived"] is False
    assert one["objectWriteTraceId"] == f"t-{ids[0]}"


def test_results_come_in_an_order_of_their_own(sandbox: Driver) -> None:
    """Everything is there, but not as it was asked for: nobody may count along."""
    ids = [credentialing(sandbox) for _ in range(8)]
    looked = sandbox.look(*[one["id"] for one in sandbox.do("/truth", method="GET")["contacts"]]).json()
    orders = [[str(one["to"][0]["toObjectId"]) for one in looked["results"]]]
    for verb in ("read", "update"):
        inputs = [{"id": one} | ({"properties": {"npi": "1"}} if verb == "update" else {}) for one in ids]
        orders.append([one["id"] for one in sandbox.objects(verb, inputs).json()["results"]])
    for order in orders:
        assert order != ids
        assert sorted(order) == sorted(ids)


@pytest.mark.parametrize(("version", "status"), [("v3", 207), ("2026-03", 207), ("2026-09", 200)])
def test_unknown_ids_are_one_error_item_and_the_others_are_written(
    sandbox: Driver, version: str, status: int
) -> None:
    """`context.ids` names all of them."""
    record = credentialing(sandbox)
    inputs = [{"id": one, "properties": {"npi": "5"}} for one in ("7", record, "8")]
    answer = sandbox.objects("update", inputs, version=version)
    assert answer.status_code == status
    body = answer.json()
    assert [one["id"] for one in body["results"]] == [record]
    assert body["numErrors"] == 1
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"] == {"ids": ["7", "8"]}
    read = sandbox.objects("read", [{"id": record}, {"id": "7"}], version=version, properties=["npi"])
    assert read.status_code == status
    assert read.json()["results"][0]["properties"]["npi"] == "5"
    assert read.json()["errors"][0]["context"]["ids"] == ["7"]


def test_one_bad_value_fails_the_whole_batch_and_the_full_list_is_in_the_message(sandbox: Driver) -> None:
    """`errors[]` is shortened, the JSON text in `message` is not; nothing says which input."""
    sandbox.do("/settings", {"errors_listed": 2}, method="PUT")
    good, bad = credentialing(sandbox), credentialing(sandbox)
    wrong = {
        "npx": "1",
        "medicare": "Maybe",
        "weekly": "many",
        "submitted_on": "tomorrow",
        "hs_object_id": "1",
    }
    inputs: list[Any] = [{"id": good, "properties": {"npi": "1"}}, {"id": bad, "properties": wrong}]
    answer = sandbox.objects("update", inputs)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["category"]) == ("error", "VALIDATION_ERROR")
    assert body["correlationId"] == answer.headers["X-HubSpot-Correlation-Id"]
    opening = "Property values were not valid: "
    assert body["message"].startswith(opening)
    told = {one["name"]: one["error"] for one in json.loads(body["message"].removeprefix(opening))}
    assert told == {
        "npx": "PROPERTY_DOESNT_EXIST",
        "medicare": "INVALID_OPTION",
        "weekly": "INVALID_LONG",
        "submitted_on": "INVALID_DATE",
        "hs_object_id": "READ_ONLY_VALUE",
    }
    assert [error["context"]["propertyName"] for error in body["errors"]] == [["npx"], ["medicare"]]
    assert good not in answer.text
    assert (
        sandbox.objects("read", [{"id": good}], properties=["npi"]).json()["results"][0]["properties"]["npi"]
        is None
    )


def test_with_trace_ids_a_bad_value_can_fail_its_own_input_only(sandbox: Driver) -> None:
    """A setting, since HubSpot may do either; without a trace id on every input it is the whole batch."""
    sandbox.do("/settings", {"trace_errors": True}, method="PUT")
    good, bad = credentialing(sandbox), credentialing(sandbox)
    inputs: list[Any] = [
        {"id": good, "properties": {"npi": "1"}, "objectWriteTraceId": "a"},
        {"id": bad, "properties": {"medicare": "Maybe"}, "objectWriteTraceId": "b"},
        {"id": "7", "properties": {"npi": "1"}, "objectWriteTraceId": "c"},
    ]
    answer = sandbox.objects("update", inputs, version="2026-03")
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == [good]
    errors = answer.json()["errors"]
    assert [error["context"]["objectWriteTraceId"] for error in errors] == [["b"], ["c"]]
    assert errors[0]["errors"][0]["code"] == "INVALID_OPTION"
    del inputs[0]["objectWriteTraceId"]
    assert sandbox.objects("update", inputs, version="2026-03").status_code == 400


def test_an_id_twice_in_a_batch_fails_all_of_it(sandbox: Driver) -> None:
    """HubSpot: ids must be unique."""
    record = credentialing(sandbox)
    answer = sandbox.objects(
        "update", [{"id": record, "properties": {"npi": str(each)}} for each in range(2)]
    )
    assert answer.status_code == 400
    assert record in answer.json()["message"]


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("npi", " text, as it is ", " text, as it is "),
        ("npi", "x" * 65_536, "x" * 65_536),
        ("weekly", "12", "12"),
        ("weekly", 12, "12"),
        ("weekly", "-1.5", "-1.5"),
        ("submitted_on", "2024-02-29", "2024-02-29"),
        ("submitted_on", "1709164800000", "2024-02-29"),
        ("attested_at", "2024-02-29T10:00:00+01:00", "2024-02-29T09:00:00.000Z"),
        ("attested_at", "1709164800001", "2024-02-29T00:00:00.001Z"),
        ("medicare", "Yes", "Yes"),
        ("specialties", "Trauma;Anxiety", "Trauma;Anxiety"),
        ("agreed", "true", "true"),
        ("agreed", False, "false"),
    ],
)
def test_a_value_of_the_propertys_type_is_kept(sandbox: Driver, name: str, given: Any, kept: str) -> None:
    """Dates as dates, moments in UTC, options by their internal value; then null and empty clear it."""
    record = credentialing(sandbox)
    clears: tuple[Any, ...] = (None, "")
    for clear in clears:
        assert sandbox.update(record, **{name: given}).status_code == 200
        read = sandbox.objects("read", [{"id": record}], properties=[name]).json()["results"][0]
        assert read["properties"][name] == kept
        assert sandbox.update(record, **{name: clear}).status_code == 200
        read = sandbox.objects("read", [{"id": record}], properties=[name]).json()["results"][0]
        assert read["properties"][name] is None


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("npi", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
        ("weekly", "1,000", "INVALID_LONG"),
        ("weekly", "NaN", "INVALID_LONG"),
        ("weekly", " 12", "LEADING_TRAILING_WHITESPACE"),
        ("submitted_on", "2023-02-29", "INVALID_DATE"),
        ("submitted_on", "02/28/2023", "INVALID_DATE"),
        ("submitted_on", "1709164800001", "INVALID_DATE"),
        ("submitted_on", "2024-02-29T00:00:00Z", "INVALID_DATE"),
        ("submitted_on", "99999999999999999986400000", "INVALID_DATE"),
        ("attested_at", "2024-02-29T10:00:00", "INVALID_DATE"),
        ("attested_at", "now", "INVALID_DATE"),
        ("medicare", "yes", "INVALID_OPTION"),
        ("medicare", "Yes;No", "INVALID_OPTION"),
        ("medicare", "Yes ", "LEADING_TRAILING_WHITESPACE"),
        ("specialties", "Trauma; Anxiety", "INVALID_OPTION"),
        ("specialties", "Trauma;", "INVALID_OPTION"),
        ("agreed", "True", "INVALID_OPTION"),
        ("agreed", "1", "INVALID_OPTION"),
        ("hs_createdate", "2024-01-01", "READ_ONLY_VALUE"),
        ("nothing", "1", "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_code(
    sandbox: Driver, name: str, given: str, code: str
) -> None:
    """In batches and on single updates alike."""
    record = credentialing(sandbox)
    path = f"/crm/objects/2026-09/credentialing/{record}"
    for answer in (
        sandbox.update(record, **{name: given}),
        sandbox.hubspot.patch(path, json={"properties": {name: given}}),
    ):
        assert answer.status_code == 400
        assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"inputs": [{"id": "1", "properties": {"npi": "1"}, "extra": 1}]}, "extra"),
        ({"inputs": [{"id": "1", "properties": {"npi": "1"}}], "idProperty": "npi"}, "idProperty"),
        ({"inputs": [{"id": "1", "properties": {"npi": "1"}, "idProperty": "hs_object_id"}]}, "hs_object_id"),
        ({"inputs": [{"id": "1"}]}, "properties"),
        ({"inputs": [{"id": "abc", "properties": {"npi": "1"}}]}, "abc"),
        ({"inputs": [{"id": "1", "properties": {}}]}, "No properties"),
        ({"inputs": [{"id": "1", "properties": {"npi": ["1"]}}]}, "npi"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [{"id": str(one), "properties": {"npi": "1"}} for one in range(101)]}, "101"),
        ([], "body"),
        ({}, "inputs"),
    ],
)
def test_what_the_call_does_not_take_is_400_and_named(sandbox: Driver, body: Any, named: str) -> None:
    """A body field too many, one too few, a wrong shape, too many inputs."""
    answer = sandbox.hubspot.post("/crm/objects/2026-09/credentialing/batch/update", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert answer.json()["category"] == "VALIDATION_ERROR"


def test_unknown_query_parameters_broken_json_and_unknown_paths_are_refused(sandbox: Driver) -> None:
    """Each by name."""
    parameter = sandbox.hubspot.post("/crm/objects/2026-09/credentialing/batch/read?limit=3", json={})
    assert (parameter.status_code, "limit" in parameter.json()["message"]) == (400, True)
    path = "/crm/objects/2026-09/credentialing/batch/update"
    for broken in (b'{"inputs": [', b'{"inputs": NaN}', b"[" * 100_000, b"\xff"):
        answer = sandbox.hubspot.post(path, content=broken)
        assert (answer.status_code, "Invalid input JSON" in answer.json()["message"]) == (400, True)
    for method, path in (
        ("GET", "/crm/objects/2025-09/contacts"),
        ("GET", "/crm/v4/objects/contacts"),
        ("PUT", "/crm/objects/2026-09/contacts/1"),
        ("GET", "/"),
    ):
        assert sandbox.hubspot.request(method, path).status_code == 404, path


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_is_read_created_changed_listed_and_archived_by_itself(
    sandbox: Driver, version: str
) -> None:
    """GET, POST, PATCH, list with pages, DELETE."""
    base = f"{objects_path(version)}/credentialing"
    made = [sandbox.hubspot.post(base, json={"properties": {"npi": str(number)}}) for number in range(3)]
    assert {one.status_code for one in made} == {201}
    record = made[0].json()["id"]
    changed = sandbox.hubspot.patch(f"{base}/{record}", json={"properties": {"npi": "9"}})
    assert changed.json()["properties"]["npi"] == "9"
    read = sandbox.hubspot.get(f"{base}/{record}?properties=npi,weekly&propertiesWithHistory=npi").json()
    assert read["properties"]["npi"] == "9"
    assert read["properties"]["weekly"] is None
    assert read["propertiesWithHistory"]["npi"][0]["value"] == "9"
    seen: list[str] = []
    after = "0"
    while after:
        page = sandbox.hubspot.get(base, params={"limit": 2, "after": after}).json()
        seen += [one["id"] for one in page["results"]]
        after = page.get("paging", {}).get("next", {}).get("after")
    assert sorted(seen) == sorted(one.json()["id"] for one in made)
    assert sandbox.hubspot.delete(f"{base}/{record}").status_code == 204
    assert sandbox.hubspot.get(f"{base}/{record}").status_code == 404
    assert sandbox.hubspot.get(f"{base}/{record}?archived=true").json()["archived"] is True
    assert sandbox.objects("archive", [{"id": seen[1]}], version=version).status_code == 204


def test_the_associations_of_a_record_come_along_when_asked_for(sandbox: Driver) -> None:
    """`?associations=`"""
    contact = sandbox.contact()
    read = sandbox.hubspot.get(f"/crm/v3/objects/contacts/{contact['id']}?associations=credentialing").json()
    ids = {one["id"] for one in read["associations"]["credentialings"]["results"]}
    assert ids == {one["id"] for one in contact["planned"] if one["object"] == "credentialing"}


def test_a_contact_with_a_taken_address_is_a_conflict(sandbox: Driver) -> None:
    """409 naming the contact that has it."""
    first = sandbox.contact(properties={"email": "a@example.com"})["id"]
    path = "/crm/objects/2026-09/contacts"
    answer = sandbox.hubspot.post(path, json={"properties": {"email": "A@example.com"}})
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert first in answer.json()["message"]


def test_a_merge_makes_a_new_id_that_old_ids_lead_to_on_single_calls_but_not_in_batches(
    sandbox: Driver,
) -> None:
    """Records of both hang on the new one; `hs_merged_object_ids` names the old ones."""
    one, two = (
        sandbox.contact(properties={"firstname": "A"})["id"],
        sandbox.contact(properties={"lastname": "B"})["id"],
    )
    merged = sandbox.hubspot.post(
        "/crm/objects/2026-09/contacts/merge", json={"primaryObjectId": one, "objectIdToMerge": two}
    ).json()
    new = merged["id"]
    assert new not in (one, two)
    assert merged["properties"]["hs_merged_object_ids"] == f"{one};{two}"
    for old in (one, two, new):
        read = sandbox.hubspot.get(
            f"/crm/objects/2026-09/contacts/{old}?properties=firstname,lastname"
        ).json()
        assert (read["id"], read["properties"]["firstname"], read["properties"]["lastname"]) == (
            new,
            "A",
            "B",
        )
        path = f"/crm/objects/2026-09/contacts/{old}"
        assert sandbox.hubspot.patch(path, json={"properties": {"phone": "1"}}).json()["id"] == new
    read_all = sandbox.objects("read", [{"id": each} for each in (one, two, new)], "contacts").json()
    assert [each["id"] for each in read_all["results"]] == [new]
    assert read_all["errors"][0]["context"]["ids"] == [one, two]
    looked = sandbox.look(one, new).json()
    assert [each["from"]["id"] for each in looked["results"]] == [new]
    assert len(looked["results"][0]["to"]) == 4


def test_a_workflow_of_a_merged_contact_fills_the_one_it_became(sandbox: Driver) -> None:
    """Records that come after the merge hang on the new contact."""
    one, two = sandbox.do("/contacts")["id"], sandbox.do("/contacts", {"slots": []})["id"]
    new = sandbox.do("/records/merge", {"primary": two, "other": one})["id"]
    sandbox.advance("2m")
    assert len(sandbox.look(new).json()["results"][0]["to"]) == 2
    assert sandbox.truth(one)["id"] == new


def test_rules_an_administrator_set_are_enforced_from_2026_09_on(sandbox: Driver) -> None:
    """A conditionally required property."""
    rule = {"object": "credentialing", "when": {"medicare": "Yes"}, "require": ["npi"]}
    sandbox.do("/settings", {"rules": [rule]}, method="PUT")
    record = credentialing(sandbox)
    assert sandbox.update(record, version="2026-03", medicare="Yes").status_code == 200
    refused = sandbox.update(record, medicare="Yes")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["context"]["propertyName"] == ["npi"]
    assert sandbox.update(record, medicare="Yes", npi="1").status_code == 200


def test_search_is_there_and_late(sandbox: Driver) -> None:
    """Its index sees a record ten seconds after it was made."""
    record = credentialing(sandbox)
    body = {
        "filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": record}]}]
    }
    path = "/crm/objects/2026-09/credentialing/search"
    assert sandbox.hubspot.post(path, json=body).json()["total"] == 0
    sandbox.advance("11s")
    assert sandbox.hubspot.post(path, json=body).json()["results"][0]["id"] == record
    body["sorts"] = [{}]
    assert sandbox.hubspot.post(path, json=body).status_code == 400
