"""Asking of one therapist and of all: show, list, packet; and sync."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from credsync.core.facts import SignUpKind
from credsync.store.database import Database
from credsync.store.intake import accept_sign_up, accept_submission
from credsync.store.tables import links, portals, syncs
from credsync.store.therapists import Door, Who
from tests.cli.conftest import Run

ANN, BOB = "0191a7c2-0000-7000-8000-00000000000a", "0191a7c2-0000-7000-8000-00000000000b"
CONTACT, RECORD = "12345678901234567890", "98765432109876543210"
SIGNED_UP = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def two_therapists(database: Database) -> Database:
    """Ann has a contact and a found Credentialing; Bob, who signed up a minute later, has no contact yet."""
    with database.write() as connection:
        connection.execute(
            portals.insert().values(
                name="demo",
                account={
                    "portal_id": "77",
                    "ui_domain": "app.hubspot.com",
                    "types": {"credentialing": "2-5"},
                },
            )
        )
        for at, therapist, contact, name in ((0, ANN, CONTACT, "Ann Ü"), (1, BOB, None, "Bob\x1b[2J")):
            door = Door(SIGNED_UP + timedelta(minutes=at), timedelta(seconds=3))
            who = Who(therapist, "demo", contact, name)
            accept_sign_up(connection, door, who, SignUpKind.FIRST, door.now, False, None)
        data = {"npi_and_caqh": {"npi": "1234567893"}}
        accept_submission(connection, door, Who(ANN), "ca", door.now, None, data)
        connection.execute(
            links.insert().values(
                therapist_id=ANN,
                slot="credentialing_active_attested",
                portal="demo",
                awaited=True,
                awaited_since=SIGNED_UP,
                state="found",
                reason="",
                record_id=RECORD,
                candidates=[],
                first_missed_at=SIGNED_UP,
                looks=3,
                found_at=SIGNED_UP,
            )
        )
    return database


@pytest.mark.parametrize(
    "given", [ANN, ANN.upper(), CONTACT, RECORD, f"https://app.hubspot.com/contacts/77/record/2-5/{RECORD}"]
)
def test_show_takes_whatever_id_a_person_has(run: Run, two_therapists: Database, given: str) -> None:
    """UUID, contact id, record id or a record's address; every id comes out whole."""
    ended = run("show", given)
    assert (ended.code, ended.err) == (0, "")
    for expected in (ANN, CONTACT, RECORD, "Ann Ü", "credentialing_active_attested", "What happens next"):
        assert expected in ended.out


def test_show_as_json_is_the_status_of_the_contract(run: Run, two_therapists: Database) -> None:
    """One thing under one name, here and over HTTP."""
    status = json.loads(run("show", ANN, "--json").out)
    assert status["id"] == ANN
    assert status["ids"]["credentialing_active_attested_id"] == RECORD
    assert {"portal_state", "state", "reason", "complete", "links", "writes"} <= set(status)
    assert [write["form"] for write in status["writes"]] == ["ca"]


@pytest.mark.parametrize("command", [("show",), ("packet",), ("sync", "--reason", "x")])
def test_an_unknown_id_ends_with_how_to_search(
    run: Run, two_therapists: Database, command: list[str]
) -> None:
    """Exit 1."""
    ended = run(*command, "404")
    assert (ended.code, ended.out) == (1, "")
    assert "'404'" in ended.err
    assert "credsync list -q" in ended.err


def test_an_id_of_several_therapists_lists_them(run: Run, two_therapists: Database) -> None:
    """A record that moved between contacts belongs to nobody by itself: exit 1, and a person chooses."""
    with two_therapists.write() as connection:
        row = connection.execute(select(links).where(links.c.therapist_id == ANN)).one()
        connection.execute(links.insert().values({**row._mapping, "therapist_id": BOB}))
    ended = run("show", RECORD)
    assert ended.code == 1
    assert ANN in ended.err
    assert BOB in ended.err


def test_list_shows_the_longest_waiting_first_with_whole_ids(run: Run, two_therapists: Database) -> None:
    """In a pipe a table is plain lines, however wide, without colours."""
    ended = run("list")
    assert ended.code == 0
    head, ann, bob = ended.out.splitlines()
    assert head.split()[:4] == ["state", "since", "therapist", "contact"]
    assert ANN in ann
    assert CONTACT in ann
    assert BOB in bob
    assert "contact id is not known yet" in bob
    assert "\x1b" not in ended.out


