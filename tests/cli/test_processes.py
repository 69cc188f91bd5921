"""Commands as real processes: exit codes, pipes, signals, and a start that says why it cannot."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from credsync.store import schema
from credsync.store.database import Database
from tests.cli.conftest import ROOT, Run, Start, end
from tests.flow.processes import until

TOKEN = {"CREDSYNC_HUBSPOT_TOKEN_DEMO": "pat-none"}


def test_a_command_that_opens_nothing_starts_without_the_heavy_rooms(home: Path) -> None:
    """`credsync version` is there at once: no database, web or validation library is imported for it."""
    heavy = ("sqlalchemy", "alembic", "fastapi", "uvicorn", "pydantic", "httpx2", "structlog", "rich")
    code = f"import sys, credsync.cli; print([m for m in {heavy} if m in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"


def test_a_pipe_gets_the_token_and_nothing_else(start: Start, database: Database) -> None:
    """As `TOKEN=$(credsync token create …)` sees it."""
    ended = end(start("token", "create", "backend", "--scope", "intake"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("credsync_")
    assert len(ended.out.split()) == 1


def test_a_foreseen_fault_is_one_sentence_on_standard_error(start: Start, home: Path) -> None:
    """No traceback, no colour in a pipe, nothing on standard output."""
    (home / "credsync.toml").write_text("portal = 'x'\n")
    ended = end(start("list"))
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("credsync: The settings cannot be used:\n  portal in credsync.toml")
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_makes_its_first_sqlite_database_and_ends_cleanly_on_a_signal(
    start: Start, home: Path, number: signal.Signals
) -> None:
    """Exit 0 within 10 s; every log line is JSON."""
    service = start("serve", CREDSYNC_BIND="127.0.0.1:0", **TOKEN)
    lines = _until(service, "service.started")
    service.send_signal(number)
    ended = end(service)
    assert ended.code == 0
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("database.created", "service.started")
    assert lines[-1]["address"].startswith("http://127.0.0.1:")
    assert all(json.loads(line) for line in ended.err.splitlines())
    database = Database("sqlite:///credsync.db")
    schema.check(database)
    database.close()


def test_a_worker_alone_ends_cleanly_on_a_signal(start: Start, database: Database) -> None:
    """Without an API there is no web server to catch it."""
    service = start("serve", "--only", "worker", **TOKEN)
    _until(service, "service.started")
    service.send_signal(signal.SIGTERM)
    assert end(service).code == 0


def test_sqlite_refuses_a_second_worker_with_a_sentence(start: Start, sqlite_file: Path) -> None:
    """Exit 1 as for a port in use: who holds the file, since when, and the three ways out. An API alone may join."""
    service = start("serve", "--only", "worker", **TOKEN)
    _until(service, "service.started")
    place = Path("credsync.db.worker")
    until(lambda: place.exists() and place.read_text(), 15, "its worker")
    ended = end(start("serve", "--only", "worker", **TOKEN))
    assert (ended.code, ended.out) == (1, "")
    assert f"A worker runs on credsync.db already: process {service.pid} on " in ended.err
    assert all(way in ended.err for way in ("Stop that one first", "`--only api`", "PostgreSQL"))
    beside = start("serve", "--only", "api", CREDSYNC_BIND="127.0.0.1:0")
    _until(beside, "service.started")
    for process in (beside, service):
        process.terminate()
        assert end(process).code == 0


def test_serve_is_reached_by_others_only_with_tls_in_front_and_somebody_let_in(
    start: Start, run: Run, database: Database
) -> None:
    """Exit 4 with both sentences, or with the one that is missing; on loopback it starts."""
    everywhere, tls = {"CREDSYNC_BIND": "0.0.0.0:0"}, {"CREDSYNC_PUBLIC_URL": "https://credsync.example.org"}
    both = end(start("serve", "--only", "api", **everywhere))
    assert (both.code, both.out) == (4, "")
    assert "a proxy with TLS" in both.err
    assert "credsync user add EMAIL --role admin" in both.err
    nobody = end(start("serve", "--only", "api", **everywhere, **tls))
    assert nobody.code == 4
    assert "a proxy with TLS" not in nobody.err
    assert "credsync user add" in nobody.err
    assert run("user", "add", "ada@example.org", "--role", "admin").code == 0
    plain = end(
        start("serve", "--only", "api", **everywhere, CREDSYNC_PUBLIC_URL="http://credsync.example.org")
    )
    assert plain.code == 4
    assert "a proxy with TLS" in plain.err
    service = start("serve", "--only", "api", **everywhere, **tls)
    _until(service, "service.started")
    service.terminate()
    assert end(service).code == 0


def test_the_first_start_logs_one_link_to_become_the_first_admin(start: Start, home: Path) -> None:
    """No default account: the link opens a page where one chooses an address and a password; then none is made."""
    service = start("serve", "--only", "api", CREDSYNC_BIND="127.0.0.1:0")
    [line] = [line for line in _until(service, "people.set_up") if line["event"] == "people.set_up"]
    with httpx2.Client() as http:
        assert http.get(line["link"]).status_code == 200
        password = "four plain words here"
        fields = {"email": "ada@example.org", "password": password, "again": password}
        assert http.post(line["link"], data=fields).status_code == 303
        assert http.get(line["link"].partition("/set-up/")[0] + "/people").status_code == 200
    service.terminate()
    assert end(service).code == 0
    again = start("serve", "--only", "api", CREDSYNC_BIND="127.0.0.1:0")
    _until(again, "service.started")
    again.terminate()
    assert "people.set_up" not in end(again).err


def test_serve_never_migrates_an_existing_database(start: Start, database: Database) -> None:
    """Exit 4 with the command that does."""
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    ended = end(start("serve", **TOKEN))
    assert ended.code == 4
    assert "credsync db upgrade" in ended.err
    assert schema.version_of(database) is None


def test_serve_names_the_variable_of_a_missing_token(start: Start, database: Database) -> None:
    """Exit 4."""
    ended = end(start("serve", CREDSYNC_BIND="127.0.0.1:0"))
    assert ended.code == 4
    assert "CREDSYNC_HUBSPOT_TOKEN_DEMO" in ended.err
    assert "Traceback" not in ended.err


def test_serve_says_that_its_port_is_in_use(start: Start, database: Database) -> None:
    """Exit 1, before anything runs, with the address and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = end(start("serve", CREDSYNC_BIND=address, **TOKEN))
    assert ended.code == 1
    assert f"Cannot listen on {address}: the port is in use" in ended.err
    assert "`bind`" in ended.err


