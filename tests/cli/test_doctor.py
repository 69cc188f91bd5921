"""The examination as the command shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credsync.store.database import Database
from credsync_sandbox.app import build_app
from credsync_sandbox.server import in_thread
from tests.cli.conftest import Run


def test_doctor_works_without_database_and_hubspot(run: Run, home: Path) -> None:
    """A new machine: what fails stands there with its remedy, exit 1, and nothing is made."""
    ended = run("doctor")
    assert (ended.code, ended.err) == (1, "")
    assert "failing" in ended.out
    assert "credsync db upgrade" in ended.out
    assert "CREDSYNC_HUBSPOT_TOKEN_DEMO" in ended.out
    assert not (home / "credsync.db").exists()


def test_doctor_finds_nothing_failing_where_all_is_well(
    run: Run, home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 0, though there is advice; as JSON for machines."""
    portal = home / "portals" / "demo.toml"
    monkeypatch.setenv("CREDSYNC_HUBSPOT_TOKEN_DEMO", "any")
    with in_thread(build_app(portal)) as sandbox:
        portal.write_text(portal.read_text().replace("http://127.0.0.1:8090", sandbox.url))
        ended = run("doctor", "--json")
    report = json.loads(ended.out)
    assert (ended.code, report["worst"]) == (0, "advice")
    assert {"settings", "schema", "portal demo: mapping"} <= {each["name"] for each in report["findings"]}
    assert all(each["remedy"] for each in report["findings"] if each["level"] != "ok")


def test_doctor_shows_every_fault_of_a_portal_file(run: Run, home: Path, database: Database) -> None:
    """On lines of their own."""
    portal = home / "portals" / "demo.toml"
    portal.write_text(portal.read_text().replace("mode =", "mood =").replace('key = "state"', 'key = "stat"'))
    ended = run("doctor")
    assert ended.code == 1
    assert any(line.strip().startswith("hubspot.mood:") for line in ended.out.splitlines())


def test_doctor_ends_with_4_where_the_settings_cannot_be_read(run: Run, home: Path) -> None:
    """There is nothing to examine then."""
    (home / "credsync.toml").write_text("bind = [")
    ended = run("doctor")
    assert ended.code == 4
    assert "credsync.toml cannot be read as settings" in ended.err
