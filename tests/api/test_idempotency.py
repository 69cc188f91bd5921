"""`Idempotency-Key`: same key and body, same answer; other body, 409; at once or one after the other."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from credsync.store.tables import idempotency_keys, moving_facts, sign_ups, submissions, therapists
from tests.api.service import AT, Service, contact, new_address

SIGN_UP = {"kind": "first", "occurred_at": AT, "portal": "alpha"}


def press(service: Service, path: str, body: object, key: str, scope: str = "admin") -> httpx2.Response:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return service.as_(scope).post(path, content=json.dumps(body).encode(), headers=headers)


def at_once(service: Service, calls: list[tuple[str, dict[str, Any], str | None]]) -> list[httpx2.Response]:
    """All calls together, each from a thread and a connection of its own."""
    start = threading.Barrier(len(calls))

    def one(call: tuple[str, dict[str, Any], str | None]) -> httpx2.Response:
        path, body, key = call
        headers = {"Authorization": f"Bearer {service.tokens['admin']}"}
        headers |= {"Idempotency-Key": key} if key else {}
        with httpx2.Client(base_url=service.url, headers=headers, timeout=30) as client:
            start.wait()
            return client.post(path, json=body)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_the_same_press_gets_the_same_answer(on_each: Service) -> None:
    """To the byte, and nothing is stored twice; not even the time of day matters."""
    address = new_address()
    body = {**SIGN_UP, "contact_id": contact(), "data": {"first_name": "Ada"}}
    first = press(on_each, f"{address}/sign-ups", body, "press-1")
    before = [on_each.count(t) for t in (therapists, sign_ups, submissions, moving_facts)]
    second = press(on_each, f"{address}/sign-ups", body, "press-1")
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert second.json()["new"] is True
    assert [on_each.count(t) for t in (therapists, sign_ups, submissions, moving_facts)] == before


def test_the_address_is_the_same_in_any_case(service: Service) -> None:
    """A UUID in capitals is the same press."""
    address = service.therapist()
    first = press(service, f"{address}/sync", {"reason": "asked"}, "case")
    shouted = "/v1/therapists/" + address.rpartition("/")[2].upper()
    assert press(service, f"{shouted}/sync", {"reason": "asked"}, "case").content == first.content


def test_the_same_key_with_another_body_is_409(on_each: Service) -> None:
    """Nothing of the second call is stored."""
    address = on_each.therapist()
    press(on_each, f"{address}/sign-ups", SIGN_UP, "press-2")
    other = press(on_each, f"{address}/sign-ups", {**SIGN_UP, "kind": "extended"}, "press-2")
    assert other.status_code == 409
    assert [(e["path"], e["code"]) for e in other.json()["errors"]] == [("Idempotency-Key", "key_reused")]
    assert on_each.count(sign_ups) == 1


def test_the_same_key_at_another_address_is_409(service: Service) -> None:
    """A key belongs to one call, not to one body."""
    key = "two-addresses"
    assert press(service, f"{service.therapist()}/sync", {"reason": "asked"}, key).status_code == 202
    assert press(service, f"{service.therapist()}/sync", {"reason": "asked"}, key).status_code == 409


def test_keys_of_two_tokens_are_two(service: Service) -> None:
    """Nobody gets an answer that was meant for another."""
    address = service.therapist()
    mine = press(service, f"{address}/sync", {"reason": "mine"}, "shared-key", "admin")
    theirs = press(service, f"{address}/sync", {"reason": "theirs"}, "shared-key", "sync")
    assert (mine.status_code, theirs.status_code) == (202, 202)


def test_a_refused_call_does_not_use_up_its_key(service: Service) -> None:
    """The mended body may come under the same key."""
    address = service.therapist()
    assert press(service, f"{address}/sync", {"reason": 5}, "mended").status_code == 422
    assert press(service, f"{address}/sync", {"reason": "asked"}, "mended").status_code == 202


def test_a_double_press_at_once_is_one(on_each: Service) -> None:
    """Eight threads press one button: one fact, eight equal answers."""
    address = new_address()
    body = {"form": "ca", "occurred_at": AT, "portal": "alpha", "contact_id": contact(), "data": {}}
    answers = at_once(on_each, [(f"{address}/submissions", body, "at-once")] * 8)
    assert {a.status_code for a in answers} == {202}
    assert len({a.content for a in answers}) == 1
    assert (on_each.count(submissions), on_each.count(idempotency_keys)) == (1, 1)


def test_the_same_submission_at_once_is_one_without_a_key(on_each: Service) -> None:
    """Eight threads send one submission of a new therapist: one row, one id, exactly one new."""
    body = {"form": "ca", "occurred_at": AT, "portal": "alpha", "contact_id": contact(), "data": {}}
    answers = at_once(on_each, [(f"{new_address()}/submissions", body, None)] * 8)
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["submission_id"] for a in answers}) == 1
    assert sorted(a.json()["new"] for a in answers) == [False] * 7 + [True]
    assert on_each.count(submissions) == 1


def test_one_contact_at_once_goes_to_one_therapist(on_each: Service) -> None:
    """Six therapists claim one contact together: one gets it, five hear who has it."""
    body = {**SIGN_UP, "contact_id": contact()}
    answers = at_once(on_each, [(f"{new_address()}/sign-ups", body, None) for _ in range(6)])
    taken = [a for a in answers if a.status_code == 202]
    assert len(taken) == 1
    assert {a.json().get("therapist_id") for a in answers if a.status_code == 409} == {taken[0].json()["id"]}
    assert (on_each.count(therapists), on_each.count(sign_ups)) == (1, 1)


@pytest.mark.parametrize("other", [{"reason": "other"}, {"reason": "asked", "include_held": True}])
def test_one_key_with_two_bodies_at_once_takes_one(on_each: Service, other: dict[str, Any]) -> None:
    """Whoever is second is refused."""
    path = f"{on_each.therapist()}/sync"
    answers = at_once(on_each, [(path, {"reason": "asked"}, "race"), (path, other, "race")])
    assert sorted(a.status_code for a in answers) == [202, 409]
