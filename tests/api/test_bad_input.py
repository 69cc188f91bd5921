"""Bad input is refused with a problem that names every field, and changes not a row."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.service import AT, Service, new_address, serving
from tests.conftest import Copies
from tests.core.forms.ask import at

CA = {"form": "ca", "occurred_at": AT, "portal": "alpha", "data": {}}
SIGN_UP = {"kind": "first", "occurred_at": AT, "portal": "alpha"}
SECTION = {"form": "ca", "section": "medicare", "occurred_at": AT, "portal": "alpha"}
KEY = "pressed-once"
TAKEN = "60112345678"
LICENSES = "data.education_and_training.licenses"


@pytest.fixture(scope="module")
def peopled(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    """A service of its own with four therapists in it, and the address of one who has submitted with a key."""
    with copies(tmp_path_factory.mktemp("bad-input")) as url, serving(url) as service:
        for _ in range(3):
            service.therapist()
        known = service.therapist(contact_id=TAKEN, name="Ada O'Neil")
        assert service.post(f"{known}/sign-ups", SIGN_UP).status_code == 202
        body = {**CA, "data": {"npi_and_caqh": {"npi": "1234567893"}}}
        assert service.post(f"{known}/submissions", body, Idempotency_Key=KEY).status_code == 202
        yield service, known


@pytest.fixture
def service(peopled: tuple[Service, str]) -> Service:
    """The service."""
    return peopled[0]


@pytest.fixture
def known(peopled: tuple[Service, str]) -> str:
    """The address of a therapist with a contact, a sign-up and a submission."""
    return peopled[1]


@pytest.fixture(autouse=True)
def nothing_changed(service: Service) -> Iterator[None]:
    """After each of these tests every row of every table is as it was."""
    before = service.rows()
    yield
    assert service.rows() == before


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
        (b"[" * 10_000 + b"]" * 10_000, "too_deep"),
        (b'{"data":' * 10_000 + b"{}" + b"}" * 10_000, "too_deep"),
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
def test_what_is_missing_is_named(
    service: Service, known: str, method: str, path: str, required: list[str]
) -> None:
    """An empty object names everything that is required."""
    answer = service.send(method, known + path, b"{}")
    assert refused(answer, 422) == [(name, "missing") for name in required]


@pytest.mark.parametrize("path", ["/sign-ups", "/sections", "/submissions"])
def test_a_therapist_nobody_knows_needs_a_portal(service: Service, path: str) -> None:
    """A first fact without a portal is refused for that alone, and beside other faults that is named with them."""
    bodies = {"/sign-ups": SIGN_UP, "/sections": SECTION, "/submissions": CA}
    body = {name: value for name, value in bodies[path].items() if name != "portal"}
    assert refused(service.post(new_address() + path, body), 422) == [("portal", "missing")]
    body["occurred_at"] = "yesterday"
    assert refused(service.post(new_address() + path, body), 422) == [
        ("occurred_at", "invalid_datetime"),
        ("portal", "missing"),
    ]


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
        ("", {"portal": "alpha", "name": "a\u202eb"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "a\u2066b"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "a\u200bb"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "\ufeffAnn"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "<b>Ann</b>"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "=1+1"}, ("name", "invalid_characters")),
        ("", {"portal": "alpha", "name": "@SUM(A1)"}, ("name", "invalid_characters")),
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
        ("/sections", {**SECTION, "section": "Medicare"}, ("section", "unknown_section")),
        ("/sections", {**SECTION, "section": 5}, ("section", "wrong_type")),
        ("/sections", {**SECTION, "form": "sign_up"}, ("form", "not_allowed")),
        ("/submissions", {**CA, "form": "cb"}, ("form", "not_allowed")),
        ("/submissions", {**CA, "form": "CA"}, ("form", "not_allowed")),
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
        ("/submissions", {**CA, "occurred_at": "0000-01-01T00:00:00Z"}, ("occurred_at", "invalid_datetime")),
        ("/submissions", {**CA, "occurred_at": "0001-01-01T00:00:00Z"}, ("occurred_at", "out_of_range")),
        ("/submissions", {**CA, "occurred_at": "9999-12-31T23:59:59Z"}, ("occurred_at", "out_of_range")),
        ("/submissions", {**CA, "contact_id": 60112345678.0}, ("contact_id", "wrong_type")),
        ("/submissions", {**CA, "contact_id": -601}, ("contact_id", "wrong_type")),
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


def test_what_may_not_be_null_is_not_said_to_be_cleared_by_it(service: Service) -> None:
    answer = service.post(new_address() + "/sync", {"reason": ""})
    assert answer.json()["errors"][0]["message"] == "must not be empty"


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
        ("reason=because", ("reason", "not_allowed")),
        ("longer_than=a+week", ("longer_than", "not_a_duration")),
        ("counts=yes", ("counts", "not_allowed")),
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


REFUSED_FIELDS: list[tuple[str, Any, str]] = [
    ("sign_up.first_name", "A\u0000nn", "invalid_characters"),
    ("sign_up.first_name", "A\ud800nn", "invalid_characters"),
    ("sign_up.first_name", "A\u202enn", "invalid_characters"),
    ("sign_up.first_name", "A\u2067nn", "invalid_characters"),
    ("sign_up.first_name", "A\u200ennie", "invalid_characters"),
    ("sign_up.first_name", "A\u200bnn", "invalid_characters"),
    ("sign_up.first_name", "A\u200dnn", "invalid_characters"),
    ("sign_up.first_name", "\ufeffAnn", "invalid_characters"),
    ("sign_up.first_name", "<script>alert(1)</script>", "invalid_characters"),
    ("sign_up.first_name", "Ann<img src=x onerror=alert(1)>", "invalid_characters"),
    ("sign_up.first_name", '=HYPERLINK("https://example.org")', "invalid_characters"),
    ("sign_up.first_name", "+1+1", "invalid_characters"),
    ("sign_up.first_name", "-1+1", "invalid_characters"),
    ("sign_up.first_name", "@SUM(A1:A9)", "invalid_characters"),
    ("sign_up.first_name", ["Ann"], "wrong_type"),
    ("sign_up.kind", "FIRST", "not_allowed"),
    ("sign_up.state", "Calif.", "invalid_state"),
    ("sign_up.state", "ca", "invalid_state"),
    ("sign_up.postal_code", "2139", "invalid_postal_code"),
    ("sign_up.postal_code", 2139, "wrong_type"),
    ("sign_up.bls.expiry", "2026-02-30", "invalid_date"),
    ("sign_up.bls.expiry", "0000-01-01", "invalid_date"),
    ("personal_information.name_changed", "true", "wrong_type"),
    ("personal_information.name_changed", 1, "wrong_type"),
    ("npi_and_caqh.npi", "1234567890", "invalid_npi"),
    ("npi_and_caqh.npi", 1234567893, "wrong_type"),
    ("npi_and_caqh.npi", "١٢٣٤٥٦٧٨٩٣", "invalid_npi"),
    ("npi_and_caqh.caqh_id", 42.0, "wrong_type"),
    ("npi_and_caqh.caqh_id", "-42", "invalid_caqh_id"),
    ("practice_preferences.bio", "b" * 65_537, "too_long"),
    ("practice_preferences.specialties", ["Grief;Anxiety"], "separator"),
    ("practice_preferences.specialties", ["Grief\u037eAnxiety"], "separator"),
    ("practice_preferences.languages", ["en;es"], "invalid_language"),
    ("practice_preferences.weekly_appointments", -1, "out_of_range"),
    ("practice_preferences.weekly_appointments", 10**9, "out_of_range"),
    ("practice_preferences.weekly_appointments", 1.5, "wrong_type"),
    ("education_and_training.fellowships", ["a;b"], "separator"),
    ("custom.shirt_size", 5, "wrong_type"),
    ("custom.shirt_sise", "M", "unknown_field"),
    ("personal_information.ssn", "000-00-0000", "forbidden_field"),
    ("npi_and_caqh.caqh_password", "", "forbidden_field"),
    ("payouts", {}, "forbidden_field"),
]


@pytest.mark.parametrize(("path", "value", "code"), REFUSED_FIELDS, ids=lambda each: ascii(each)[:40])
def test_a_bad_field_of_a_form_is_named(
    service: Service, known: str, path: str, value: Any, code: str
) -> None:
    """What is there must be valid: of a therapist who is known, the one bad field is named and nothing is kept."""
    found = refused(service.post(f"{known}/submissions", {**CA, "data": at(path, value)}), 422)
    where = path + ("[0]" if isinstance(value, list) and path.count(".") and code != "wrong_type" else "")
    assert found == [(f"data.{where}", code)]


def test_every_bad_field_of_a_form_is_named_in_one_answer(service: Service, known: str) -> None:
    """One answer names all: whoever mends a form should not learn of its faults one after another."""
    data = {
        "sign_up": {
            "first_name": "A\u200bnn",
            "last_name": "<b>",
            "suffix": "=1",
            "state": "Calif.",
            "postal_code": "2139",
            "bls": {"expiry": "2026-02-30"},
        },
        "personal_information": {"name_changed": "true", "birth_date": "0000-01-01", "ssn": "x"},
        "education_and_training": {
            "licenses": [
                {"state": "NY", "type": "LCSW", "issued": "2026-01-02", "expiry": "2026-01-01"},
                {"state": "NY", "type": "PT", "number": 5},
                {"type": "PT"},
            ]
        },
        "practice_preferences": {
            "bio": "b" * 65_537,
            "specialties": ["a;b"],
            "weekly_appointments": 1e300,
        },
        "npi_and_caqh": {"npi": "1234567890", "nip": "1"},
        "medicare": {"answers": [True] * 11},
        "custom": {"shirt_sise": "M"},
        "payout": {},
    }
    body = {**CA, "data": data, "occurred_at": "2026-02-30T00:00:00Z", "contact_id": -1, "moving": "true"}
    assert sorted(refused(service.post(f"{known}/submissions", body), 422)) == sorted(
        [
            ("occurred_at", "invalid_datetime"),
            ("contact_id", "wrong_type"),
            ("moving", "wrong_type"),
            ("data.sign_up.first_name", "invalid_characters"),
            ("data.sign_up.last_name", "invalid_characters"),
            ("data.sign_up.suffix", "invalid_characters"),
            ("data.sign_up.state", "invalid_state"),
            ("data.sign_up.postal_code", "invalid_postal_code"),
            ("data.sign_up.bls.expiry", "invalid_date"),
            ("data.personal_information.name_changed", "wrong_type"),
            ("data.personal_information.birth_date", "invalid_date"),
            ("data.personal_information.ssn", "forbidden_field"),
            (f"{LICENSES}[0].expiry", "date_order"),
            (f"{LICENSES}[1].number", "wrong_type"),
            (f"{LICENSES}[1]", "duplicate_item"),
            (f"{LICENSES}[2].state", "missing"),
            ("data.practice_preferences.bio", "too_long"),
            ("data.practice_preferences.specialties[0]", "separator"),
            ("data.practice_preferences.weekly_appointments", "wrong_type"),
            ("data.npi_and_caqh.npi", "invalid_npi"),
            ("data.npi_and_caqh.nip", "unknown_field"),
            ("data.medicare.answers", "too_many"),
            ("data.custom.shirt_sise", "unknown_field"),
            ("data.payout", "forbidden_field"),
        ]
    )


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1E+999999"])
@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ('"data": {}, "contact_id": %s', ("contact_id", "wrong_type")),
        ('"data": {}, "moving": %s', ("moving", "wrong_type")),
        (
            '"data": {"practice_preferences": {"weekly_appointments": %s}}',
            ("data.practice_preferences.weekly_appointments", "wrong_type"),
        ),
        ('"data": {"medicare": {"answers": [%s]}}', ("data.medicare.answers[0]", "out_of_range")),
        (
            '"data": {"employment_and_malpractice": {"claims": [{"paid": %s}]}}',
            ("data.employment_and_malpractice.claims[0].*", "out_of_range"),
        ),
    ],
)
def test_a_number_that_is_too_large_for_any_reader_is_refused(
    service: Service, known: str, number: str, place: str, fault: tuple[str, str]
) -> None:
    """1e400 is JSON, and infinity to most who read it."""
    content = f'{{"form": "ca", "occurred_at": "{AT}", {place % number}}}'.encode()
    assert refused(service.send("POST", f"{known}/submissions", content), 422) == [fault]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"state": "NY", "type": "LCSW"}, {"state": "NY", "type": "PT"}),
        ({"state": "NY", "type": "LCSW"}, {"state": " NY ", "number": "7"}),
    ],
)
def test_two_items_for_one_record_are_refused(
    service: Service, known: str, first: dict[str, str], second: dict[str, str]
) -> None:
    """Where a portal tells licences by state alone, two of one state would be mixed on one record: both are named."""
    data = {"education_and_training": {"licenses": [{"state": "NJ"}, first, second]}}
    answer = service.post(f"{known}/submissions", {**CA, "data": data})
    assert refused(answer, 422) == [(f"{LICENSES}[2]", "duplicate_item")]
    assert "licenses[1]" in answer.json()["errors"][0]["message"]
    without = {name: value for name, value in CA.items() if name != "portal"}
    answer = service.post(f"{known}/submissions", {**without, "data": data})
    assert refused(answer, 422) == [(f"{LICENSES}[2]", "duplicate_item")]


def test_an_item_without_what_tells_its_record_is_refused(service: Service) -> None:
    """Where a portal tells licences by state and type, one without its type would be skipped in silence."""
    licenses = [{"state": "NY", "type": "PT"}, {"state": "NY"}, {"state": "NJ", "type": " "}, {"type": "PT"}]
    data = {"education_and_training": {"licenses": licenses}}
    answer = service.post(f"{new_address()}/submissions", {**CA, "portal": "twofold", "data": data})
    assert sorted(refused(answer, 422)) == [
        (f"{LICENSES}[1].type", "missing"),
        (f"{LICENSES}[2].type", "missing"),
        (f"{LICENSES}[3].state", "missing"),
    ]


def test_a_key_that_was_used_for_another_body_is_409(service: Service, known: str) -> None:
    """The second body is not taken, whatever it says, nor under another address."""
    other = {**CA, "data": {"npi_and_caqh": {"npi": None}}}
    for address in (f"{known}/submissions", f"{new_address()}/submissions"):
        found = refused(service.post(address, other, Idempotency_Key=KEY), 409)
        assert found == [("Idempotency-Key", "key_reused")]
    sync = service.post(f"{known}/sync", {"reason": "asked"}, Idempotency_Key=KEY)
    assert refused(sync, 409) == [("Idempotency-Key", "key_reused")]


def test_two_idempotency_keys_are_400(service: Service, known: str) -> None:
    """Which of two is meant nobody can say."""
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    answer = service.as_("admin").post(f"{known}/sync", json={"reason": "x"}, headers=headers)
    assert refused(answer, 400) == [("Idempotency-Key", "invalid_key")]


def test_one_contact_claimed_twice_is_409(service: Service) -> None:
    """One contact belongs to one therapist of a portal; the second claim is refused in every call that can make it."""
    for path, body in (("", {"portal": "alpha"}), ("/sign-ups", SIGN_UP), ("/submissions", CA)):
        claim = json.dumps({**body, "contact_id": TAKEN}).encode()
        answer = service.send("POST" if path else "PUT", new_address() + path, claim)
        assert refused(answer, 409) == [("contact_id", "contact_taken")]


def test_a_therapist_stays_in_their_portal(service: Service, known: str) -> None:
    """A fact under another portal's name is a mistake somewhere."""
    answer = service.post(f"{known}/submissions", {**CA, "portal": "beta"})
    assert refused(answer, 409) == [("portal", "portal_differs")]


