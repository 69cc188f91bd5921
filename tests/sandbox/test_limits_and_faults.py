"""HubSpot's limits in the sandbox's own time, and every fault that can be set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.sandbox.driver import Driver, running

DETAILS = "/account-info/2026-09/details"


def limit(sandbox: Driver, **settings: Any) -> None:
    """Change settings."""
    sandbox.do("/settings", settings, method="PUT")


def test_every_answer_carries_a_correlation_id_and_the_limits(sandbox: Driver) -> None:
    """Counted down with each call; associations have numbers of their own."""
    first, second = sandbox.hubspot.get(DETAILS), sandbox.hubspot.get(DETAILS)
    assert first.headers["X-HubSpot-Correlation-Id"] != second.headers["X-HubSpot-Correlation-Id"]
    assert second.headers["X-HubSpot-RateLimit-Max"] == "190"
    assert second.headers["X-HubSpot-RateLimit-Remaining"] == "188"
    assert second.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert second.headers["X-HubSpot-RateLimit-Daily"] == "625000"
    assert second.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624998"
    looked = sandbox.look("1")
    assert looked.headers["X-HubSpot-RateLimit-Max"] == "150"
    assert looked.headers["X-HubSpot-RateLimit-Remaining"] == "149"
    assert looked.headers["X-HubSpot-RateLimit-Daily"] == "500000"


def test_the_hundred_and_ninety_first_call_in_ten_seconds_is_refused_until_the_first_is_ten_seconds_old(
    sandbox: Driver,
) -> None:
    """A rolling window, in sandbox time; the bucket of associations is another."""
    assert sandbox.hubspot.get(DETAILS).status_code == 200
    sandbox.advance(5)
    assert {sandbox.hubspot.get(DETAILS).status_code for _ in range(189)} == {200}
    refused = sandbox.hubspot.get(DETAILS)
    assert refused.status_code == 429
    assert refused.json() == {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "correlationId": refused.headers["X-HubSpot-Correlation-Id"],
    }
    assert "Retry-After" not in refused.headers
    assert refused.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    assert sandbox.look("1").status_code == 200
    sandbox.advance(4.999)
    assert sandbox.hubspot.get(DETAILS).status_code == 429
    sandbox.advance(0.001)
    assert sandbox.hubspot.get(DETAILS).status_code == 200
    assert sandbox.hubspot.get(DETAILS).status_code == 429


def test_associations_have_a_bucket_of_their_own(sandbox: Driver) -> None:
    """Looks refused, other calls not."""
    limit(sandbox, association_calls_per_10s=2)
    assert [sandbox.look("1").status_code for _ in range(3)] == [200, 200, 429]
    assert sandbox.hubspot.get(DETAILS).status_code == 200


def test_a_used_up_day_ends_at_midnight_in_the_accounts_time_zone(sandbox: Driver) -> None:
    """Policy DAILY; `Retry-After` only where the setting says so."""
    limit(sandbox, daily_calls=1, retry_after=True)
    assert sandbox.hubspot.get(DETAILS).status_code == 200
    refused = sandbox.hubspot.get(DETAILS)
    assert (refused.status_code, refused.json()["policyName"]) == (429, "DAILY")
    wait = int(refused.headers["Retry-After"])
    assert 0 < wait <= 25 * 3600 + 1
    sandbox.advance(wait - 2)
    assert sandbox.hubspot.get(DETAILS).status_code == 429
    sandbox.advance(3)
    assert sandbox.hubspot.get(DETAILS).status_code == 200


def test_search_is_limited_to_five_a_second(sandbox: Driver) -> None:
    """Policy SECONDLY."""
    path = "/crm/objects/2026-09/contacts/search"
    answers = [sandbox.hubspot.post(path, json={}) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert answers[-1].json()["policyName"] == "SECONDLY"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc"])
def test_without_a_token_nothing_is_answered(sandbox: Driver, header: str | None) -> None:
    """401 INVALID_AUTHENTICATION."""
    answer = httpx2.get(sandbox.url + DETAILS, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json()["correlationId"]


def test_only_listed_tokens_are_taken_once_there_is_a_list(sandbox: Driver) -> None:
    """Before, any token is."""
    limit(sandbox, tokens=["other"])
    assert sandbox.hubspot.get(DETAILS).status_code == 401
    limit(sandbox, tokens=["other", "pat-na1-test"])
    assert sandbox.hubspot.get(DETAILS).status_code == 200


@pytest.mark.parametrize(
    ("granted", "method", "path", "missing"),
    [
        ([], "POST", "/crm/objects/2026-09/contacts/batch/read", ["crm.objects.contacts.read"]),
        ([], "POST", "/crm/objects/2026-09/credentialing/batch/update", ["crm.objects.custom.write"]),
        (
            ["crm.objects.contacts.read"],
            "POST",
            "/crm/associations/2026-09/0-1/credentialing/batch/read",
            ["crm.objects.custom.read"],
        ),
        ([], "GET", "/crm-object-schemas/2026-09/schemas", ["crm.schemas.custom.read"]),
        ([], "GET", "/crm/properties/2026-09/contacts", ["crm.schemas.contacts.read"]),
    ],
)
def test_a_call_without_its_scope_is_403_and_names_it(
    sandbox: Driver, granted: list[str], method: str, path: str, missing: list[str]
) -> None:
    """`errors[0].context.requiredGranularScopes`."""
    limit(sandbox, scopes=granted)
    answer = sandbox.hubspot.request(
        method, path, json={"inputs": [{"id": "1"}]} if method == "POST" else None
    )
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert answer.json()["errors"][0]["context"]["requiredGranularScopes"] == missing
    assert sandbox.hubspot.get(DETAILS).status_code == 200


@pytest.mark.parametrize("status", [423, 429, 477, 500, 502, 503, 504, 521, 524])
def test_a_fault_answers_a_status_so_many_times(sandbox: Driver, status: int) -> None:
    """Then it is gone."""
    fault = sandbox.do("/faults", {"match": {"path": "details$", "method": "GET"}, "times": 2,
                                   "answer": {"status": status, "headers": {"Retry-After": "7"}}})  # fmt: skip
    answers = [sandbox.hubspot.get(DETAILS) for _ in range(3)]
    assert [one.status_code for one in answers] == [status, status, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json()["status"] == "error"
    assert [one["fault"] for one in sandbox.do("/requests", method="GET")["requests"]] == [
        fault["id"]
    ] * 2 + [None]


def test_faults_meet_the_calls_they_match_and_no_others(sandbox: Driver) -> None:
    """By kind, by a text in the body, after letting some pass; and they can be removed."""
    sandbox.do("/faults", [
        {"match": {"kind": "associations", "contains": "4711"}, "skip": 1, "answer": {"status": 500}},
        {"match": {"kind": "objects"}, "times": None, "answer": {"status": 503}},
    ])  # fmt: skip
    assert [sandbox.look(one).status_code for one in ("1", "4711", "4711", "4711")] == [200, 200, 500, 200]
    assert [sandbox.objects("read", [{"id": "1"}]).status_code for _ in range(3)] == [503] * 3
    left = sandbox.do("/faults", method="GET")["faults"]
    assert [one["hits"] for one in left] == [3]
    assert sandbox.do(f"/faults/{left[0]['id']}", method="DELETE") == {"removed": 1}
    assert sandbox.objects("read", [{"id": "1"}]).status_code == 200


@pytest.mark.parametrize(
    ("shape", "status", "text"),
    [
        ("html", 502, "<!DOCTYPE html>"),
        ("garbage", 200, '{"status": "COMPLETE", "results": [{"id": "33'),
        ("empty", 200, ""),
        ("no_verdicts", 200, '{"status":"COMPLETE","results":[]}'),
        ({"status": 500, "body": "oops"}, 500, "oops"),
        ({"status": 400, "body": {"message": "odd"}}, 400, '{"message":"odd"'),
    ],
)
def test_a_fault_answers_what_no_client_expects(sandbox: Driver, shape: Any, status: int, text: str) -> None:
    """HTML, half a JSON, nothing, no verdicts, any text, any object."""
    sandbox.do("/faults", {"answer": shape})
    answer = sandbox.look("1")
    assert answer.status_code == status
    assert answer.text.startswith(text)
    assert "X-HubSpot-Correlation-Id" in answer.headers


def test_a_revoked_token_and_missing_scopes_can_be_faults_too(sandbox: Driver) -> None:
    """The scopes are those of the call they meet, unless named."""
    sandbox.do("/faults", [{"answer": "revoked_token"}, {"answer": "missing_scopes"},
                           {"answer": {"shape": "missing_scopes", "scopes": ["x.y"]}},
                           {"answer": {"status": 429, "policy": "DAILY"}}])  # fmt: skip
    path = "/crm/objects/2026-09/credentialing/batch/update"
    answers = [sandbox.hubspot.post(path, json={"inputs": []}).json() for _ in range(4)]
    assert answers[0]["category"] == "INVALID_AUTHENTICATION"
    assert answers[1]["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.custom.write"]
    assert answers[2]["errors"][0]["context"]["requiredGranularScopes"] == ["x.y"]
    assert answers[3]["policyName"] == "DAILY"


def test_a_fault_can_close_the_connection_or_keep_it_hanging(sandbox: Driver) -> None:
    """Nothing is answered; the log has status 0."""
    sandbox.do("/faults", [{"answer": "close"}, {"answer": "hang"}])
    with pytest.raises(httpx2.RemoteProtocolError):
        sandbox.look("1")
    with pytest.raises(httpx2.ReadTimeout):
        sandbox.hubspot.get(DETAILS, timeout=0.2)
    assert sandbox.hubspot.get(DETAILS).status_code == 200
    logged = sandbox.do("/requests", method="GET")["requests"]
    assert [one["status"] for one in logged] == [0, 0, 200]
    assert [one["bytes_out"] > 0 for one in logged] == [False, False, True]


@pytest.mark.parametrize("shape", ["close", "garbage", {"status": 504}])
def test_after_its_effect_a_write_is_done_and_its_answer_lost(sandbox: Driver, shape: Any) -> None:
    """What makes a client's result unknown."""
    contact = sandbox.contact(slots=["credentialing_active_attested"])
    record = contact["planned"][0]["id"]
    for after_effect, written in ((False, {}), (True, {"npi": "1"})):
        sandbox.do("/faults", {"answer": shape, "after_effect": after_effect})
        try:
            assert sandbox.update(record, npi="1").text != ""
        except httpx2.RemoteProtocolError:
            assert shape == "close"
        held = sandbox.records(contact["id"])["credentialing_active_attested"]
        assert (held["properties"], held["writes"]) == (written, len(written))


