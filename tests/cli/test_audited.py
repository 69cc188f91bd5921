"""Every command that changes something leaves a line in the audit; a rehearsal leaves none."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credsync.core.facts import SignUpKind
from credsync.store import audit
from credsync.store.database import Database, insert_row
from credsync.store.intake import accept_sign_up, accept_submission
from credsync.store.tables import alerts, links
from credsync.store.therapists import Door, Who
from tests.api.test_alerts import row_of
from tests.api.test_choosing import SLOT
from tests.cli.conftest import ROOT, Run

THERAPIST = "11111111-1111-4111-8111-111111111111"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def lines(database: Database) -> list[audit.Entry]:
    """Every line, oldest first; the chain holds."""
    with database.read() as connection:
        assert audit.verify(connection).broken is None
        return [row.entry for row in reversed(audit.page(connection, limit=1_000))]


@pytest.fixture
def known(database: Database, home: Path) -> Database:
    """A therapist who has submitted, with a slot to choose for; an alert; a file to import."""
    door = Door(NOW, timedelta(seconds=3))
    with database.write() as connection:
        who = Who(THERAPIST, "demo", "101")
        accept_sign_up(connection, door, who, SignUpKind.FIRST, NOW, None, None)
        accept_submission(connection, door, who, "ca", NOW, None, {"npi_and_caqh": {"npi": "1234567893"}})
        link = {
            "therapist_id": THERAPIST,
            "slot": SLOT,
            "portal": "demo",
            "awaited": True,
            "awaited_since": NOW,
        }
        told = {
            "state": "ambiguous",
            "reason": "two_records_in_slot",
            "candidates": ["801", "802"],
            "looks": 1,
        }
        connection.execute(links.insert(), {**link, **told})
        insert_row(connection, alerts, **row_of(NOW, portal="demo"))
    (home / "some.csv").write_text("id,contact_id\n22222222-2222-4222-8222-222222222222,102\n")
    return database


WHY = ["--reason", "on the phone"]
COMMANDS: list[tuple[list[str], str, str, str | None]] = [
    (["sync", THERAPIST, *WHY], "sync.requested", THERAPIST, "on the phone"),
    (["choose", THERAPIST, SLOT, "802", *WHY], "link.chosen", THERAPIST, "on the phone"),
    (["resync", "--form", "ca", *WHY], "resync.requested", "1", "on the phone"),
    (["import", "some.csv"], "therapists.imported", "1", None),
    (["alerts", "1", "--acknowledge", "--note", "mine"], "alert.acknowledged", "1", "mine"),
    (["portal", "pause", "demo", *WHY], "portal.paused", "demo", "on the phone"),
    (["db", "restored"], "portal.restored", "demo", None),
    (["token", "create", "backend", "--scope", "read"], "token.created", "backend", None),
]


@pytest.mark.parametrize(("command", "act", "whom", "why"), COMMANDS, ids=lambda c: c[0] if c else None)
def test_each_command_that_acts_leaves_one_line(
    run: Run, known: Database, command: list[str], act: str, whom: str, why: str | None
) -> None:
    """Who, what, to whom and why."""
    ended = run(*command)
    assert ended.code == 0, ended.err
    [line] = lines(known)
    assert line.who.startswith("cli:")
    assert (line.act, line.whom, line.why) == (act, whom, why)


def test_what_a_command_undoes_is_a_line_too(run: Run, known: Database) -> None:
    """Resumed, revoked; what there was not is none."""
    assert run("portal", "resume", "demo").code == 0
    assert run("token", "revoke", "backend").code == 1
    assert lines(known) == []
    run("portal", "pause", "demo", *WHY)
    run("token", "create", "backend", "--scope", "read")
    assert run("portal", "resume", "demo").code == 0
    assert run("token", "revoke", "backend").code == 0
    assert [line.act for line in lines(known)][-2:] == ["portal.resumed", "token.revoked"]


@pytest.mark.parametrize("command", [["import", "some.csv"], ["resync", "--form", "ca", *WHY]], ids=" ".join)
def test_a_rehearsal_leaves_no_line(run: Run, known: Database, command: list[str]) -> None:
    """Nothing was done."""
    run(*command, "--dry-run")
    assert lines(known) == []


RAW = frozenset({"accept_sync", "accept_choice", "accept_note", "request_resync", "import_therapist"})
_BY_ROOM: dict[str, frozenset[str]] = {
    "portals": frozenset({"pause", "resume"}),
    "restoring": frozenset({"take_up_backup"}),
    "tokens": frozenset({"create_token", "revoke_token"}),
    "alerts": frozenset({"acknowledge"}),
}


def unseen(source: str) -> list[str]:
    """What a module does past the audit."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            room = (node.module or "").rpartition("store.")[2]
            raw = RAW | _BY_ROOM.get(room, frozenset())
            found += [each.name for each in node.names if each.name in raw]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            raw = _BY_ROOM.get(node.value.id, frozenset()) | (RAW if node.value.id != "acts" else frozenset())
            found += [node.attr] if node.attr in raw else []
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from credsync.store.intake import accept_sync", ["accept_sync"]),
        ("from credsync.store.tokens import create_token", ["create_token"]),
        ("portals.pause(c, 'x')", ["pause"]),
        ("store.accept_sync(c)", ["accept_sync"]),
        ("acts.pause(c)\nfrom credsync.store.acts import create_token", []),
    ],
)
def test_what_goes_past_the_audit_is_seen(source: str, found: list[str]) -> None:
    """The check below can fail."""
    assert unseen(source) == found


@pytest.mark.parametrize("part", ["web", "cli"])
def test_pages_calls_and_commands_act_by_way_of_the_audit(part: str) -> None:
    """Import alone goes on by itself: one line for all that went into one transaction."""
    paths = sorted((ROOT / "credsync" / part).rglob("*.py"))
    past = {path.name: unseen(path.read_text(encoding="utf-8")) for path in paths}
    assert {name: found for name, found in past.items() if found} == (
        {"importing.py": ["import_therapist"]} if part == "cli" else {}
    )