def test_speed_is_for_a_hubspot_on_loopback(start: Start, home: Path, database: Database) -> None:
    """Ten times faster than agreed with HubSpot itself would be a fault."""
    portal = home / "portals" / "demo.toml"
    portal.write_text(portal.read_text().replace("http://127.0.0.1:8090", "https://api.hubapi.com"))
    ended = end(start("serve", "--speed", "10", **TOKEN))
    assert ended.code == 4
    assert "loopback" in ended.err


def test_sandbox_takes_limits_latency_and_faults_from_the_start(start: Start, home: Path) -> None:
    """What `/_sandbox/` sets while it runs, for a rehearsal that begins with it."""
    (home / "faults.json").write_text(
        '[{"match": {"kind": "schema"}, "times": null, "answer": {"status": 503}}]'
    )
    limits = ("--calls-per-10s", "7", "--association-calls-per-10s", "5", "--daily-calls", "1000")
    given = ("--port", "0", "--portal", "portals/demo.toml", "--latency", "1ms", "--faults", "faults.json")
    hooks = ("--webhooks-shuffled", "--webhooks-doubled", "0.5", "--webhooks-late", "2m")
    sandbox = start("sandbox", *given, *limits, *hooks, "--webhooks-of-workflows")
    assert sandbox.stdout is not None
    url = sandbox.stdout.readline().split()[-1]
    with httpx2.Client(base_url=url, headers={"Authorization": "Bearer any"}) as client:
        answer = client.get("/crm-object-schemas/v3/schemas")
        assert (answer.status_code, answer.headers["X-HubSpot-RateLimit-Max"]) == (503, "7")
        settings = client.get("/_sandbox/settings").json()
        assert (settings["latency"], settings["daily_calls"]) == (0.001, 1000)
        assert settings["association_calls_per_10s"] == 5
        told = {key: value for key, value in settings.items() if key.startswith("webhooks_")}
        assert told == {
            "webhooks_shuffled": True,
            "webhooks_doubled": 0.5,
            "webhooks_late": 120,
            "webhooks_of_workflows": True,
        }
    sandbox.terminate()
    assert end(sandbox).code == 0


def test_sandbox_has_the_same_options_under_both_its_names() -> None:
    """`credsync sandbox` and `python -m credsync_sandbox`."""
    from typer.main import get_command

    from credsync.cli.commands import commands
    from credsync_sandbox.main import parser

    mine = get_command(commands).commands["sandbox"]  # type: ignore[attr-defined]
    ours = {option for each in mine.params for option in each.opts}
    theirs = {option for each in parser()._actions for option in each.option_strings}
    assert ours - {"--help"} == theirs - {"-h", "--help"}


def test_sandbox_listens_and_ends_cleanly(start: Start, home: Path) -> None:
    """It says where; SIGTERM ends it with 0, and the content is kept where `--state` says."""
    sandbox = start(
        "sandbox", "--portal", "portals/demo.toml", "--port", "0", "--delay", "cases", "--state", "kept"
    )
    assert sandbox.stdout is not None
    assert sandbox.stdout.readline().startswith("sandbox listening on http://127.0.0.1:")
    sandbox.terminate()
    assert end(sandbox).code == 0
    assert (home / "kept").exists()


def _until(process: subprocess.Popen[str], event: str) -> list[dict[str, Any]]:
    """The log lines up to the one of that event."""
    assert process.stderr is not None
    lines: list[dict[str, Any]] = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == event:
            return lines
    raise AssertionError(f"ended with {process.wait()} after {lines}")
