"""What is known can be asked: status, lists, timeline, packet, feed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from credsync.web.api import documents, list_documents
from tests.api.service import AT, Service, contact, new_address
from tests.flow.processes import until

DATA = {"npi_and_caqh": {"npi": "1234567893"}}


@pytest.fixture
def address(service: Service) -> str:
    """A therapist with a sign-up and a submission."""
    made = service.therapist(contact_id=contact(), name="Ada Example")
    service.post(f"{made}/sign-ups", {"kind": "first", "occurred_at": AT})
    service.post(f"{made}/submissions", {"form": "ca", "occurred_at": AT, "data": DATA})
    return made


def test_answers_are_what_openapi_says(service: Service, address: str) -> None:
    """Each answer fits the shape that is documented for it."""
    for path, shape in (
        (address, documents.Status),
        ("/v1/therapists", list_documents.Page),
        (f"{address}/timeline", documents.Timeline),
        (f"{address}/packet", documents.Packet),
        ("/v1/events", documents.Feed),
        ("/healthz", documents.Alive),
        ("/readyz", documents.Ready),
        ("/openapi.json", documents.OpenApi),
    ):
        answer = service.get(path)
        assert answer.status_code == 200, answer.text
        TypeAdapter(shape).validate_json(answer.content, strict=True)


def test_the_status_says_what_is_awaited(service: Service, address: str) -> None:
    """A status has the state, a reason for it, and one key per slot."""
    status = service.get(address).json()
    assert (status["state"], status["complete"]) == ("waiting", False)
    assert status["ids"] == {
        "credentialing_active_attested_id": None,
        "credentialing_relocation_id": None,
        "therapist_address_current_id": None,
    }


def test_the_packet_comes_as_asked(service: Service, address: str) -> None:
    """JSON, or Markdown where Accept prefers it."""
    for accept, kind in (
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/*", "text/markdown; charset=utf-8"),
        ("text/html, text/markdown;q=0.9, */*;q=0.1", "text/markdown; charset=utf-8"),
        ("application/json, text/markdown;q=0.5", "application/json"),
    ):
        answer = service.get(f"{address}/packet", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind), accept
        assert address.rpartition("/")[2] in answer.text
    assert service.get(f"{address}/packet", headers={"Accept": "image/png"}).status_code == 406


def test_the_timeline_is_in_order(service: Service, address: str) -> None:
    """What happened, oldest first, with times as everywhere."""
    events = service.get(f"{address}/timeline").json()["events"]
    assert [e["event"] for e in events] == ["sign_up.completed", "form.submitted"]
    assert events[1]["details"]["occurred_at"] == "2026-11-23T18:05:00.000000Z"


def test_the_feed_goes_on_where_it_ended(service: Service, address: str) -> None:
    """`after` gives what came later, in order, of the types asked for."""
    place = service.get("/v1/events?limit=1000").json()["next_after"]
    other = service.therapist()
    therapist = other.rpartition("/")[2]
    service.post(f"{other}/sign-ups", {"kind": "first", "occurred_at": AT})
    service.post(f"{other}/sync", {"reason": "asked"})

    def both() -> list[dict[str, Any]] | None:
        everybodys = service.get(f"/v1/events?after={place}&limit=1000").json()["events"]
        later = [event for event in everybodys if event["therapist_id"] == therapist]
        return later if len(later) > 1 else None

    all_later = until(both, 30, "what came later: PostgreSQL's feed waits for who may still fill a gap")
    assert [e["event"] for e in all_later] == ["sign_up.completed", "sync.requested"]
    some = service.get(f"/v1/events?after={place}&types=sync.requested,link.found&limit=1000").json()
    mine = [e["event"] for e in some["events"] if e["therapist_id"] == therapist]
    assert mine == ["sync.requested"]
    assert {e["event"] for e in some["events"]} <= {"sync.requested", "link.found"}


def test_lists_come_in_pages(service: Service) -> None:
    """Every therapist once, whatever the size of the page."""
    made = {service.therapist().rpartition("/")[2] for _ in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = service.get(f"/v1/therapists?limit=2&cursor={cursor}").json()
        seen += [t["id"] for t in page["therapists"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_lists_are_counted_for_every_choice(service: Service) -> None:
    """Within the choices that were made; only where it is asked for."""
    whose = f"Ada {contact()}"
    service.therapist(contact_id=contact(), name=whose)
    asked = f"/v1/therapists?q={whose}&reason=not_looked_yet"
    answer = service.get(f"{asked}&counts=true")
    TypeAdapter(list_documents.Page).validate_json(answer.content, strict=True)
    counts = answer.json()["counts"]
    assert counts["total"] == {"count": 1, "more": False}
    assert counts["portal"] == [{"value": "alpha", "count": 1, "more": False}]
    assert counts["longer_than"] == []
    assert "counts" not in service.get(asked).json()
    assert service.get(f"{asked}&longer_than=1h").json()["therapists"] == []
    assert service.get(f"{asked}&longer_than=999999d").json()["therapists"] == []


def test_lists_are_searched(service: Service) -> None:
    """By UUID, contact id, name, state, slot and portal; an empty parameter asks nothing."""
    whose = contact()
    address = service.therapist(contact_id=whose, name="Zebra Quagga")
    uuid = address.rpartition("/")[2]
    for query in (
        f"q={uuid}",
        f"q={uuid.upper()}",
        f"q={whose}",
        "q=quagga",
        f"q={whose}&state=waiting&portal=alpha&slot=&cursor=",
    ):
        found = service.get(f"/v1/therapists?{query}").json()["therapists"]
        assert [t["id"] for t in found] == [uuid], query
    for query in (f"q={whose}&portal=beta", f"q={whose}&state=held", "q=nobody"):
        assert service.get(f"/v1/therapists?{query}").json()["therapists"] == [], query


@pytest.mark.parametrize("slot", ["credentialing_active_attested", "license", "license.NY"])
def test_slots_are_known_by_name(service: Service, slot: str) -> None:
    """A slot of the portal file, or one value of it."""
    assert service.get(f"/v1/therapists?slot={slot}").status_code == 200


def test_head_is_answered_like_get(service: Service) -> None:
    """HEAD gives the same headers and no body."""
    answer = service.as_("read").head("/v1/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert service.as_("read").head(new_address()).status_code == 404
