"""`/_sandbox/`: contacts in bulk, records changed by hand, the log and the truth."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.driver import Driver

SLOT = "credentialing_active_attested"


def test_a_contact_can_be_given_its_id_properties_slots_and_its_records_properties(sandbox: Driver) -> None:
    """All optional; the answer names the contact and every planned record."""
    made = sandbox.do(
        "/contacts",
        {
            "id": "237058651",
            "properties": {"firstname": "Ada", "credsync_url": "https://example.com/1"},
            "slots": [SLOT, "license.TX"],
            "records": {SLOT: {"npi": "1"}},
            "delay": "30s",
        },
        status=201,
    )
    assert made["id"] == "237058651"
    assert [(one["slot"], one["object"], one["due_in_s"]) for one in made["planned"]] == [
        (SLOT, "credentialing", 30.0),
        ("license.TX", "license", 30.0),
    ]
    assert len(sandbox.truth("237058651")["pending"]) == 2
    sandbox.advance("30s")
    truth = sandbox.truth("237058651")
    assert (truth["pending"], truth["properties"]["firstname"]) == ([], "Ada")
    assert sandbox.records("237058651")[SLOT]["properties"] == {"npi": "1"}
    assert {one["id"] for one in made["planned"]} == {one["id"] for one in truth["records"]}


def test_many_contacts_are_made_with_one_call(sandbox: Driver) -> None:
    """A list, a list under `contacts`, or a count."""
    assert len(sandbox.do("/contacts", [{}, {"id": "5"}])["contacts"]) == 2
    assert len(sandbox.do("/contacts", {"contacts": [{}, {}]})["contacts"]) == 2
    many = sandbox.do("/contacts", {"count": 1000, "quiet": True})["contacts"]
    assert len({one["id"] for one in many}) == 1000
    assert set(many[0]) == {"id"}
    totals = sandbox.do("/truth?contacts=false", method="GET")
    assert (totals["contacts_total"], totals["pending"]) == (1004, 3012)


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"surprise": 1}, 400, "surprise"),
        ({"id": "abc"}, 400, "id"),
        ({"delay": "soon"}, 400, "delay"),
        ({"delay": {"credentialing": "soon"}}, 400, "delay.credentialing"),
        ({"slots": ["nothing"]}, 400, "nothing"),
        ({"slots": ["license"]}, 400, "license_state"),
        ({"slots": ["license.NY"]}, 400, "credentialing"),
        ({"case": "X"}, 400, "case"),
        ({"licenses": [7]}, 400, "licenses"),
        ({"properties": {"nothing": "1"}}, 400, "nothing"),
        ({"properties": []}, 400, "properties"),
        ({"moving": "yes"}, 400, "moving"),
        ("text", 400, "body"),
    ],
)
def test_a_contact_that_makes_no_sense_is_refused_and_not_made(
    sandbox: Driver, body: Any, status: int, named: str
) -> None:
    """With the field's name."""
    assert named in sandbox.do("/contacts", body, status=status)["error"]
    assert sandbox.do("/truth", method="GET")["contacts"] == []


def test_an_id_or_an_address_that_is_taken_is_a_conflict(sandbox: Driver) -> None:
    """409."""
    sandbox.do("/contacts", {"id": "5", "properties": {"email": "a@example.com"}})
    sandbox.do("/contacts", {"id": "5"}, status=409)
    sandbox.do("/contacts", {"properties": {"email": "A@example.com"}}, status=409)


