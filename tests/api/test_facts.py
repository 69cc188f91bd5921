"""What a caller reports is stored, durable when it is answered, and answered as agreed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from credsync.core.schedule import Policy
from credsync.store.tables import events, moving_facts, sign_ups, submissions, syncs, therapists
from tests.api.service import AT, Service, contact, new_address

LICENSE = {"education_and_training": {"licenses": [{"state": "NY", "number": "NY-1"}]}}


def id_of(address: str) -> str:
    return address.rpartition("/")[2]


def rows(service: Service, table: Any, address: str) -> list[Any]:
    column = table.c.id if table is therapists else table.c.therapist_id
    with service.read() as connection:
        return list(connection.execute(select(table).where(column == id_of(address))))


def test_a_put_makes_with_201_and_changes_with_200(service: Service) -> None:
    """PUT makes or changes; what it does not say is left alone."""
    address = new_address()
    made = service.put(address, {"portal": "alpha", "contact_id": contact(), "name": "Ada Example"})
    assert (made.status_code, made.json()["new"]) == (201, True)
    changed = service.put(address, {"portal": "alpha", "email": "ada@example.org", "moving": True})
    assert (changed.status_code, changed.json()["new"]) == (200, False)
    (row,) = rows(service, therapists, address)
    assert (row.name, row.email, row.portal) == ("Ada Example", "ada@example.org", "alpha")
    assert [fact.moving for fact in rows(service, moving_facts, address)] == [True]


def test_a_uuid_is_the_same_in_any_case(service: Service) -> None:
    """Upper case is taken and told as lower case."""
    address = service.therapist()
    same = f"/v1/therapists/{id_of(address).upper()}"
    answer = service.put(same, {"portal": "alpha"})
    assert answer.status_code == 200
    assert answer.json()["id"] == id_of(address)
    assert answer.json()["status_url"] == address
    assert service.get(same).json()["id"] == id_of(address)


@pytest.mark.parametrize("path", ["sign-ups", "sections", "submissions", "sync"])
def test_what_is_answered_is_in_the_database(on_each: Service, path: str) -> None:
    """A 2xx comes after the commit: another connection sees the fact."""
    address = on_each.therapist()
    bodies: dict[str, dict[str, Any]] = {
        "sign-ups": {"kind": "first", "occurred_at": AT},
        "sections": {"form": "ca", "section": "medicare", "occurred_at": AT},
        "submissions": {"form": "ca", "occurred_at": AT, "data": LICENSE},
        "sync": {"reason": "asked for"},
    }
    answer = on_each.post(f"{address}/{path}", bodies[path])
    assert answer.status_code == 202
    (row,) = rows(on_each, therapists, address)
    assert row.generation == 2
    (event,) = rows(on_each, events, address)
    assert (
        event.name
        == {
            "sign-ups": "sign_up.completed",
            "sections": "section.completed",
            "submissions": "form.submitted",
            "sync": "sync.requested",
        }[path]
    )
    said = answer.json()
    assert (said["id"], said["accepted"], said["new"]) == (id_of(address), True, True)
    assert said["warnings"] == []


def test_ids_in_answers_are_texts(service: Service) -> None:
    """Each fact's id is told as a text."""
    address = service.therapist()
    sign_up = service.post(f"{address}/sign-ups", {"kind": "first", "occurred_at": AT}).json()
    submission = service.post(
        f"{address}/submissions", {"form": "ca", "occurred_at": AT, "data": LICENSE}
    ).json()
    sync = service.post(f"{address}/sync", {"reason": "asked for"}).json()
    assert sign_up["sign_up_id"] == str(rows(service, sign_ups, address)[0].id)
    assert submission["submission_id"] == str(rows(service, submissions, address)[0].id)
    assert sync["sync_id"] == str(rows(service, syncs, address)[0].id)


def test_a_sign_up_makes_the_therapist(service: Service) -> None:
    """A sign-up is enough: its data gives name and e-mail address, and is kept as the form sign_up."""
    address = new_address()
    data = {"first_name": "Ada", "last_name": "Example", "email": "ada@example.org"}
    body = {"kind": "first", "occurred_at": AT, "portal": "beta", "contact_id": contact(), "data": data}
    assert service.post(f"{address}/sign-ups", body).status_code == 202
    (row,) = rows(service, therapists, address)
    assert (row.name, row.email, row.portal) == ("Ada Example", "ada@example.org", "beta")
    (kept,) = rows(service, submissions, address)
    assert (kept.form, kept.data) == ("sign_up", {"sign_up": data})


