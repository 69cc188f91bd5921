"""`credsync today`, `credsync mapping` and `credsync token list`: what the console shows, at the command line."""

from __future__ import annotations

import json

from credsync.store.database import Database
from tests.cli.conftest import Run


def test_today_says_how_everything_stands(run: Run, database: Database) -> None:
    assert database
    shown = run("today")
    assert shown.code == 0
    assert "in_sync" in shown.out
    assert "sandbox" in shown.out
    assert "No alert is open." in shown.out
    told = json.loads(run("today", "--json").out)
    assert told["portals"][0]["quota"]["calls"]["used"] == 0


def test_the_mapping_is_drawn_or_told_as_json(run: Run, database: Database) -> None:
    assert database
    shown = run("mapping")
    assert "label “Active Attested”" in shown.out
    assert "npi_and_caqh.medicare_status" in shown.out
    told = json.loads(run("mapping", "demo", "--json").out)
    assert told["mappings"][0]["portal"] == "demo"
    assert run("mapping", "nowhere").code == 2


def test_tokens_are_listed_without_their_secrets(run: Run, database: Database) -> None:
    assert database
    assert "There is no token" in run("token", "list").out
    token = run("token", "create", "backend", "--scope", "read,sync").out.strip()
    listed = run("token", "list")
    assert "backend" in listed.out
    assert "read, sync" in listed.out
    assert token not in listed.out
    assert json.loads(run("token", "list", "--json").out)["tokens"][0]["scopes"] == ["read", "sync"]
