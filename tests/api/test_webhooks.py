"""HubSpot's webhooks over HTTP: what it signed is taken as a hint, and of all else only a counter changes."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from credsync.store import portals as portal_rows
from credsync.store.webhook_tables import hints, webhooks
from credsync_sandbox.signatures import signature_v3
from tests.api.service import PUBLIC_URL, SECRETS, Service, contact, serving
from tests.conftest import Copies

PATH = "/v1/webhooks/hubspot/alpha"
URL = PUBLIC_URL.rstrip("/") + PATH
CANARY = "zebra-value"
TYPES = {"credentialing": "2-101", "license": "2-102", "therapist_address": "2-103"}
COUNTED = frozenset({"webhooks", "webhook_signatures", "hints"})


@pytest.fixture(scope="module")
def hooked(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own, which knows what HubSpot calls alpha's object types."""
    with copies(tmp_path_factory.mktemp("webhooks")) as url, serving(url) as service:
        with service.database.write() as connection:
            portal_rows.set_account(connection, "alpha", "1234567", "app.hubspot.com", TYPES)
        yield service


@pytest.fixture
def service(hooked: Service) -> Iterator[Service]:
    """With its clock set right, nothing hinted at, and no wakes."""
    hooked.wakes.clear()
    with hooked.database.write() as connection:
        connection.execute(hints.delete())
        connection.execute(webhooks.delete())
    yield hooked
    hooked.clock.ahead *= 0


def event(kind: str = "object.associationChange", **told: Any) -> dict[str, Any]:
    return {"subscriptionType": kind, "portalId": 1234567, "objectTypeId": "2-101", **told}


def linked(contact_id: str, **told: Any) -> dict[str, Any]:
    return event(fromObjectId=801, toObjectId=int(contact_id), **told)


def stamp(service: Service, seconds_ago: float = 0) -> str:
    return str(round((service.clock.now() - timedelta(seconds=seconds_ago)).timestamp() * 1000))


def signed(
    service: Service, body: bytes, *, secret: str = SECRETS[0], url: str = URL, age: float = 0
) -> dict[str, str]:
    """The headers that HubSpot sends, made by the sandbox's own hand."""
    at = stamp(service, age)
    signature = signature_v3(secret, "POST", url, body, at)
    return {"X-HubSpot-Request-Timestamp": at, "X-HubSpot-Signature-v3": signature}


def signed_v2(body: bytes, secret: str = SECRETS[0], url: str = URL) -> dict[str, str]:
    digest = hashlib.sha256(f"{secret}POST{url}".encode() + body).hexdigest()
    return {"X-HubSpot-Signature": digest, "X-HubSpot-Signature-Version": "v2"}


def send(service: Service, body: bytes, headers: dict[str, str], path: str = PATH) -> httpx2.Response:
    named = {"Content-Type": "application/json", **headers}
    return service.as_(None).post(path, content=body, headers=named)


def tell(service: Service, *events: dict[str, Any], **signing: Any) -> httpx2.Response:
    """HubSpot tells these, well signed unless told otherwise."""
    body = json.dumps(events).encode()
    return send(service, body, signed(service, body, **signing))


def pending(service: Service) -> list[tuple[str, str]]:
    """Therapist and object type of every hint that is to be looked after."""
    with service.read() as connection:
        return sorted((row.therapist_id, row.object) for row in connection.execute(select(hints)))


def rest(service: Service) -> dict[str, list[str]]:
    """Every row of every table that no webhook may touch."""
    return {name: rows for name, rows in service.rows().items() if name not in COUNTED}


def all_but_counts(service: Service) -> dict[str, list[str]]:
    """Every row of every table but the counters, to which strangers of an earlier test may still be added."""
    return {name: rows for name, rows in service.rows().items() if name != "webhooks"}


def counts(service: Service, portal: str = "alpha") -> dict[str, Any]:
    with service.read() as connection:
        row = connection.execute(select(webhooks).where(webhooks.c.portal == portal)).one_or_none()
    return {} if row is None else dict(row._mapping)


