"""Bad input is refused with a problem that names every field, and changes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from credsync.store.tables import (
    events,
    idempotency_keys,
    moving_facts,
    sign_ups,
    submissions,
    syncs,
    therapists,
)
from tests.api.service import AT, Service, new_address

EVERYTHING = (therapists, sign_ups, submissions, moving_facts, syncs, events, idempotency_keys)
CA = {"form": "ca", "occurred_at": AT, "portal": "alpha", "data": {}}
SIGN_UP = {"kind": "first", "occurred_at": AT, "portal": "alpha"}
SECTION = {"form": "ca", "section": "medicare", "occurred_at": AT, "portal": "alpha"}


@pytest.fixture(autouse=True)
def nothing_changed(service: Service) -> Iterator[None]:
    """After each of these tests every table is as it was."""
    before = [service.count(table) for table in EVERYTHING]
    yield
    assert [service.count(table) for table in EVERYTHING] == before


def refused(answer: httpx2.Response, status: int) -> list[tuple[str, str]]:
    """Path and code of every error of a well-made problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert {"type", "title", "status", "detail", "errors"} <= set(said)
    assert said["status"] == status
    assert all(set(e) == {"path", "code", "message"} and e["message"] for e in said["errors"])
    return [(e["path"], e["code"]) for e in said["errors"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_body"),
        (b" \n", "empty_body"),
        (b"{", "broken_json"),
        (b'{"form": "ca",}', "broken_json"),
        (b"{'form': 'ca'}", "broken_json"),
        (b'{"form": "ca"} {}', "broken_json"),
        (b'\xef\xbb\xbf{"form": "ca"}', "broken_json"),
        (b'{"form": "c\na"}', "broken_json"),
        (b'{"form": "c\x00a"}', "broken_json"),
        (b'{"data": NaN}', "broken_json"),
        (b'{"data": [Infinity]}', "broken_json"),
        (b'{"data": -Infinity}', "broken_json"),
        (b'{"form": "\xff"}', "invalid_utf8"),
        ('{"form": "ca"}'.encode("utf-16"), "invalid_utf8"),
        (b'{"data": ' + b"9" * 5000 + b"}", "number_too_long"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[" * 51 + b"]" * 51, "too_deep"),
        (b'{"data":' * 51 + b"1" + b"}" * 51, "too_deep"),
        (b'{"a":1,"a":1,"b":' + b"[" * 99_999, "too_deep"),
    ],
)
def test_a_body_that_cannot_be_read_is_400(service: Service, content: bytes, code: str) -> None:
    """Broken JSON, other encodings, NaN, deep nesting: one problem, never a crash."""
    assert refused(service.send("POST", f"{new_address()}/submissions", content), 400) == [("", code)]


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b"5", b'"text"', b"true", b"[[]," + b"[" * 49 + b"]" * 50]
)
def test_a_body_that_is_no_object_is_422(service: Service, content: bytes) -> None:
    """Every call takes an object; fifty levels are not too deep."""
    assert refused(service.send("POST", f"{new_address()}/submissions", content), 422) == [("", "wrong_type")]


def test_every_bad_field_is_named_at_once(service: Service) -> None:
    """Fields of the call, of the form, names of portals and unknown fields, together."""
    body = {
        "form": "ca",
        "occurred_at": "2026-11-23T18:05:00",
        "portal": "alfa",
        "contact_id": 601,
        "moving": "yes",
        "dta": 1,
        "data": {"npi_and_caqh": {"npi": "1"}, "medicaire": {}, "personal_information": {"ssn": "x"}},
    }
    found = refused(service.post(f"{new_address()}/submissions", body), 422)
    assert sorted(found) == [
        ("contact_id", "wrong_type"),
        ("data.medicaire", "unknown_field"),
        ("data.npi_and_caqh.npi", "invalid_npi"),
        ("data.personal_information.ssn", "forbidden_field"),
        ("dta", "unknown_field"),
        ("moving", "wrong_type"),
        ("occurred_at", "missing_zone"),
        ("portal", "unknown_portal"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "required"),
    [
        ("PUT", "", ["portal"]),
        ("POST", "/sign-ups", ["kind", "occurred_at"]),
        ("POST", "/sections", ["form", "section", "occurred_at"]),
        ("POST", "/submissions", ["form", "occurred_at", "data"]),
        ("POST", "/sync", ["reason"]),
    ],
)
def test_what_is_missing_is_named(service: Service, method: str, path: str, required: list[str]) -> None:
    """An empty object names everything that is required."""
    answer = service.send(method, new_address() + path, b"{}")
    assert refused(answer, 422) == [(name, "missing") for name in required]