@pytest.mark.parametrize("record_id", [601, 6.01, -601, "-601", "٦٠١", "6e2", "", None, True])
def test_a_record_is_named_by_digits(service: Service, known: str, record_id: object) -> None:
    """Ids of HubSpot are texts of ASCII digits in every call."""
    slot = f"{known}/links/credentialing_active_attested"
    found = refused(service.post(slot, {"record_id": record_id, "reason": "asked"}), 422)
    assert [path for path, _ in found] == ["record_id"]


@pytest.mark.parametrize(
    "limit", ["-1", "1000000000", "0", "1.0", "1e2", "\u0661\u0660", "%2B5", "0x10", "NaN", "10;"]
)
@pytest.mark.parametrize("address", ["/v1/therapists", "/v1/events", "/v1/alerts"])
def test_a_limit_is_a_whole_number_within_bounds(service: Service, address: str, limit: str) -> None:
    """-1 and 10^9 are no sizes of a page, and digits are ASCII digits."""
    assert refused(service.get(f"{address}?limit={limit}"), 422) == [("limit", "out_of_range")]


@pytest.mark.parametrize("after", ["-1", "1e3", "1.5", "٣", "null", "9" * 40])
def test_a_place_in_the_feed_is_a_whole_number(service: Service, after: str) -> None:
    """What no feed gave is refused rather than taken for the beginning."""
    assert refused(service.get(f"/v1/events?after={after}"), 422) == [("after", "out_of_range")]


@pytest.mark.parametrize("state", ["Waiting", "WAITING", "waiting ", "done"])
def test_a_state_is_spelt_as_it_is(service: Service, state: str) -> None:
    """Case counts in every word that is one of a few."""
    assert refused(service.get("/v1/therapists", params={"state": state}), 422) == [("state", "not_allowed")]


def test_a_cursor_that_was_tampered_with_is_refused(service: Service) -> None:
    """Whatever is changed in a cursor, the list does not go on from some other place."""
    cursor = service.get("/v1/therapists?limit=1").json()["next_cursor"]
    assert service.get(f"/v1/therapists?limit=1&cursor={cursor}").status_code == 200
    tampered = {
        cursor[:n] + ("A" if letter != "A" else "B") + cursor[n + 1 :] for n, letter in enumerate(cursor)
    }
    tampered |= {
        cursor[:-1],
        cursor[1:],
        cursor + "A",
        cursor + "=",
        cursor * 2,
        cursor.swapcase(),
        "-1",
        "1e9",
    }
    for changed in sorted(tampered):
        found = refused(service.get("/v1/therapists", params={"limit": 1, "cursor": changed}), 422)
        assert found == [("cursor", "invalid_cursor")]
