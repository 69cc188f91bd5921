"""`/_sandbox/journal`: what became of every record, in order, for those who judge from outside."""

from __future__ import annotations

from typing import Any

from tests.sandbox.driver import Driver

SLOT = "credentialing_active_attested"


def journal(sandbox: Driver, since: int = 0) -> list[dict[str, Any]]:
    """The changes so far."""
    changes: list[dict[str, Any]] = sandbox.do(f"/journal?since={since}", method="GET")["changes"]
    return changes


def keep(sandbox: Driver) -> None:
    """From now on."""
    sandbox.do("/settings", {"journal": True}, method="PUT")


def test_nothing_is_kept_unless_it_is_asked_for(sandbox: Driver) -> None:
    """Neither changes nor what a call said."""
    record = sandbox.records(sandbox.contact()["id"])[SLOT]["id"]
    sandbox.update(record, npi="1")
    assert journal(sandbox) == []
    assert {one["text"] for one in sandbox.do("/requests", method="GET")["requests"]} == {None}


def test_a_write_is_kept_with_its_call_its_values_and_the_record_as_it_then_was(sandbox: Driver) -> None:
    """The record's slots and parents at that moment, whatever becomes of it later."""
    keep(sandbox)
    contact = sandbox.contact()["id"]
    record = sandbox.records(contact)[SLOT]["id"]
    sandbox.update(record, npi="1", medicare="")
    sandbox.do("/records/unmark", {"id": record, "slot": SLOT})
    sandbox.do("/records/edit", {"id": record, "properties": {"npi": "2"}})
    write, unlink, edit = journal(sandbox)[-3:]
    call = sandbox.do("/requests", method="GET")["requests"][-1]
    assert (write["action"], write["values"]) == ("write", {"npi": "1", "medicare": ""})
    assert write["correlation_id"] == call["correlation_id"]
    assert (write["record"]["slots"], write["record"]["parents"]) == ([SLOT], [contact])
    assert '"npi":"1"' in call["text"].replace(" ", "")
    assert (unlink["action"], unlink["correlation_id"], unlink["record"]["slots"]) == ("unlink", None, [])
    assert (edit["action"], edit["correlation_id"], edit["values"]) == ("edit", None, {"npi": "2"})
    assert journal(sandbox, since=write["seq"]) == [unlink, edit]


def test_a_refused_call_leaves_no_change(sandbox: Driver) -> None:
    """What had no effect is in the request log alone."""
    record = sandbox.records(sandbox.contact()["id"])[SLOT]["id"]
    keep(sandbox)
    sandbox.update(record, medicare="Perhaps")
    assert journal(sandbox) == []


def test_records_that_go_or_change_parents_are_followed(sandbox: Driver) -> None:
    """Deletions, merges, and what hung on them."""
    keep(sandbox)
    contact = sandbox.contact(licenses=["NY"])["id"]
    held = sandbox.records(contact)
    second = sandbox.do("/records/create", {"contact": contact, "slot": SLOT})["id"]
    merged = sandbox.do("/records/merge", {"primary": held[SLOT]["id"], "other": second})["id"]
    told = [(one["action"], one["record"]["id"]) for one in journal(sandbox)][-4:]
    assert told == [
        ("archive", held[SLOT]["id"]),
        ("archive", second),
        ("merge", merged),
        ("link", held["license.NY"]["id"]),
    ]
    assert journal(sandbox)[-1]["record"]["parents"] == [merged]
    sandbox.do("/records/delete", {"id": merged})
    gone, orphan = journal(sandbox)[-2:]
    assert (gone["action"], gone["record"]["archived_at"] is not None) == ("archive", True)
    assert (orphan["action"], orphan["record"]["parents"]) == ("unlink", [])


def test_a_merge_of_contacts_shows_in_the_records_that_change_hands(sandbox: Driver) -> None:
    """Each under its new parent."""
    keep(sandbox)
    first, second = sandbox.contact()["id"], sandbox.contact()["id"]
    body = {"primaryObjectId": first, "objectIdToMerge": second}
    merged = sandbox.hubspot.post("/crm/objects/2026-09/0-1/merge", json=body).json()["id"]
    moved = [
        one for one in journal(sandbox) if one["action"] == "link" and one["record"]["parents"] == [merged]
    ]
    assert len(moved) == 6
    assert len({one["correlation_id"] for one in moved}) == 1


def test_a_wrong_number_is_refused(sandbox: Driver) -> None:
    """Named."""
    assert sandbox.do("/journal?since=x", method="GET", status=400) == {
        "error": "since must be a whole number"
    }
