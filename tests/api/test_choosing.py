"""`POST …/links/{slot}`: choosing among candidates, and every way in which that is refused."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, insert, select

from credsync.store.tables import choices, events, links
from tests.api.service import Service, new_address

SLOT = "credentialing_active_attested"


def ambiguous(service: Service, address: str, *candidates: str) -> None:
    """What a round stores of a slot with two records."""
    therapist = address.rpartition("/")[2]
    with service.database.write() as connection:
        _store(connection, service, therapist, candidates)


def _store(connection: Connection, service: Service, therapist: str, candidates: tuple[str, ...]) -> None:
    now = service.clock.now()
    row = {"therapist_id": therapist, "slot": SLOT, "portal": "alpha", "awaited": True, "awaited_since": now}
    connection.execute(
        insert(links),
        row
        | {"state": "ambiguous", "reason": "two_records_in_slot", "candidates": list(candidates), "looks": 1},
    )


def choose(
    service: Service, address: str, record: object, slot: str = SLOT, **headers: str
) -> tuple[int, dict[str, object]]:
    body = {"record_id": record, "reason": "the other is a duplicate"}
    answer = service.post(f"{address}/links/{slot}", body, **headers)
    return answer.status_code, answer.json()


def test_a_choice_is_durable_and_told_with_who_and_why(service: Service) -> None:
    """202 once it is on disk; the timeline has `link.chosen` with the record, who chose and their words."""
    address = service.therapist(contact_id=str(uuid4().int)[:18])
    ambiguous(service, address, "801", "802")
    status, answer = choose(service, address, "802")
    assert (status, answer["new"]) == (202, True)
    with service.read() as connection:
        row = connection.execute(select(choices).where(choices.c.record_id == "802")).one()
        event = connection.execute(select(events).where(events.c.name == "link.chosen")).all()[-1]
    assert (row.slot, row.reason, row.chosen_by) == (SLOT, "the other is a duplicate", "admin-token")
    assert (event.slot, event.record_id) == (SLOT, "802")
    assert event.details == {"chosen_by": "admin-token", "said": "the other is a duplicate"}
    assert choose(service, address, "802")[1]["new"] is False, "the same again is the same choice"
    assert choose(service, address, "801")[1]["new"] is True, "another is another"


def test_a_refused_choice_says_what_to_do_and_stores_nothing(service: Service) -> None:
    address = service.therapist(contact_id=str(uuid4().int)[:18])
    ambiguous(service, address, "811", "812")
    other = service.therapist(contact_id=str(uuid4().int)[:18])
    ambiguous(service, other, "811", "813")
    before = service.count(choices)

    status, answer = choose(service, address, "899")
    assert (status, answer["errors"]) == (
        422,
        [
            {
                "path": "record_id",
                "code": "not_a_candidate",
                "message": f"This record does not hold {SLOT}; choose one of 811, 812.",
            }
        ],
    )
    assert choose(service, address, 812)[0] == 422, "an id is a text"
    assert choose(service, address, "811", "therapist_address_current")[0] == 409
    status, answer = choose(service, address, "811", "licence.NY")
    assert (status, answer["type"]) == (404, "/docs#not-found")
    assert "did you mean license" in str(answer["detail"])
    assert choose(service, new_address(), "811")[0] == 404
    assert service.count(choices) == before

    assert choose(service, other, "811")[0] == 202
    status, answer = choose(service, address, "811")
    assert (status, answer["therapist_id"]) == (409, other.rpartition("/")[2])
    assert service.count(choices) == before + 1


def test_the_same_key_gives_the_same_answer(service: Service) -> None:
    address = service.therapist(contact_id=str(uuid4().int)[:18])
    ambiguous(service, address, "821", "822")
    first = choose(service, address, "821", Idempotency_Key="k-821")
    assert choose(service, address, "821", Idempotency_Key="k-821") == first
    assert choose(service, address, "822", Idempotency_Key="k-821")[0] == 409