def test_what_somebody_typed_steers_no_terminal(run: Run, two_therapists: Database) -> None:
    """A name may hold an escape sequence; it is shown as a replacement character, in JSON as an escape."""
    for command in (("show", BOB), ("packet", BOB), ("list", "-q", "bob", "--json")):
        said = run(*command).out
        assert "Bob" in said
        assert "\x1b" not in said
    assert json.loads(said)["therapists"][0]["name"] == "Bob\x1b[2J"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["--state", "waiting"], [ANN, BOB]),
        (["--state", "held"], []),
        (["--slot", "credentialing_active_attested"], []),
        (["--reason", "not_looked_yet", "--longer-than", "7d"], [ANN, BOB]),
        (["--longer-than", "36500d"], []),
        (["--portal", "demo", "-q", "ann"], [ANN]),
        (["-q", RECORD], [ANN]),
    ],
)
def test_list_finds_by_state_slot_portal_and_text(
    run: Run, two_therapists: Database, wanted: list[str], found: list[str]
) -> None:
    """Nobody is an answer too, exit 0."""
    ended = run("list", *wanted, "--json")
    assert ended.code == 0
    assert [each["id"] for each in json.loads(ended.out)["therapists"]] == found


@pytest.mark.parametrize(
    "wanted",
    [
        ["--state", "wating"],
        ["--portal", "alpha"],
        ["--slot", "licence"],
        ["--reason", "late"],
        ["--longer-than", "1 week"],
    ],
)
def test_a_misspelt_filter_is_refused(run: Run, two_therapists: Database, wanted: list[str]) -> None:
    """An empty list would read as "nobody waits"; the known names are said, exit 2."""
    ended = run("list", *wanted)
    assert ended.code == 2
    assert any(known in ended.err for known in ("in_sync", "demo", "license", "record_awaited", "7d"))


def test_counts_follow_the_choices_that_were_made(run: Run, two_therapists: Database) -> None:
    """As a table for people, and as JSON."""
    told = json.loads(run("list", "-q", "ann", "--counts", "--json").out)["counts"]
    assert told["total"] == {"count": 1, "more": False}
    assert told["state"] == [{"value": "waiting", "count": 1, "more": False}]
    shown = run("list", "--counts").out
    assert "all of these" in shown
    assert "not_looked_yet" in shown


def test_sync_is_noted_once_however_often_it_is_pressed(run: Run, two_therapists: Database) -> None:
    """It goes to the database, so it works beside a running service; who asked is kept."""
    first = run("sync", CONTACT, "--reason", "asked by Success")
    again = run("sync", ANN, "--reason", "again", "--include-held")
    assert (first.code, again.code) == (0, 0)
    assert "asked for already" in again.out
    with two_therapists.read() as connection:
        row = connection.execute(select(syncs)).one()
    assert (row.therapist_id, row.reason, row.include_held) == (ANN, "asked by Success", True)
    assert row.requested_by.startswith("cli:")


@pytest.mark.parametrize("arguments", [["--reason", ""], ["--reason", " "]])
def test_sync_takes_no_blank_reason(run: Run, two_therapists: Database, arguments: list[str]) -> None:
    """Usage; nothing is noted."""
    assert run("sync", ANN, *arguments).code == 2
    with two_therapists.read() as connection:
        assert not connection.execute(select(syncs)).all()


def test_sync_of_a_paused_portal_says_that_it_waits(run: Run, two_therapists: Database) -> None:
    """Taken, and nobody wonders why nothing happens."""
    run("portal", "pause", "demo", "--reason", "audit")
    ended = run("sync", ANN, "--reason", "x")
    assert ended.code == 0
    assert "paused" in ended.out


def test_packet_is_markdown_or_json(run: Run, two_therapists: Database) -> None:
    """The same report twice: to read and to process."""
    text, data = run("packet", RECORD), run("packet", RECORD, "--format", "json")
    assert text.out.startswith("# Therapist Ann Ü\n")
    assert CONTACT in text.out
    report = json.loads(data.out)
    assert report["id"] == ANN
    assert report["timeline"]
    assert report["next"]
