"""user and audit: links alone on standard output, who may what, and a chain that is gone through."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from credsync.core.people import Role
from credsync.store import people, set_up_links
from credsync.store.database import Database
from tests.cli.conftest import Run


def test_user_add_prints_the_link_alone(run: Run, database: Database) -> None:
    """So that a script can send it: once used or after 15 minutes it holds no more, and a new one ends it."""
    ended = run("user", "add", "Ada@Example.org", "--role", "success")
    assert (ended.code, ended.err) == (0, "")
    [link] = ended.out.splitlines()
    base, _, secret = link.rpartition("/set-up/")
    assert base == "http://127.0.0.1:8080"

    def held(given: str) -> set_up_links.SetUp | None:
        with database.read() as connection:
            return set_up_links.set_up_of(connection, given, database.clock.now())

    first = held(secret)
    assert first is not None
    assert first.person is not None
    assert (first.person.email, first.person.role) == ("ada@example.org", Role.SUCCESS)
    told = json.loads(run("user", "link", "ada@example.org", "--json").out)
    assert told["state"] == "has no password yet"
    assert held(secret) is None
    assert held(told["link"].rpartition("/")[2])


def test_the_link_is_at_the_address_people_reach_the_service_by(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`public_url`, where it is set."""
    monkeypatch.setenv("CREDSYNC_PUBLIC_URL", "https://credsync.example.org/")
    ended = run("user", "add", "ada@example.org", "--role", "admin")
    assert ended.out.startswith("https://credsync.example.org/set-up/")


def test_a_person_is_let_in_once_and_by_a_role_there_is(run: Run, database: Database) -> None:
    """Each refusal says what to do."""
    assert run("user", "add", "ada@example.org", "--role", "admin").code == 0
    again = run("user", "add", "ADA@example.org", "--role", "admin")
    assert (again.code, again.out) == (1, "")
    assert "credsync user link ada@example.org" in again.err
    king = run("user", "add", "bob@example.org", "--role", "king")
    assert king.code == 2
    assert "none of viewer, success, admin" in king.err
    assert run("user", "add", "bob", "--role", "admin").code == 2
    unknown = run("user", "link", "bob@example.org")
    assert unknown.code == 1
    assert "credsync user list" in unknown.err


def test_people_are_listed_with_how_they_stand(run: Run, database: Database) -> None:
    """Role, sessions, and whether they may sign in."""
    assert "credsync user add" in run("user", "list").out
    run("user", "add", "ada@example.org", "--role", "admin")
    run("user", "add", "bob@example.org", "--role", "viewer")
    assert run("user", "disable", "bob@example.org").code == 0
    assert "already" in run("user", "disable", "bob@example.org").out
    told = json.loads(run("user", "list", "--json").out)["people"]
    assert [(e["email"], e["role"], e["state"], e["sessions"]) for e in told] == [
        ("ada@example.org", "admin", "has no password yet", 0),
        ("bob@example.org", "viewer", "disabled", 0),
    ]
    assert "bob@example.org" in run("user", "list").out
    refused = run("user", "link", "bob@example.org")
    assert refused.code == 1
    assert "credsync user enable bob@example.org" in refused.err
    assert run("user", "enable", "bob@example.org").code == 0
    assert run("user", "role", "bob@example.org", "--role", "success").code == 0
    with database.read() as connection:
        bob = people.person_of(connection, "bob@example.org")
    assert bob is not None
    assert (bob.role, bob.disabled_at) == (Role.SUCCESS, None)
    refused = run("user", "role", "ada@example.org", "--role", "viewer")
    assert refused.code == 1
    assert "last admin" in refused.err


def test_audit_verify_goes_through_the_chain_and_names_the_first_broken_line(
    run: Run, database: Database
) -> None:
    """Exit 0 while it holds, 1 with the line; a line noted elsewhere must still stand there."""
    assert run("audit", "verify").code == 0
    for name in ("ada", "bob", "cy"):
        run("user", "add", f"{name}@example.org", "--role", "viewer")
    whole = json.loads(run("audit", "verify", "--json").out)
    assert (whole["ok"], whole["lines"], whole["broken"]) == (True, 6, None)
    noted = f"6:{whole['head']}"
    assert noted in run("audit", "verify", "--expect", noted).out
    assert run("audit", "verify", "--expect", "6").code == 2
    assert run("audit", "verify", "--expect", f"7:{whole['head']}").code == 1
    with database.write() as connection:
        name = "audit_keeps_content" if database.is_sqlite else "audit_is_append_only ON audit"
        connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit SET whom = 'eve@example.org' WHERE seq = 3"))
    broken = run("audit", "verify")
    assert (broken.code, broken.out) == (1, "")
    assert "breaks at line 3" in broken.err
    told = run("audit", "verify", "--json")
    assert told.code == 1
    assert json.loads(told.out)["broken"]["line"] == 3


def test_the_audit_is_listed_newest_first(run: Run, database: Database) -> None:
    """All of it, or of one."""
    assert "Nothing" in run("audit", "list").out
    for name in ("ada", "bob"):
        run("user", "add", f"{name}@example.org", "--role", "viewer")
    lines = json.loads(run("audit", "list", "--json").out)["lines"]
    assert [each["act"] for each in lines] == ["person.link_made", "person.added"] * 2
    assert all(each["who"].startswith("cli:") for each in lines)
    only = json.loads(run("audit", "list", "--whom", "person:ada@example.org", "--json").out)["lines"]
    assert {each["whom"] for each in only} == {"ada@example.org"}
    assert run("audit", "list", "--whom", "ada").code == 2
    assert "ada@example.org" in run("audit", "list", "--limit", "4").out