def test_a_hint_is_kept_and_a_round_woken_within_a_second(service: Service) -> None:
    """The answer waits for nobody; the therapist and the type are noted, and the worker is told when."""
    known = contact()
    therapist = service.therapist(contact_id=known).rpartition("/")[2]
    service.wakes.clear()
    answer = tell(service, linked(known), linked(known), linked(contact()))
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "new": True, "events": 3})
    assert pending(service) == [(therapist, "credentialing")]
    assert service.wakes == [("alpha", 1.0)]


@pytest.mark.parametrize("secret", SECRETS)
def test_either_secret_is_taken_while_one_is_changed(service: Service, secret: str) -> None:
    """The new one and the one before it."""
    assert tell(service, linked(contact()), secret=secret).status_code == 200


def test_a_workflows_own_webhook_is_taken(service: Service) -> None:
    """Signature v2, about the record that was enrolled; a query of its own tells workflows apart."""
    known = contact()
    service.therapist(contact_id=known)
    body = json.dumps({"hs_object_id": int(known)}).encode()
    url = f"{URL}?from=licence%20workflow"
    answer = send(service, body, signed_v2(body, url=url), f"{PATH}?from=licence%20workflow")
    assert answer.status_code == 200, answer.text
    assert len(pending(service)) == 3, "every object type may have come"


def test_the_host_header_says_nothing(service: Service) -> None:
    """The address that was signed is the configured one, whatever a proxy or a stranger calls us."""
    body = json.dumps([linked(contact())]).encode()
    assert send(service, body, signed(service, body) | {"Host": "evil.example"}).status_code == 200
    forged = signed(service, body, url=f"https://evil.example{PATH}") | {"Host": "evil.example"}
    assert send(service, body, forged).status_code == 401


def test_hubspots_own_retry_passes_and_a_replay_has_no_effect(service: Service) -> None:
    """The same events with a new moment are news; the very same call again is answered, and does nothing."""
    known = contact()
    service.therapist(contact_id=known)
    body = json.dumps([linked(known, eventId=1)]).encode()
    headers = signed(service, body)
    assert send(service, body, headers).json()["new"] is True
    before, told = all_but_counts(service), counts(service)
    service.wakes.clear()
    for _ in range(3):
        service.clock.ahead += timedelta(seconds=90)
        again = send(service, body, headers)
        assert (again.status_code, again.json()["new"]) == (200, False)
    assert service.wakes == []
    now = counts(service)
    assert {name: now[name] for name in ("calls", "events", "replayed")} == {
        "calls": told["calls"],
        "events": told["events"],
        "replayed": 3,
    }
    assert all_but_counts(service) == before
    service.clock.ahead += timedelta(seconds=90)
    assert send(service, body, headers).status_code == 401, "by now it is stale"
    assert send(service, body, signed(service, body)).json()["new"] is True


def test_a_workflows_call_again_at_once_has_no_effect(service: Service) -> None:
    """Signature v2 names no moment: the same call counts once in a while."""
    body = json.dumps({"hs_object_id": 5}).encode()
    assert send(service, body, signed_v2(body)).json()["new"] is True
    assert send(service, body, signed_v2(body)).json()["new"] is False
    service.clock.ahead += timedelta(minutes=7)
    assert send(service, body, signed_v2(body)).json()["new"] is True


def test_whatever_is_not_hubspots_is_told_the_same(service: Service) -> None:
    """Unknown portal, no secret, wrong signature, stale, at another address: one answer, so that nothing can be probed."""
    body = json.dumps([linked(contact())]).encode()
    at = "https://credsync.example.org/base/v1/webhooks/hubspot/"
    cases = {
        "unsigned": (PATH, {}),
        "forged": (PATH, signed(service, body, secret="guess")),
        "stale": (PATH, signed(service, body, age=301)),
        "ahead": (PATH, signed(service, body, age=-61)),
        "other address": (PATH, signed(service, body, url=URL + "/")),
        "other query": (f"{PATH}?a=1", signed(service, body)),
        "other portal": ("/v1/webhooks/hubspot/twofold", signed(service, body)),
        "no secret": ("/v1/webhooks/hubspot/beta", signed(service, body, url=f"{at}beta")),
        "empty secret": ("/v1/webhooks/hubspot/beta", signed(service, body, url=f"{at}beta", secret="")),
        "unknown portal": ("/v1/webhooks/hubspot/nobody", signed(service, body, url=f"{at}nobody")),
        "v1": (PATH, {"X-HubSpot-Signature": hashlib.sha256(SECRETS[0].encode() + body).hexdigest()}),
        "v2 without its version": (PATH, {"X-HubSpot-Signature": signed_v2(body)["X-HubSpot-Signature"]}),
        "v2 beside a wrong v3": (PATH, signed_v2(body) | signed(service, body, secret="guess")),
    }
    before = rest(service)
    answers = {name: send(service, body, headers, path) for name, (path, headers) in cases.items()}
    told = {
        (a.status_code, a.text, tuple(sorted((k, v) for k, v in a.headers.items() if k != "date")))
        for a in answers.values()
    }
    assert len(told) == 1
    one = answers["forged"]
    assert (one.status_code, one.headers["content-type"]) == (401, "application/problem+json")
    assert one.headers["www-authenticate"]
    assert "alpha" not in one.text
    assert (rest(service), pending(service), service.wakes) == (before, [], [])


