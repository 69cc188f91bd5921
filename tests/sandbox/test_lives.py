"""Ids with a life: merged, deleted, restored, made again, labelled anew, moved to another parent, erased.

Each by a `/_sandbox/` call, each with what HubSpot's calls then say of old ids and new ones, and with its webhooks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from tests.sandbox.driver import Driver, running

SLOT, MOVE = "credentialing_active_attested", "credentialing_relocation"
OBJECTS = "/crm/objects/2026-09"


class Told:
    """The webhook events a sandbox would send, in order, since they were last asked for."""

    def __init__(self, sandbox: Driver) -> None:
        sandbox.do("/webhooks", {"url": "http://127.0.0.1:9/", "secret": "s"})
        self._world = sandbox.app.sandbox.world

    def events(self) -> list[dict[str, Any]]:
        """Those since the last time."""
        events, self._world.events = self._world.events or [], []
        return events

    def kinds(self) -> list[tuple[str, str, int | None, bool | None]]:
        """Type, object type, object id (of an association the near end) and whether an association ended."""
        return [
            (
                event["subscriptionType"],
                event["objectTypeId"],
                event.get("objectId", event.get("fromObjectId")),
                event.get("associationRemoved"),
            )
            for event in self.events()
        ]


def type_of(sandbox: Driver, key: str) -> str:
    """An object's type id."""
    found: str = sandbox.do("/health", method="GET")["objects"][key]
    return found


def status_of(sandbox: Driver, kind: str, record: str, **query: str) -> int:
    """What a single read answers."""
    return sandbox.hubspot.get(f"{OBJECTS}/{kind}/{record}", params=query).status_code


def looked(sandbox: Driver, contact: str) -> set[str]:
    """The Credentialings a look finds."""
    results = sandbox.look(contact).json()["results"]
    return {str(one["toObjectId"]) for one in results[0]["to"]} if results else set()


def ends(kind: str, record: int, other_kind: str, other: int, *, removed: bool) -> set[Any]:
    """An association's change, told from both its ends."""
    change = "object.associationChange"
    return {(change, kind, record, removed), (change, other_kind, other, removed)}


def test_a_merged_contact_has_a_new_id_and_its_old_ids_lead_to_it_in_single_reads_and_writes(
    sandbox: Driver,
) -> None:
    """Not in batches; `hs_merged_object_ids` lists them; what hung on either hangs on it; once told as `object.merge`."""
    one, two = sandbox.contact(properties={"phone": "1"})["id"], sandbox.contact(slots=[SLOT])["id"]
    records = looked(sandbox, one) | looked(sandbox, two)
    told = Told(sandbox)
    new = sandbox.do("/records/merge", {"primary": one, "other": two})["id"]
    [event] = told.events()
    assert event["subscriptionType"] == "object.merge"
    assert (event["objectId"], event["newObjectId"]) == (int(new), int(new))
    assert (event["primaryObjectId"], event["mergedObjectIds"]) == (int(one), [int(two)])
    assert event["numberOfPropertiesMoved"] == 0
    assert looked(sandbox, new) == records
    assert looked(sandbox, one) == looked(sandbox, two) == set()
    for old in (one, two):
        read = sandbox.hubspot.get(f"{OBJECTS}/0-1/{old}?properties=hs_merged_object_ids").json()
        assert (read["id"], read["properties"]["hs_merged_object_ids"]) == (new, f"{one};{two}")
        wrote = sandbox.hubspot.patch(f"{OBJECTS}/0-1/{old}", json={"properties": {"city": old}})
        assert wrote.json()["id"] == new
    inputs = [{"id": old, "properties": {"city": "X"}} for old in (one, two)]
    wrote = sandbox.objects("update", inputs, "0-1")
    assert (wrote.json()["results"], wrote.json()["errors"][0]["context"]["ids"]) == ([], [one, two])


def test_a_merged_contact_can_be_merged_again_and_every_id_it_ever_had_leads_to_it(sandbox: Driver) -> None:
    """Three ids, then five."""
    first = [sandbox.contact(slots=[])["id"] for _ in range(3)]
    middle = sandbox.do("/records/merge", {"primary": first[0], "other": first[1]})["id"]
    last = sandbox.do("/records/merge", {"primary": middle, "other": first[2]})["id"]
    read = sandbox.hubspot.get(f"{OBJECTS}/0-1/{first[0]}?properties=hs_merged_object_ids").json()
    assert read["id"] == last
    assert set(read["properties"]["hs_merged_object_ids"].split(";")) == {*first, middle}
    assert {sandbox.hubspot.get(f"{OBJECTS}/0-1/{old}").json()["id"] for old in (*first, middle)} == {last}