def test_a_sign_up_does_not_rename_a_therapist(service: Service) -> None:
    """The name the backend gave is better than the one put together from a form."""
    address = service.therapist(name="Dr. Ada Example")
    body = {"kind": "extended", "occurred_at": AT, "data": {"first_name": "Ada", "last_name": "Exampel"}}
    assert service.post(f"{address}/sign-ups", body).status_code == 202
    assert rows(service, therapists, address)[0].name == "Dr. Ada Example"


def test_a_submission_may_come_before_its_sign_up(service: Service) -> None:
    """Events come in any order: given the portal, a submission (or section) makes the therapist."""
    for path, body in (
        ("submissions", {"form": "ca", "occurred_at": AT, "data": LICENSE, "portal": "alpha"}),
        ("sections", {"form": "af", "section": "attestation", "occurred_at": AT, "portal": "alpha"}),
    ):
        address = new_address()
        assert service.post(f"{address}/{path}", body).status_code == 202
        assert rows(service, therapists, address)[0].contact_id is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sign-ups", {"kind": "first", "occurred_at": AT}),
        ("sections", {"form": "ca", "section": "medicare", "occurred_at": AT}),
        ("submissions", {"form": "ca", "occurred_at": AT, "data": {}}),
        ("submissions", {"form": "ca", "occurred_at": AT, "data": {"custom": {"shirt_size": "M"}}}),
    ],
)
def test_a_therapist_is_made_only_with_a_portal(service: Service, path: str, body: dict[str, Any]) -> None:
    """Without a portal nobody knows where an unknown therapist lives: 422 naming `portal`."""
    address = new_address()
    answer = service.post(f"{address}/{path}", body)
    assert answer.status_code == 422
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [("portal", "missing")]
    assert rows(service, therapists, address) == []


def test_sync_of_an_unknown_therapist_is_404(service: Service) -> None:
    """Sync now makes nobody."""
    assert service.post(f"{new_address()}/sync", {"reason": "asked for"}).status_code == 404


def test_sync_pressed_twice_is_one(service: Service) -> None:
    """The second press before a round is the same press, and may still include what is held."""
    address = service.therapist()
    first = service.post(f"{address}/sync", {"reason": "asked for"}).json()
    second = service.post(f"{address}/sync", {"reason": "again", "include_held": True}).json()
    assert second == {**first, "new": False}
    (row,) = rows(service, syncs, address)
    assert (row.reason, row.include_held, row.requested_by) == ("asked for", True, "admin-token")


def test_the_same_submission_is_one(service: Service) -> None:
    """Same form, occurred_at and data is one submission even without a key; the time zone does not matter."""
    address = service.therapist()
    body = {"form": "ca", "occurred_at": AT, "data": LICENSE}
    first = service.post(f"{address}/submissions", body).json()
    again = service.post(f"{address}/submissions", {**body, "occurred_at": "2026-11-23T13:05:00.000-05:00"})
    assert again.status_code == 202
    assert again.json() == {**first, "new": False}
    assert len(rows(service, submissions, address)) == 1


def test_another_therapists_contact_is_refused(service: Service) -> None:
    """409 names who has the contact; nothing changed."""
    taken = contact()
    holder = service.therapist(contact_id=taken)
    other = service.therapist()
    answer = service.put(other, {"portal": "alpha", "contact_id": taken, "name": "Somebody Else"})
    assert answer.status_code == 409
    assert answer.json()["therapist_id"] == id_of(holder)
    assert id_of(holder) in answer.json()["detail"]
    assert rows(service, therapists, other)[0].name is None
    assert service.put(new_address(), {"portal": "beta", "contact_id": taken}).status_code == 201


def test_a_therapist_stays_in_its_portal(service: Service) -> None:
    """409 names the portal the therapist lives in."""
    address = service.therapist()
    answer = service.put(address, {"portal": "beta"})
    assert (answer.status_code, answer.json()["portal"]) == (409, "alpha")