def test_a_slow_fault_answers_late_but_right(sandbox: Driver) -> None:
    """`latency` in wall time."""
    sandbox.do("/faults", {"latency": "200ms"})
    started = time.monotonic()
    assert sandbox.hubspot.get(DETAILS).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_storm_meets_its_share_of_the_calls_while_it_lasts(sandbox: Driver) -> None:
    """Every third call, evenly, for a minute of sandbox time."""
    sandbox.do("/faults", {"answer": {"status": 429}, "share": 1 / 3, "times": None, "lasts": "1m"})
    met = [sandbox.hubspot.get(DETAILS).status_code for _ in range(9)]
    assert met == [200, 200, 429] * 3
    sandbox.do("/time", {"advance": "1m"})
    assert {sandbox.hubspot.get(DETAILS).status_code for _ in range(9)} == {200}
    assert sandbox.do("/faults", method="GET") == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer": "nonsense"},
        {"answer": {"status": 1000}},
        {"answer": {"status": 500, "more": 1}},
        {"answer": "html", "match": {"kind": "x"}},
        {"answer": "html", "match": {"path": "("}},
        {"answer": "html", "times": 0},
        {"answer": "html", "share": 0},
        {"answer": "html", "share": "half"},
        {"answer": "html", "lasts": "soon"},
        {"answer": "html", "surprise": True},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Driver, body: Any) -> None:
    """And none is set."""
    sandbox.do("/faults", body, status=400)
    assert sandbox.do("/faults", method="GET") == {"faults": []}


def test_limits_run_as_fast_as_the_sandboxs_time(tmp_path: Path) -> None:
    """At speed 1,000 ten seconds are ten milliseconds."""
    with running(tmp_path, speed=1000) as sandbox:
        limit(sandbox, calls_per_10s=1)
        deadline = time.monotonic() + 5
        while sandbox.summary()["by_status"].get("200", 0) < 2 and time.monotonic() < deadline:
            sandbox.hubspot.get(DETAILS)
        assert sandbox.summary()["by_status"]["200"] == 2