@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        ("", {"portal": "alpha", "contact_id": 60112345678}, ("contact_id", "wrong_type")),
        ("", {"portal": "alpha", "contact_id": 6.5}, ("contact_id", "wrong_type")),
        ("", {"portal": "alpha", "contact_id": True}, ("contact_id", "wrong_type")),
        ("", {"portal": "alpha", "contact_id": ""}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "contact_id": "12a"}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "contact_id": "-1"}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "contact_id": "١٢٣"}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "contact_id": "1" * 33}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "contact_id": "12\n"}, ("contact_id", "invalid_id")),
        ("", {"portal": "alpha", "name": 5}, ("name", "wrong_type")),
        ("", {"portal": "alpha", "name": "a\u0000b"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "a\ud800b"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "x" * 201}, ("name", "too_long")),
        ("", {"portal": "alpha", "name": " "}, ("name", "empty")),
        ("", {"portal": "alpha", "email": "nobody"}, ("email", "invalid_email")),
        ("", {"portal": "alpha", "moving": 1}, ("moving", "wrong_type")),
        ("", {"portal": "alpha", "contact": "1"}, ("contact", "unknown_field")),
        ("", {"portal": "alpha", "ssn": "1"}, ("ssn", "forbidden_field")),
        ("", {"portal": "alpha", "no plain word": "1"}, ("*", "unknown_field")),
        ("", {"portal": None}, ("portal", "wrong_type")),
        ("", {"portal": "al\u0000pha"}, ("portal", "invalid_characters")),
        ("", {"portal": "gamma"}, ("portal", "unknown_portal")),
        ("", {"portal": "alpha", "a\u0000": "1"}, ("*", "invalid_characters")),
        ("/sign-ups", {**SIGN_UP, "kind": "First"}, ("kind", "not_allowed")),
        ("/sign-ups", {**SIGN_UP, "kind": None}, ("kind", "not_allowed")),
        ("/sign-ups", {**SIGN_UP, "data": []}, ("data", "wrong_type")),
        ("/sign-ups", {**SIGN_UP, "data": {"state": "ZZ"}}, ("data.sign_up.state", "invalid_state")),
        ("/sections", {**SECTION, "section": "medicar"}, ("section", "unknown_section")),
        ("/sections", {**SECTION, "section": "attestation"}, ("section", "unknown_section")),
        ("/sections", {**SECTION, "section": 5}, ("section", "wrong_type")),
        ("/sections", {**SECTION, "form": "sign_up"}, ("form", "not_allowed")),
        ("/submissions", {**CA, "form": "cb"}, ("form", "not_allowed")),
        ("/submissions", {**CA, "form": ["ca"]}, ("form", "not_allowed")),
        ("/submissions", {**CA, "data": None}, ("data", "wrong_type")),
        ("/submissions", {**CA, "data": "text"}, ("data", "wrong_type")),
        (
            "/submissions",
            {**CA, "data": {"medicare": {"a\u0000b": 1}}},
            ("data.medicare.*", "invalid_characters"),
        ),
        ("/submissions", {**CA, "occurred_at": 1764000000}, ("occurred_at", "wrong_type")),
        ("/submissions", {**CA, "occurred_at": "2026-11-23T18:05:00"}, ("occurred_at", "missing_zone")),
        ("/submissions", {**CA, "occurred_at": "2026-11-23"}, ("occurred_at", "invalid_datetime")),
        ("/submissions", {**CA, "occurred_at": "2026-02-30T00:00:00Z"}, ("occurred_at", "invalid_datetime")),
        ("/submissions", {**CA, "occurred_at": "0001-01-01T00:00:00Z"}, ("occurred_at", "out_of_range")),
        ("/submissions", {**CA, "occurred_at": "9999-12-31T23:59:59Z"}, ("occurred_at", "out_of_range")),
        ("/sync", {"reason": ""}, ("reason", "empty")),
        ("/sync", {"reason": "two\nlines"}, ("reason", "invalid_characters")),
        ("/sync", {"reason": "asked", "include_held": "true"}, ("include_held", "wrong_type")),
    ],
)
def test_a_bad_field_is_named(
    service: Service, path: str, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    """Wrong types, unknown names, ids as numbers, times without zone, NUL."""
    answer = service.send("POST" if path else "PUT", new_address() + path, json.dumps(body).encode())
    assert refused(answer, 422) == [fault]


@pytest.mark.parametrize(
    ("path", "body", "meant"),
    [
        ("/sections", {**SECTION, "section": "medicar"}, "medicare"),
        ("/submissions", {**CA, "occured_at": AT}, "occurred_at"),
        ("/submissions", {**CA, "portal": "alpa"}, "alpha"),
        ("/submissions", {**CA, "portal": "zzz"}, "alpha, beta"),
        ("/submissions", {**CA, "contact_id": 601}, "quotes"),
    ],
)
def test_the_refusal_says_what_was_meant(
    service: Service, path: str, body: dict[str, Any], meant: str
) -> None:
    """A slip is answered with the nearest known name, a number with its remedy."""
    answer = service.post(new_address() + path, body)
    assert meant in answer.json()["errors"][0]["message"]


def test_a_key_given_twice_is_refused(service: Service) -> None:
    """Two values under one key are ambiguous; each is named where it stands."""
    content = b'{"form":"ca","form":"af","data":{"x":[{"y":1,"y":2}],"SSN 1":1,"SSN 1":2}}'
    found = refused(service.send("POST", f"{new_address()}/submissions", content), 422)
    assert sorted(found) == [
        ("data.*", "duplicate_key"),
        ("data.x[0].y", "duplicate_key"),
        ("form", "duplicate_key"),
    ]


def test_thousands_of_faults_are_cut(service: Service) -> None:
    """A hostile body gets a bounded answer, soon."""
    body = {f"unknown_{n}": n for n in range(20_000)}
    answer = service.post(f"{new_address()}/sync", body)
    assert answer.status_code == 422
    assert len(answer.content) < 50_000


@pytest.mark.parametrize(
    "uuid", ["1", "0b9f1c3e52a44d1e9a517d6f3a1f0c11", "{0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11}", "%00"]
)
def test_a_therapist_is_named_by_a_uuid(service: Service, uuid: str) -> None:
    """Anything else in the address is refused by name."""
    assert refused(service.put(f"/v1/therapists/{uuid}", {"portal": "alpha"}), 422) == [
        ("uuid", "invalid_uuid")
    ]


def test_a_body_of_two_mib_is_413(service: Service) -> None:
    """By its Content-Length, before it is read."""
    content = json.dumps({**CA, "data": {"x": "y" * 2**21}}).encode()
    assert refused(service.send("POST", f"{new_address()}/submissions", content), 413) == [("", "too_large")]


def test_a_declared_length_is_enough(service: Service) -> None:
    """The refusal comes before the first byte of the body."""
    address = urlsplit(service.url)
    head = (
        f"POST {new_address()}/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.tokens['admin']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {2**20 + 1}\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as caller:
        caller.sendall(head.encode())
        assert caller.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_is_bounded_too(service: Service) -> None:
    """Without a Content-Length it is cut off at 1 MiB."""
    chunks = (b" " * 65_536 for _ in range(40))
    assert refused(service.send("POST", f"{new_address()}/submissions", chunks), 413) == [("", "too_large")]


def test_an_endless_body_is_answered_before_its_end(service: Service) -> None:
    """The refusal does not wait for the rest: nothing beyond the limit is kept."""
    address = urlsplit(service.url)
    head = (
        f"POST {new_address()}/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.tokens['admin']}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as caller:
        caller.sendall(head.encode())
        for _ in range(17):
            caller.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        assert caller.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_just_below_the_limit_is_read(service: Service) -> None:
    """1 MiB of blanks and an empty object is too long by nothing."""
    content = b" " * (2**20 - 2) + b"{}"
    assert refused(service.send("POST", f"{new_address()}/sync", content), 422) == [("reason", "missing")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonp"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_a_body_that_is_not_declared_as_json_is_415(service: Service, headers: dict[str, str]) -> None:
    """No guessing what a body is."""
    answer = service.send("POST", f"{new_address()}/sync", b'{"reason": "x"}', **headers)
    assert refused(answer, 415) == [(next(iter(headers)), "media_type")]


def test_json_may_be_declared_with_its_charset(service: Service) -> None:
    """`application/json; charset=utf-8` and `+json` types are JSON."""
    for kind in ('application/json; charset="UTF-8"', "APPLICATION/JSON", "application/vnd.x+json"):
        answer = service.send("POST", f"{new_address()}/sync", b"{}", **{"Content-Type": kind})
        assert answer.status_code == 422


@pytest.mark.parametrize("key", ["", "a b", "k\u00e9y", "k" * 256])
def test_an_unusable_idempotency_key_is_400(service: Service, key: str) -> None:
    """1 to 255 visible ASCII characters."""
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = service.as_("admin").post(f"{new_address()}/sync", json={"reason": "x"}, headers=headers)  # type: ignore[arg-type]
    assert refused(answer, 400) == [("Idempotency-Key", "invalid_key")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/therapists/", 404),
        ("DELETE", "/v1/therapists", 405),
        ("PATCH", "/v1/therapists/0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11", 405),
        ("GET", "/v1/therapists/0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11", 404),
        ("GET", "/v1/therapists/0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11/timeline", 404),
        ("GET", "/v1/therapists/0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11/packet", 404),
    ],
)
def test_what_is_not_there_is_a_problem_too(service: Service, method: str, path: str, status: int) -> None:
    """404 and 405 look like every other error."""
    answer = service.as_("admin").request(method, path)
    refused(answer, status)
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) <= {"GET", "HEAD", "PUT"}


def test_a_refused_method_hears_of_all_others(service: Service) -> None:
    """`Allow` names every method of the address, not only the first."""
    answer = service.as_("admin").request("DELETE", new_address())
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("state=waitin", ("state", "not_allowed")),
        ("slot=licence", ("slot", "not_allowed")),
        ("portal=gamma", ("portal", "not_allowed")),
        ("limit=0", ("limit", "out_of_range")),
        ("limit=many", ("limit", "out_of_range")),
        ("limit=501", ("limit", "out_of_range")),
        ("cursor=nonsense", ("cursor", "invalid_cursor")),
        ("stat=waiting", ("stat", "unknown_field")),
        ("state=waiting&state=held", ("state", "duplicate_key")),
        ("q=%00", ("q", "invalid_characters")),
        (f"q={'x' * 1001}", ("q", "too_long")),
    ],
)
def test_a_bad_parameter_is_named(service: Service, query: str, fault: tuple[str, str]) -> None:
    """A slip in a question does not silently ask another one."""
    assert refused(service.get(f"/v1/therapists?{query}"), 422) == [fault]


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("after=-1", ("after", "out_of_range")),
        ("after=9999999999999999999", ("after", "out_of_range")),
        ("types=link.found,link.lots", ("types", "not_allowed")),
        ("limit=1001", ("limit", "out_of_range")),
    ],
)
def test_a_bad_parameter_of_the_feed_is_named(service: Service, query: str, fault: tuple[str, str]) -> None:
    """Event names are checked, so that a feed is not empty for a slip."""
    assert refused(service.get(f"/v1/events?{query}"), 422) == [fault]


def test_a_caller_that_hangs_up_leaves_nothing(service: Service) -> None:
    """Half a body is no body."""
    address = urlsplit(service.url)
    target = new_address()
    head = (
        f"PUT {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.tokens['admin']}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as caller:
        caller.sendall(head.encode() + b'{"portal": "alpha"}')
    assert service.get(target).status_code == 404