def test_no_flipped_bit_of_a_signed_body_or_signature_is_taken(service: Service) -> None:
    """Every single one over HTTP, and then the whole is taken: nothing but a counter changed."""
    known = contact()
    service.therapist(contact_id=known)
    service.wakes.clear()
    body = json.dumps([linked(known)]).encode()
    headers = signed(service, body)
    signature = headers["X-HubSpot-Signature-v3"]
    tries = [(flipped, signature.encode()) for flipped in flips(body)]
    tries += [(body, flipped) for flipped in flips(signature.encode())]
    before = rest(service)
    statuses = set()
    address = urlsplit(service.url)
    assert address.hostname
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    for content, spelt in tries:
        sent = {"Content-Type": "application/json", **headers, "X-HubSpot-Signature-v3": spelt}
        try:
            connection.request("POST", PATH, content, sent)
        except ValueError:  # a line break in a header, which no client sends
            connection.close()
            continue
        answer = connection.getresponse()
        answer.read()
        statuses.add(answer.status)
        if answer.status == 400:  # a header that is none: the server closes
            connection.close()
    connection.close()
    assert statuses <= {400, 401}
    assert 401 in statuses
    assert (rest(service), pending(service), service.wakes) == (before, [], [])
    assert send(service, body, headers).status_code == 200
    assert len(pending(service)) == 1


def flips(text: bytes) -> list[bytes]:
    return [
        text[:place] + bytes([text[place] ^ (1 << bit)]) + text[place + 1 :]
        for place in range(len(text))
        for bit in range(8)
    ]


