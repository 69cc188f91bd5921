"""`/v1/alerts`: what is open, whom it hits, and that somebody knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select
from structlog.testing import capture_logs

from credsync.store.tables import alerts, links
from tests.api.service import Service

SLOT = "therapist_address_current"


@pytest.fixture
def late(service: Service) -> Iterator[tuple[str, list[str]]]:
    """An open alert and those beneath it: its id and theirs."""
    now = service.clock.now()
    therapists = [service.therapist(contact_id=str(uuid4().int)[:18]).rpartition("/")[2] for _ in range(3)]
    with service.database.write() as connection:
        connection.execute(
            insert(links),
            [
                {
                    "therapist_id": therapist,
                    "slot": SLOT,
                    "portal": "alpha",
                    "awaited": True,
                    "awaited_since": now,
                    "overdue_since": now,
                    "state": "awaited",
                    "candidates": [],
                    "reason": "record_awaited",
                    "looks": 9,
                }
                for therapist in therapists
            ],
        )
        made = connection.execute(insert(alerts).values(row_of(now, object="therapist_address", slot=SLOT)))
        (alert_id,) = made.inserted_primary_key or (0,)
    yield str(alert_id), sorted(therapists)
    with service.database.write() as connection:
        connection.execute(delete(alerts))
        connection.execute(delete(links).where(links.c.slot == SLOT))


def row_of(now: datetime, **about: Any) -> dict[str, Any]:
    """An open alert."""
    row = {"portal": "alpha", "kind": "overdue", "object": "", "slot": "", "property": "", "verb": ""}
    return {**row, "therapists": 3, "details": {}, "first_seen_at": now, "last_seen_at": now, **about}


def test_open_alerts_are_listed_with_what_to_do(service: Service, late: tuple[str, list[str]]) -> None:
    """One entry per cause: what, since when, how many, what to do, and where they are listed."""
    answer = service.as_("read").get("/v1/alerts")
    assert answer.status_code == 200
    told = answer.json()
    (alert,) = told["alerts"]
    assert (alert["id"], alert["kind"], alert["state"], alert["slot"]) == (late[0], "overdue", "open", SLOT)
    assert (alert["therapists"], told["open"], told["next_cursor"]) == (3, 1, None)
    assert alert["first_seen_at"] <= alert["last_seen_at"]
    assert alert["property"] is None
    assert all(alert[text] for text in ("title", "message", "remedy"))
    assert service.get("/v1/alerts?portal=beta").json()["alerts"] == []
    assert service.get("/v1/alerts?kind=given_up").json()["alerts"] == []
    assert service.get("/v1/alerts?state=closed").json()["alerts"] == []
    assert len(service.get("/v1/alerts?state=all&portal=alpha&kind=overdue").json()["alerts"]) == 1


def test_the_therapists_beneath_are_paged(service: Service, late: tuple[str, list[str]]) -> None:
    """Each once, in the form of the list of therapists."""
    alert, therapists = late
    address: str | None = f"/v1/alerts/{alert}/therapists?limit=2"
    seen = []
    while address is not None:
        page = service.get(address).json()
        assert page["alert"]["id"] == alert
        seen += [each["id"] for each in page["therapists"]]
        cursor = page["next_cursor"]
        address = f"/v1/alerts/{alert}/therapists?limit=2&cursor={cursor}" if cursor else None
    assert seen == therapists
    assert SLOT in page["therapists"][0]["awaited_slots"]


def test_alerts_are_paged_newest_first(service: Service, late: tuple[str, list[str]]) -> None:
    """None twice and none left out."""
    now = service.clock.now()
    with service.database.write() as connection:
        connection.execute(insert(alerts), [row_of(now, object=f"object_{n}") for n in range(4)])
    seen, cursor = [], ""
    for _ in range(3):
        page = service.get(f"/v1/alerts?limit=2{cursor}").json()
        seen += [int(each["id"]) for each in page["alerts"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert page["open"] == 5


def test_somebody_acknowledges_and_the_alert_stays_open(
    service: Service, late: tuple[str, list[str]]
) -> None:
    """Who, when and what they say are kept; only its cause ends an alert."""
    address = f"/v1/alerts/{late[0]}/acknowledge"
    answer = service.as_("sync").post(address, json={"note": "asked the administrator"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["acknowledged_by"], told["note"], told["state"]) == (
        "sync-token",
        "asked the administrator",
        "open",
    )
    assert told["acknowledged_at"]
    again = service.post(address, {}).json()
    assert (again["acknowledged_by"], again["note"]) == ("admin-token", "asked the administrator")


def test_an_acknowledgement_is_told_in_the_feed(service: Service, late: tuple[str, list[str]]) -> None:
    """Who took which alert, and what they said; the log has it without their words. An unknown alert tells nothing."""
    address = f"/v1/alerts/{late[0]}/acknowledge"
    feed = "/v1/events?types=alert.acknowledged&limit=500"
    before = len(service.get(feed).json()["events"])
    with capture_logs() as lines:
        service.as_("sync").post(address, json={"note": "asked the administrator"}).raise_for_status()
        assert service.post("/v1/alerts/987654321/acknowledge", {}).status_code == 404
    (told,) = service.get(feed).json()["events"][before:]
    assert (told["portal"], told["slot"], told["therapist_id"]) == ("alpha", SLOT, None)
    assert told["details"] == {
        "alert_id": late[0],
        "kind": "overdue",
        "object": "therapist_address",
        "therapists": 3,
        "by": "sync-token",
        "said": "asked the administrator",
    }
    logged = [line for line in lines if line["event"] == "alert.acknowledged"]
    assert [(line["alert_id"], line["by"], "said" in line) for line in logged] == [
        (late[0], "sync-token", False)
    ]
    assert service.as_("read").post(address).status_code == 403


@pytest.mark.parametrize(
    ("address", "path", "code"),
    [
        ("/v1/alerts?state=broken", "state", "not_allowed"),
        ("/v1/alerts?portal=gamma", "portal", "not_allowed"),
        ("/v1/alerts?kind=late", "kind", "not_allowed"),
        ("/v1/alerts?cursor=x", "cursor", "invalid_cursor"),
        ("/v1/alerts?limit=0", "limit", "out_of_range"),
        ("/v1/alerts?stat=open", "stat", "unknown_field"),
        ("/v1/alerts/{id}/therapists?cursor=x", "cursor", "invalid_cursor"),
    ],
)
def test_a_bad_question_is_refused_by_name(
    service: Service, late: tuple[str, list[str]], address: str, path: str, code: str
) -> None:
    """Every bad parameter is named."""
    answer = service.get(address.replace("{id}", late[0]))
    assert answer.status_code == 422
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == [(path, code)]


@pytest.mark.parametrize("alert", ["999999", "x", "-1", "1" * 40, "1%00"])
def test_an_alert_nobody_knows_is_404(service: Service, alert: str) -> None:
    """For whom it hits and for acknowledging alike; nothing is stored."""
    assert service.get(f"/v1/alerts/{alert}/therapists").status_code == 404
    assert service.post(f"/v1/alerts/{alert}/acknowledge", {"note": "x"}).status_code == 404
    with service.read() as connection:
        assert connection.execute(select(alerts.c.id)).all() == []


def test_a_bad_note_is_refused(service: Service, late: tuple[str, list[str]]) -> None:
    """Nothing is acknowledged by a call that is refused."""
    address = f"/v1/alerts/{late[0]}/acknowledge"
    for body in ({"note": ""}, {"note": 5}, {"by": "me"}):
        assert service.post(address, body).status_code == 422
    assert service.get("/v1/alerts").json()["alerts"][0]["acknowledged_by"] is None