def test_a_deleted_record_is_missing_everywhere_and_told(sandbox: Driver) -> None:
    """404 by itself, an error item in a batch, no association; `object.deletion` and the association's end."""
    contact = sandbox.contact(slots=[SLOT])["id"]
    record = sandbox.records(contact)[SLOT]["id"]
    told, kind = Told(sandbox), type_of(sandbox, "credentialing")
    sandbox.do("/records/delete", {"id": record})
    wanted = ends("0-1", int(contact), kind, int(record), removed=True)
    assert set(told.kinds()) == {("object.deletion", kind, int(record), None)} | wanted
    assert status_of(sandbox, kind, record) == 404
    assert status_of(sandbox, kind, record, archived="true") == 200
    assert sandbox.update(record, npi="1").json()["errors"][0]["context"]["ids"] == [record]
    assert looked(sandbox, contact) == set()


def test_a_restored_record_is_what_it_was_under_its_id_with_its_associations(sandbox: Driver) -> None:
    """Properties, label, creation time; `object.restore` and its associations are told."""
    contact = sandbox.contact(slots=[SLOT], records={SLOT: {"npi": "7"}})["id"]
    before = sandbox.records(contact)[SLOT]
    record, kind = before["id"], type_of(sandbox, "credentialing")
    sandbox.do("/records/delete", {"id": record})
    told = Told(sandbox)
    assert sandbox.do("/records/restore", {"id": record}) == before
    wanted = ends("0-1", int(contact), kind, int(record), removed=False)
    assert set(told.kinds()) == {("object.restore", kind, int(record), None)} | wanted
    assert looked(sandbox, contact) == {record}
    assert status_of(sandbox, kind, record) == 200
    assert status_of(sandbox, kind, record, archived="true") == 404
    sandbox.do("/records/restore", {"id": record}, status=404)


def test_a_contact_is_deleted_and_restored_with_all_that_hung_on_it(sandbox: Driver) -> None:
    """Both its Credentialings with their labels; one of them was deleted meanwhile and does not come back by that."""
    contact = sandbox.contact()["id"]
    records = {slot: one["id"] for slot, one in sandbox.records(contact).items()}
    sandbox.do("/records/delete", {"id": contact})
    assert status_of(sandbox, "0-1", contact) == 404
    assert sandbox.truth(contact)["archived_at"]
    sandbox.do("/records/delete", {"id": records[MOVE]})
    sandbox.do("/records/restore", {"id": contact})
    assert looked(sandbox, contact) == {records[SLOT]}
    assert sandbox.records(contact)[SLOT]["labels"] == ["Active Attested"]


def test_what_was_merged_away_is_not_restored(sandbox: Driver) -> None:
    """It was not deleted: 409 naming what it became."""
    contact = sandbox.contact()["id"]
    one, two = (sandbox.records(contact)[slot]["id"] for slot in (SLOT, MOVE))
    new = sandbox.do("/records/merge", {"primary": one, "other": two})["id"]
    assert new in sandbox.do("/records/restore", {"id": one}, status=409)["error"]


def test_a_record_made_again_has_another_id(sandbox: Driver) -> None:
    """Its workflow ran again, or a person made it: `object.creation`, with no contact in it."""
    contact = sandbox.contact(slots=[SLOT])["id"]
    old = sandbox.records(contact)[SLOT]["id"]
    sandbox.do("/records/delete", {"id": old})
    told, kind = Told(sandbox), type_of(sandbox, "credentialing")
    made = sandbox.do("/records/create", {"contact": contact, "slot": SLOT})
    assert made["id"] != old
    [creation] = [event for event in told.events() if event["subscriptionType"] == "object.creation"]
    assert (creation["objectTypeId"], creation["objectId"]) == (kind, int(made["id"]))
    assert contact not in str(creation)
    sandbox.do("/records/delete", {"id": made["id"]})
    again = sandbox.do("/enrol", {"contact": contact, "slots": [SLOT], "delay": 0})["planned"][0]["id"]
    assert again not in (old, made["id"])
    assert looked(sandbox, contact) == {again}


def test_a_label_that_moves_to_another_record_is_told_of_both(sandbox: Driver) -> None:
    """Neither record is another, and both still hang on the contact."""
    contact = sandbox.contact()["id"]
    records = sandbox.records(contact)
    old, new, kind = records[SLOT]["id"], records[MOVE]["id"], type_of(sandbox, "credentialing")
    told = Told(sandbox)
    sandbox.do("/records/move", {"slot": SLOT, "to": new})
    taken = ends("0-1", int(contact), kind, int(old), removed=True)
    assert set(told.kinds()) == taken | ends("0-1", int(contact), kind, int(new), removed=False)
    assert looked(sandbox, contact) == {old, new}