def test_records_are_deleted_unlinked_moved_doubled_and_edited_by_hand(sandbox: Driver) -> None:
    """What people and other automations do to a portal."""
    contact = sandbox.contact(licenses=["NY"])["id"]
    records = sandbox.records(contact)
    attested, moving = records[SLOT]["id"], records["credentialing_relocation"]["id"]

    def labelled() -> dict[int, list[str]]:
        results = sandbox.look(contact).json()["results"]
        return {
            one["toObjectId"]: [kind["label"] for kind in one["associationTypes"] if kind["label"]]
            for one in (results[0]["to"] if results else [])
        }

    moved = sandbox.do("/records/move", {"slot": SLOT, "to": moving})
    assert [one["id"] for one in moved["holders"]] == [moving]
    assert labelled()[int(attested)] == []
    assert sorted(labelled()[int(moving)]) == ["Active Attested", "Processing for Move"]
    sandbox.do("/records/move", {"slot": SLOT, "to": attested, "keep": True})
    assert sum("Active Attested" in labels for labels in labelled().values()) == 2
    sandbox.do("/records/unmark", {"slot": SLOT, "id": moving})
    assert labelled()[int(moving)] == ["Processing for Move"]

    double = sandbox.do("/records/create", {"contact": contact, "slot": SLOT, "properties": {"npi": "2"}})
    assert double["slots"] == [SLOT]
    assert len(labelled()) == 3
    sandbox.do("/records/unlink", {"id": double["id"]})
    assert len(labelled()) == 2
    sandbox.do("/records/link", {"id": double["id"], "parent": contact, "slot": SLOT})
    assert labelled()[int(double["id"])] == ["Active Attested"]

    edited = sandbox.do("/records/edit", {"id": attested, "properties": {"npi": "9"}})
    assert (edited["properties"]["npi"], edited["writes"], edited["written"]) == ("9", 0, {})
    merged = sandbox.do("/records/merge", {"primary": attested, "other": double["id"]})
    assert merged["merged"] == [attested, double["id"]]
    assert set(labelled()) == {int(merged["id"]), int(moving)}
    gone = sandbox.do("/records/delete", {"id": moving})
    assert gone["archived_at"]
    assert set(labelled()) == {int(merged["id"])}
    for bad in ({"id": "1"}, {"id": merged["id"], "extra": 1}, {}):
        assert "error" in sandbox.do("/records/delete", bad, status=404 if bad.get("id") == "1" else 400)


def test_the_log_counts_hubspot_calls_by_kind_and_not_the_sandboxs_own(sandbox: Driver) -> None:
    """Number of inputs, status, sizes, correlation id; `since`, `kind`, `limit`, reset."""
    contact = sandbox.contact()
    sandbox.look(contact["id"], "5")
    answer = sandbox.update(contact["planned"][0]["id"], npi="1")
    sandbox.hubspot.get("/crm-object-schemas/2026-09/schemas")
    sandbox.hubspot.get("/account-info/v3/details")
    told = sandbox.do("/requests", method="GET")
    assert [(one["seq"], one["kind"], one["inputs"], one["status"]) for one in told["requests"]] == [
        (1, "associations", 2, 200),
        (2, "objects", 1, 200),
        (3, "schema", 1, 200),
        (4, "account", 1, 200),
    ]
    second = told["requests"][1]
    assert second["correlation_id"] == answer.headers["X-HubSpot-Correlation-Id"]
    assert (second["bytes_in"], second["bytes_out"]) == (len(answer.request.content), len(answer.content))
    assert (second["method"], second["path"]) == ("POST", "/crm/objects/2026-09/credentialing/batch/update")
    for moment in ("at", "sandbox_at"):
        assert datetime.fromisoformat(second[moment]).utcoffset() is not None
    assert [one["seq"] for one in sandbox.do("/requests?since=2&limit=1", method="GET")["requests"]] == [3]
    assert [one["seq"] for one in sandbox.do("/requests?kind=objects", method="GET")["requests"]] == [2]
    summary = sandbox.summary()
    assert summary["total"] == 4
    assert summary["by_kind"] == {"associations": 1, "objects": 1, "schema": 1, "account": 1}
    assert summary["inputs"]["associations"] == 2
    assert summary["by_call"]["POST objects batch/update"] == 1
    assert sandbox.do("/requests", method="DELETE") == {"removed": 4}
    assert sandbox.summary()["total"] == 0
    sandbox.look("5")
    assert [one["seq"] for one in sandbox.do("/requests", method="GET")["requests"]] == [5]


