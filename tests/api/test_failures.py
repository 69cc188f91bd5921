"""What nobody expected is answered and logged under one id, and no value is in either."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from credsync.core.forms import check_form
from credsync.store import portals as store
from credsync.store.database import Database
from credsync.store.tables import therapists
from credsync.web.api import intake
from tests.api.service import AT, Service, new_address

SECRET = "zebra-value"
BODY = {
    "form": "ca",
    "occurred_at": AT,
    "portal": "alpha",
    "data": {"practice_preferences": {"bio": SECRET}, "medicare": {"answers": [SECRET]}},
}


class Broken:
    """Raises what it is told, with a submitted value in the message."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *args: object, **kwargs: object) -> Any:
        raise self.error


def test_an_unexpected_error_is_a_problem_with_an_id(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """500 with an id; the log has one line of that id; neither has the error's message, which may hold a value."""
    monkeypatch.setattr("credsync.store.intake.accept_submission", Broken(ValueError(SECRET)))
    before = service.count(therapists)
    address = new_address()
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        answer = service.post(f"{address}/submissions", BODY)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    (line,) = lines
    assert line["event"] == "request.failed"
    assert line["instance"] == answer.json()["instance"]
    assert line["error"] == "ValueError"
    assert line["therapist_id"] == address.rpartition("/")[2]
    assert line["route"] == "/v1/therapists/{uuid}/submissions"
    assert any("test_failures.py" in place for place in line["passed"])
    assert SECRET not in f"{lines}{caplog.text}{answer.text}"
    assert service.count(therapists) == before


def test_a_silent_database_is_503(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told to send the call again."""
    error = OperationalError("INSERT", {"data": SECRET}, Exception(SECRET))
    monkeypatch.setattr("credsync.store.intake.accept_submission", Broken(error))
    with capture_logs() as lines:
        answer = service.post(f"{new_address()}/submissions", BODY)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert [line["event"] for line in lines] == ["database.unreachable"]
    assert SECRET not in f"{lines}{answer.text}"


def test_a_failed_fact_leaves_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after the fact was stored takes the fact back: it is one transaction."""
    monkeypatch.setattr("credsync.web.api.taking.remember", Broken(ValueError(SECRET)))
    before = service.count(therapists)
    with capture_logs():
        answer = service.post(
            f"{new_address()}/sign-ups",
            {"kind": "first", "occurred_at": AT, "portal": "alpha"},
            Idempotency_Key="fails-late",
        )
    assert answer.status_code == 500
    assert service.count(therapists) == before
    assert service.wakes == []


def test_log_lines_hold_events_and_no_values(service: Service) -> None:
    """One line per event, by the agreed names, found by contact id; no value of what was submitted."""
    contact_id = "7777777001"
    data = {"first_name": "Zebra", "last_name": SECRET, "email": "zebra@example.org"}
    with capture_logs() as lines:
        address = service.therapist(name=f"Zebra {SECRET}", contact_id=contact_id)
        service.post(f"{address}/sign-ups", {"kind": "first", "occurred_at": AT, "data": data})
        service.post(f"{address}/submissions", {**BODY, "occurred_at": "2026-11-24T00:00:00Z"})
        service.post(f"{address}/sync", {"reason": SECRET})
        service.post(f"{address}/submissions", {**BODY, "data": {"npi_and_caqh": {"npi": SECRET}}})
        service.get(f"{address}/packet")
    assert [line["event"] for line in lines] == [
        "sign_up.completed",
        "form.submitted",
        "form.submitted",
        "sync.requested",
    ]
    for line in lines:
        assert (line["portal"], line["contact_id"]) == ("alpha", contact_id)
        assert line["therapist_id"] == address.rpartition("/")[2]
        assert "ebra" not in str(line)


def test_problems_echo_no_value(service: Service) -> None:
    """Whatever is wrong, the refusal names fields and rules, never what was sent."""
    for body in (
        {**BODY, "form": SECRET},
        {**BODY, "occurred_at": SECRET},
        {**BODY, "portal": SECRET},
        {**BODY, "contact_id": SECRET},
        {**BODY, "moving": SECRET},
        {**BODY, "data": SECRET},
        {**BODY, "data": {"npi_and_caqh": {"npi": SECRET}}},
        {**BODY, "data": {"medicare": {"answers": {f"{SECRET} {SECRET}": {"x": SECRET}}}}},
        {**BODY, f"{SECRET} as a key": 1},
        {**BODY, "contact_id": f"{SECRET}\0"},
        [SECRET],
        SECRET,
    ):
        answer = service.post(f"{new_address()}/submissions", body)
        assert answer.status_code == 422, body
        assert SECRET not in answer.text, body
    assert SECRET not in service.send("POST", f"{new_address()}/sync", f'{{"x": {SECRET}}}'.encode()).text


def test_ready_names_the_portal_that_is_not(service: Service) -> None:
    """503 names it and keeps the details for those who may see them; a pause is no fault."""
    with service.database.write() as connection:
        store.set_problem(connection, "beta", f"label {SECRET} is missing")
    try:
        answer = service.as_(None).get("/readyz")
    finally:
        with service.database.write() as connection:
            store.set_problem(connection, "beta", None)
    assert answer.status_code == 503
    assert [e["path"] for e in answer.json()["errors"]] == ["portals.beta"]
    assert SECRET not in answer.text
    service.post("/v1/portals/beta/pause", {"reason": "labels change"})
    assert service.as_(None).get("/readyz").status_code == 200
    service.send("POST", "/v1/portals/beta/resume", b"")


def test_ready_says_when_the_database_is_gone(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 without a database; the process is alive all the same."""
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with capture_logs() as lines, monkeypatch.context() as patch:
        patch.setattr(service.database, "engine", empty.engine)
        ready, alive = service.as_(None).get("/readyz"), service.as_(None).get("/healthz")
    empty.close()
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert [e["path"] for e in ready.json()["errors"]] == ["database"]
    assert [line["event"] for line in lines] == ["database.unreachable"]


def test_a_large_body_keeps_nobody_waiting(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checking runs beside the event loop: while one body is checked, others are answered."""
    answered: list[int] = []

    def slow(*args: Any, **kwargs: Any) -> Any:
        answered.append(service.as_(None).get("/healthz").status_code)
        return check_form(*args, **kwargs)

    monkeypatch.setattr(intake, "check_form", slow)
    assert service.post(f"{new_address()}/submissions", BODY).status_code == 202
    assert answered == [200]