def test_a_licence_moves_to_another_parent(sandbox: Driver) -> None:
    """One association ends, another begins; it keeps its id and its content."""
    contact = sandbox.contact(licenses=["NY"])["id"]
    records = sandbox.records(contact)
    licence, old = records["license.NY"]["id"], records["license.NY"]["parents"][0]
    new = next(records[slot]["id"] for slot in (SLOT, MOVE) if records[slot]["id"] != old)
    told = Told(sandbox)
    moved = sandbox.do("/records/reparent", {"id": licence, "to": new})
    assert (moved["id"], moved["parents"], moved["slots"]) == (licence, [new], ["license.NY"])
    kinds = type_of(sandbox, "license"), type_of(sandbox, "credentialing")
    taken = ends(kinds[0], int(licence), kinds[1], int(old), removed=True)
    assert set(told.kinds()) == taken | ends(kinds[0], int(licence), kinds[1], int(new), removed=False)
    under = sandbox.hubspot.post(
        "/crm/associations/2026-09/credentialing/license/batch/read",
        json={"inputs": [{"id": old}, {"id": new}]},
    ).json()
    assert [one["from"]["id"] for one in under["results"]] == [new]
    sandbox.do("/records/reparent", {"id": licence, "to": new}, status=400)
    sandbox.do("/records/reparent", {"id": licence, "to": contact}, status=404)


def test_an_erased_contact_is_gone_for_good_and_its_old_ids_with_it(sandbox: Driver) -> None:
    """A GDPR deletion: no content, no association, 404 under every id it had; what hung on it stays under nobody."""
    one = sandbox.contact(properties={"firstname": "Ada", "email": "ada@example.com"})["id"]
    two = sandbox.contact(slots=[])["id"]
    contact = sandbox.do("/records/merge", {"primary": one, "other": two})["id"]
    records = looked(sandbox, contact)
    told = Told(sandbox)
    sandbox.do("/records/erase", {"contact": contact})
    kinds = told.kinds()
    assert kinds[-2:] == [
        ("object.deletion", "0-1", int(contact), None),
        ("contact.privacyDeletion", "0-1", int(contact), None),
    ]
    assert {kind[0] for kind in kinds[:-2]} == {"object.associationChange"}
    for old in (one, two, contact):
        assert status_of(sandbox, "0-1", old) == 404
        assert status_of(sandbox, "0-1", old, archived="true") == 404
        wrote = sandbox.hubspot.patch(f"{OBJECTS}/0-1/{old}", json={"properties": {"city": "X"}})
        assert wrote.status_code == 404
        archived = sandbox.hubspot.post(
            f"{OBJECTS}/0-1/batch/read?archived=true",
            json={"inputs": [{"id": old}], "properties": ["firstname"]},
        )
        assert archived.json()["results"] == []
        sandbox.do("/records/restore", {"id": old}, status=404)
    assert looked(sandbox, contact) == set()
    truth = sandbox.truth(contact)
    assert (truth["erased"], truth["properties"], truth["merged"]) == (True, {}, [])
    assert "Ada" not in sandbox.control.get("/truth").text
    for record in records:
        assert status_of(sandbox, type_of(sandbox, "credentialing"), record) == 200
    sandbox.do("/contacts", {"id": contact}, status=409)
    sandbox.do("/contacts", {"properties": {"email": "ada@example.com"}})


def test_hubspots_own_call_erases_a_contact_too(sandbox: Driver) -> None:
    """`POST …/contacts/gdpr-delete`: 204, also for an id that leads nowhere; workflows still to come make nothing."""
    contact = sandbox.contact(delay="90s")["id"]
    told = Told(sandbox)
    for path in ("/crm/v3/objects/contacts/gdpr-delete", f"{OBJECTS}/contacts/gdpr-delete"):
        answer = sandbox.hubspot.post(path, json={"objectId": contact})
        assert (answer.status_code, answer.content) == (204, b"")
    assert "contact.privacyDeletion" in {kind[0] for kind in told.kinds()}
    assert status_of(sandbox, "0-1", contact) == 404
    sandbox.advance("2m")
    totals = sandbox.do("/truth?contacts=false", method="GET")
    assert (totals["records_total"], totals["pending"]) == (0, 0)
    bad = sandbox.hubspot.post(
        f"{OBJECTS}/contacts/gdpr-delete", json={"objectId": "x", "idProperty": "email"}
    )
    assert (bad.status_code, "idProperty" in bad.text) == (400, True)
    sandbox.do("/settings", {"scopes": ["crm.objects.contacts.read"]}, method="PUT")
    refused = sandbox.hubspot.post(f"{OBJECTS}/contacts/gdpr-delete", json={"objectId": contact})
    assert "crm.objects.contacts.write" in refused.text


def test_lives_are_kept_over_a_restart(tmp_path: Path) -> None:
    """`--state`: a record deleted before can be restored after; who was erased stays so, without content."""
    state = tmp_path / "state.db"
    with running(tmp_path, state=state) as sandbox:
        contact = sandbox.contact(slots=[SLOT])["id"]
        forgotten = sandbox.contact(properties={"firstname": "Unmistakable"})["id"]
        before = sandbox.records(contact)[SLOT]
        sandbox.do("/records/delete", {"id": before["id"]})
        sandbox.do("/records/erase", {"contact": forgotten})
    with running(tmp_path, state=state) as sandbox:
        assert sandbox.do("/records/restore", {"id": before["id"]}) == before
        assert looked(sandbox, contact) == {before["id"]}
        assert status_of(sandbox, "0-1", forgotten, archived="true") == 404
        answer: httpx2.Response = sandbox.control.get("/truth")
        assert "Unmistakable" not in answer.text