@pytest.mark.parametrize(
    ("body", "status", "errors"),
    [
        (b"", 400, [("", "empty_body")]),
        (b"[", 400, [("", "broken_json")]),
        (b"[NaN]", 400, [("", "broken_json")]),
        (b'"\xff"', 400, [("", "invalid_utf8")]),
        (b"[" * 200, 400, [("", "broken_json")]),
        (b"5", 422, [("", "wrong_type")]),
        (b"{}", 422, [("hs_object_id", "missing")]),
        (json.dumps([event(fromObjectId=1, toObjectId=2)] * 101).encode(), 422, [("", "too_many")]),
        (
            json.dumps([event(fromObjectId=1.5, toObjectId=2)]).encode(),
            422,
            [("[0].fromObjectId", "wrong_type")],
        ),
        (
            json.dumps([event(fromObjectId=10**40, toObjectId=2)]).encode(),
            422,
            [("[0].fromObjectId", "invalid_id")],
        ),
        (b'[{"portalId":1,"portalId":2}]', 422, [("[0].portalId", "duplicate_key")]),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_refused_and_changes_nothing(
    service: Service, body: bytes, status: int, errors: list[tuple[str, str]]
) -> None:
    """Every fault named; nothing is used up, so that HubSpot's next try is judged anew."""
    before = all_but_counts(service)
    answer = send(service, body, signed(service, body))
    assert answer.status_code == status, answer.text
    assert [(e["path"], e["code"]) for e in answer.json()["errors"]] == errors
    assert all_but_counts(service) == before
    assert not counts(service).get("calls")


def test_a_body_of_more_than_a_mebibyte_is_413(service: Service) -> None:
    """Signed or not."""
    body = b"[" + b" " * 1024 * 1024 + b"]"
    assert send(service, body, signed(service, body)).status_code == 413


def test_other_accounts_and_other_events_ask_for_nothing(service: Service) -> None:
    """An app may be installed in several accounts, and told of more than credsync knows."""
    known = contact()
    service.therapist(contact_id=known)
    service.wakes.clear()
    answer = tell(
        service,
        linked(known, portalId=7),
        event("conversation.creation", objectId=1),
        event("object.newKind"),
        event("contact.creation", objectId=int(known), objectTypeId="0-1"),
        linked(known, objectTypeId="2-999"),
    )
    assert answer.status_code == 200
    assert (pending(service), service.wakes) == ([], [])


def test_no_value_that_hubspot_tells_is_stored_or_logged(service: Service) -> None:
    """Property values may be anything: they stay in the body."""
    known = contact()
    service.therapist(contact_id=known)
    changed = event(
        "contact.propertyChange",
        objectTypeId="0-1",
        objectId=int(known),
        propertyName="stage",
        propertyValue=CANARY,
        sourceId=CANARY,
    )
    with capture_logs() as lines:
        assert tell(service, changed).status_code == 200
    assert len(pending(service)) == 3
    assert CANARY not in f"{service.rows()}{lines}"


def test_the_feed_is_told_once_a_minute_with_counts(service: Service) -> None:
    """`webhook.received` is no flood."""
    after = service.get("/v1/events", params={"limit": 1_000}).json()["next_after"]
    with capture_logs() as lines:
        for _ in range(5):
            tell(service, linked(contact()), linked(contact()))
        service.clock.ahead += timedelta(minutes=1)
        tell(service, linked(contact()))
    feed = service.get("/v1/events", params={"after": after, "types": "webhook.received"}).json()["events"]
    assert [each["details"] for each in feed] == [
        {"calls": 1, "events": 2, "therapists": 0},
        {"calls": 5, "events": 9, "therapists": 0},
    ]
    assert [line["event"] for line in lines] == ["webhook.received"] * 2
    assert counts(service)["events"] == 11


def test_a_silent_database_is_503(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """HubSpot tries again later; nothing was used up."""
    body = json.dumps([linked(contact())]).encode()
    headers = signed(service, body)

    def broken(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception(CANARY))

    with monkeypatch.context() as patched, capture_logs() as lines:
        patched.setattr("credsync.web.api.webhooks.note_received", broken)
        answer = send(service, body, headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert CANARY not in f"{lines}{answer.text}"
    assert send(service, body, headers).json()["new"] is True


def test_refusals_are_counted_each_once_and_none_is_a_line_of_its_own(database_url: str) -> None:
    """A thousand strangers are a counter and a line or two; the counts are whole when the service has stopped."""
    with capture_logs() as lines, serving(database_url) as service:
        before = rest(service)
        for _ in range(150):
            assert send(service, b"[]", {}).status_code == 401
        for _ in range(20):
            send(service, b"[]", {}, "/v1/webhooks/hubspot/nobody")
            send(service, b"[]", signed(service, b"[]"), "/v1/webhooks/hubspot/beta")
        assert rest(service) == before
    found = {name: counts(service, name) for name in ("alpha", "beta", "", "nobody")}
    assert {name: row.get("refused") for name, row in found.items()} == {
        "alpha": 150,
        "beta": 20,
        "": 20,
        "nobody": None,
    }
    assert [found[name]["refused_for"] for name in ("alpha", "beta", "")] == [
        "not_signed",
        "no_secret",
        "unknown_portal",
    ]
    refusals = [line for line in lines if line["event"] == "webhook.refused"]
    assert sum(line["count"] for line in refusals) == 190
    assert len(refusals) <= 6


def test_on_each_database(on_each: Service) -> None:
    """The whole of it on SQLite and on PostgreSQL."""
    known = contact()
    on_each.therapist(contact_id=known)
    body = json.dumps([linked(known), event("object.creation", objectId=1)]).encode()
    headers = signed(on_each, body)
    assert send(on_each, body, headers).json()["new"] is True
    assert send(on_each, body, headers).json()["new"] is False
    assert tell(on_each, linked(known)).json()["new"] is True
    assert len(pending(on_each)) > 1
    found = counts(on_each)
    assert (found["calls"], found["events"], found["replayed"]) == (2, 3, 1)