def test_an_af_without_a_ca_is_a_warning(service: Service) -> None:
    """AF only after CA is a warning, not a refusal."""
    address = service.therapist()
    af = {"form": "af", "occurred_at": AT, "data": {}}
    ca = {"form": "ca", "occurred_at": AT, "data": {}}
    first = service.post(f"{address}/submissions", af)
    assert first.status_code == 202
    assert [w["code"] for w in first.json()["warnings"]] == ["af_without_ca"]
    assert service.post(f"{address}/submissions", ca).json()["warnings"] == []
    assert service.post(f"{address}/submissions", af).json()["warnings"] == []


def test_a_moment_ahead_is_a_warning(service: Service) -> None:
    """A clock that runs ahead makes everything later count as older, so it is told."""
    answer = service.post(
        f"{service.therapist()}/sign-ups", {"kind": "first", "occurred_at": "2199-01-01T00:00:00Z"}
    )
    assert answer.status_code == 202
    assert [w["code"] for w in answer.json()["warnings"]] == ["in_the_future"]


def test_a_portals_own_fields_are_checked_by_its_file(service: Service) -> None:
    """`custom` is checked by the therapist's portal, named or not."""
    body = {"form": "ca", "occurred_at": AT, "data": {"custom": {"shirt_size": "M"}}}
    address = service.therapist()
    assert service.post(f"{address}/submissions", body).status_code == 202
    assert rows(service, submissions, address)[0].data == {"custom": {"shirt_size": "M"}}
    elsewhere = service.post(f"{new_address()}/submissions", {**body, "portal": "beta"})
    assert elsewhere.status_code == 422
    assert elsewhere.json()["errors"][0]["path"] == "data.custom.shirt_size"


def test_sensitive_answers_are_stored_nowhere(service: Service) -> None:
    """Class C leaves a flag; class D is refused."""
    address = service.therapist()
    data = {
        "medicare": {"answers": ["zebra-answer"] * 10},
        "personal_information": {"birth_place": "Zebraville"},
    }
    body = {"form": "ca", "occurred_at": AT, "data": data}
    assert service.post(f"{address}/submissions", body).status_code == 202
    assert rows(service, submissions, address)[0].data == {"medicare": {"medicare_complete": True}}
    refused = service.post(
        f"{address}/submissions",
        {**body, "data": {"personal_information": {"ssn": "000-00-0000"}}},
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "forbidden_field"


def test_the_worker_is_woken_after_the_commit(service: Service) -> None:
    """Facts coalesce; Sync now wakes a round at once; what is refused wakes nobody."""
    address = service.therapist()
    service.post(f"{address}/sections", {"form": "ca", "section": "medicare", "occurred_at": AT})
    service.post(f"{address}/sync", {"reason": "asked for"})
    service.post(f"{address}/sync", {"reason": 5})
    soon = Policy().coalesce.total_seconds()
    assert service.wakes == [("alpha", soon), ("alpha", soon), ("alpha", 0.0)]


def test_pause_and_resume(service: Service) -> None:
    """A pause says who, why and since when; facts are taken in meanwhile; resume wakes the rounds."""
    paused = service.post("/v1/portals/beta/pause", {"reason": "labels change"})
    assert paused.status_code == 200
    assert paused.json()["portal_state"] == "paused"
    assert (paused.json()["paused_by"], paused.json()["paused_reason"]) == ("admin-token", "labels change")
    again = service.post("/v1/portals/beta/pause", {"reason": "again"}).json()
    assert again == paused.json()
    assert service.put(new_address(), {"portal": "beta"}).status_code == 201
    service.wakes.clear()
    resumed = service.send("POST", "/v1/portals/beta/resume", b"")
    assert resumed.status_code == 200
    assert resumed.json()["portal_state"] == "running"
    assert service.wakes == [("beta", 0.0)]
    assert service.post("/v1/portals/beta/resume", {"reason": "done"}).status_code == 200


def test_an_unknown_portal_is_404_with_the_nearest(service: Service) -> None:
    """A slip is put right."""
    answer = service.post("/v1/portals/alpah/pause", {"reason": "labels change"})
    assert answer.status_code == 404
    assert "alpha" in answer.json()["detail"]
