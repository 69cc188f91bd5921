"""Upkeep: the schema, tokens, portals."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from credsync.store import portals, schema
from credsync.store.database import Database
from credsync.store.tokens import Scope, caller_of
from tests.cli.conftest import Run


def test_db_upgrade_brings_an_empty_database_to_the_schema_and_says_so(
    run: Run, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on SQLite and PostgreSQL; a second run has nothing to do."""
    monkeypatch.setenv("CREDSYNC_DATABASE_URL", empty_database_url)
    first, again = run("db", "upgrade"), run("db", "upgrade")
    assert (first.code, again.code) == (0, 0)
    assert "was empty" in first.out
    assert "nothing to do" in again.out
    database = Database(empty_database_url)
    schema.check(database)
    database.close()


@pytest.mark.parametrize(
    "command", [("list",), ("db", "upgrade"), ("token", "create", "x", "--scope", "read")]
)
def test_a_database_of_a_newer_program_is_left_alone(
    run: Run, database: Database, command: list[str]
) -> None:
    """Exit 4, with the version and what to do; nothing is migrated."""
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ended = run(*command)
    assert ended.code == 4
    assert "9999" in ended.err
    assert "a newer credsync made it" in ended.err
    assert schema.version_of(database) == "9999"


def test_an_older_schema_is_named_with_the_command_that_upgrades_it(run: Run, database: Database) -> None:
    """No command migrates on its own."""
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    ended = run("list")
    assert ended.code == 4
    assert "credsync db upgrade" in ended.err


def test_looking_makes_no_database(run: Run, home: Path) -> None:
    """A question asked in the wrong directory leaves nothing behind."""
    ended = run("list")
    assert ended.code == 4
    assert "credsync.db" in ended.err
    assert "credsync db upgrade" in ended.err
    assert not (home / "credsync.db").exists()


@pytest.mark.parametrize("given", [["--scope", "intake,read"], ["--scope", "read", "--scope", "intake"]])
def test_token_create_prints_the_token_alone(run: Run, database: Database, given: list[str]) -> None:
    """So that a script can keep it: standard output is the token, with the scopes that were asked for."""
    ended = run("token", "create", "backend", *given)
    assert (ended.code, ended.err) == (0, "")
    [token] = ended.out.splitlines()
    with database.read() as connection:
        caller = caller_of(connection, token)
    assert caller is not None
    assert (caller.name, caller.scopes) == ("backend", {Scope.INTAKE, Scope.READ})


def test_a_token_name_is_given_once(run: Run, database: Database) -> None:
    """The second is refused with the remedy, and the first still works; after a revoke the name is free."""
    first = run("token", "create", "backend", "--scope", "read").out.strip()
    second = run("token", "create", "backend", "--scope", "admin")
    assert (second.code, second.out) == (1, "")
    assert "credsync token revoke backend" in second.err
    with database.read() as connection:
        assert caller_of(connection, first)
    assert run("token", "revoke", "backend").code == 0
    with database.read() as connection:
        assert caller_of(connection, first) is None
    assert run("token", "revoke", "backend").code == 1
    assert run("token", "create", "backend", "--scope", "read").code == 0


def test_an_unknown_scope_is_usage_and_names_the_known(run: Run, database: Database) -> None:
    """Exit 2, and nothing is made."""
    ended = run("token", "create", "backend", "--scope", "intake,reed")
    assert ended.code == 2
    assert "'reed' is none of intake, read, sync, admin" in ended.err
    assert run("token", "revoke", "backend").code == 1


def test_a_portal_is_paused_with_a_reason_and_resumed(run: Run, database: Database) -> None:
    """Who paused and why is kept; pausing twice is one pause; a portal nobody knows is refused with the known ones."""
    assert run("portal", "pause", "demo", "--reason", " ").code == 2
    assert run("portal", "pause", "demo", "--reason", "HubSpot audit").code == 0
    assert "HubSpot audit" in run("portal", "pause", "demo", "--reason", "again").out
    with database.read() as connection:
        status = portals.status_of(connection, "demo")
    assert status.paused_reason == "HubSpot audit"
    assert str(status.paused_by).startswith("cli:")
    assert "goes on" in run("portal", "resume", "demo").out
    assert "was not paused" in run("portal", "resume", "demo").out
    unknown = run("portal", "pause", "alpha", "--reason", "x")
    assert unknown.code == 1
    assert "demo" in unknown.err


def test_a_pause_does_not_wait_for_a_broken_portal_file(run: Run, home: Path, database: Database) -> None:
    """On call, in the middle of somebody's edit."""
    (home / "portals" / "demo.toml").write_text("[hub")
    assert run("portal", "pause", "demo", "--reason", "x").code == 0