def test_the_truth_has_every_record_with_its_writes_and_when_each_property_was_written(
    sandbox: Driver,
) -> None:
    """Wall time; a refused write is none."""
    contact = sandbox.contact()["id"]
    record = sandbox.records(contact)[SLOT]["id"]
    for values in ({"npi": "1"}, {"npi": "2", "weekly": "3"}, {"medicare": "bad"}):
        sandbox.update(record, **values)
    told = sandbox.records(contact)[SLOT]
    assert (told["writes"], set(told["written"])) == (2, {"npi", "weekly"})
    assert told["written"]["npi"] == told["written"]["weekly"]
    assert told["created_at"] <= told["visible_at"] <= told["first_written_at"] < told["written"]["npi"]
    assert told["properties"] == {"npi": "2", "weekly": "3"}
    everything = sandbox.do("/truth", method="GET")
    assert [one["id"] for one in everything["contacts"]] == [contact]
    assert everything["contacts"][0]["records"] == sandbox.truth(contact)["records"]
    assert everything["by_object"] == {"contact": 1, "credentialing": 2, "therapist_address": 1}
    sandbox.do("/truth/contacts/5", method="GET", status=404)


def test_the_truth_can_be_read_in_pages(sandbox: Driver) -> None:
    """`limit` and `after`."""
    ids = sorted((one["id"] for one in sandbox.do("/contacts", {"count": 5})["contacts"]), key=int)
    seen: list[str] = []
    after: str | None = "0"
    while after is not None:
        page = sandbox.do(f"/truth?limit=2&after={after}", method="GET")
        seen += [one["id"] for one in page["contacts"]]
        after = page["next"]
    assert seen == ids


def test_settings_are_told_changed_and_checked(sandbox: Driver) -> None:
    """Unknown ones and wrong types are refused."""
    assert sandbox.do("/settings", {"latency": 0.01}, method="PUT")["latency"] == 0.01
    for bad in (
        {"surprise": 1},
        {"latency": "x"},
        {"calls_per_10s": -1},
        {"tokens": [1]},
        {"trace_errors": 1},
    ):
        sandbox.do("/settings", bad, method="PUT", status=400)
    assert sandbox.do("/settings", method="GET")["calls_per_10s"] == 190


def test_properties_and_labels_come_and_go_while_it_runs(sandbox: Driver) -> None:
    """As an administrator would change the portal."""
    record = sandbox.contact()["planned"][0]["id"]
    sandbox.do("/schema", {"object": "credentialing", "property": "npi"}, method="DELETE")
    assert sandbox.update(record, npi="1").status_code == 400
    number = {"name": "npi", "type": "number", "fieldType": "number", "label": "NPI"}
    sandbox.do("/schema", {"object": "credentialing", "property": number}, method="PUT")
    assert sandbox.update(record, npi="x").json()["errors"][0]["code"] == "INVALID_LONG"
    path = "/crm/associations/2026-09/0-1/credentialing/labels"
    sandbox.do("/schema", {"object": "credentialing", "label": "Active Attested"}, method="DELETE")
    assert {one["label"] for one in sandbox.hubspot.get(path).json()["results"]} == {
        None,
        "Processing for Move",
    }
    sandbox.do("/schema", {"object": "credentialing", "label": "Archived"}, method="PUT")
    assert "Archived" in {one["label"] for one in sandbox.hubspot.get(path).json()["results"]}
    sandbox.do("/schema", {"object": "nothing", "label": "X"}, method="PUT", status=400)


def test_what_is_not_there_is_told_as_such(sandbox: Driver) -> None:
    """404 and 405 under `/_sandbox/` too."""
    assert sandbox.control.get("/nothing").status_code == 404
    assert sandbox.control.put("/contacts").status_code == 405
    assert sandbox.control.post("/contacts", content=b"{").status_code == 400
