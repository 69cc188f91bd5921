"""Questions that go to HubSpot: diff, sync --dry-run, show --live, packet; with the sandbox as HubSpot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select

from credsync.cli import live as live_questions
from credsync.core.facts import SignUpKind
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Names, read_names
from credsync.operate.kept_names import keep_names
from credsync.store.database import Database
from credsync.store.intake import accept_sign_up, accept_submission
from credsync.store.portals import set_account
from credsync.store.tables import links, live_reads, syncs
from credsync.store.therapists import Door, Who
from tests.cli.conftest import Run
from tests.sandbox.driver import Driver, running

ANN = "0191a7c2-0000-7000-8000-00000000000a"
ACTIVE, ADDRESS = "credentialing_active_attested", "therapist_address_current"
NPI = "1234567893"
SMALL = """
[hubspot]
base_url = "http://127.0.0.1:8090"
portal_id = "1234567"
[objects.credentialing]
name = "credentialing"
[objects.therapist_address]
name = "therapist_address"
[slots.credentialing_active_attested]
object = "credentialing"
label = "Active Attested"
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"
[definitive]
ca = [{ slot = "credentialing_active_attested" }]
[[writes]]
form = "ca"
to = "definitive"
fields = { npi = "npi_and_caqh.npi", bio = "practice_preferences.bio" }
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = { city = "practice_preferences.treating_address.city" }
"""
"""Two object types: a diff of it is four calls, all that the reserve has at once."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Driver]:
    """HubSpot's stand-in."""
    with running(tmp_path, SMALL) as driver:
        yield driver


@pytest.fixture
def ann(home: Path, database: Database, sandbox: Driver, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A worker was here once; Ann signed up, her records are there, and she submitted what no round has seen."""
    text = SMALL.replace("http://127.0.0.1:8090", sandbox.url)
    (home / "portals" / "demo.toml").write_text(text)
    monkeypatch.setenv("CREDSYNC_HUBSPOT_TOKEN_DEMO", "any")
    know_names(database, parse_portal("demo", text))
    now = datetime.now(UTC)
    door = Door(now, timedelta(seconds=3))
    contact = sandbox.contact(id="101")["id"]
    data = {"npi_and_caqh": {"npi": NPI}, "practice_preferences": {"bio": "b" * 100}}
    with database.write() as connection:
        accept_sign_up(connection, door, Who(ANN, "demo", contact, "Ann"), SignUpKind.FIRST, now, False, None)
        accept_submission(connection, door, Who(ANN), "ca", now, None, data)
    sandbox.do("/requests", method="DELETE")
    return database


def know_names(database: Database, portal: Portal) -> None:
    """What a worker does at its start."""

    async def names() -> Names:
        async with HubSpotClient(portal.hubspot.base_url, "any") as client:
            return await read_names(portal, client, datetime.now(UTC))

    found = anyio.run(names)
    with database.write() as connection:
        keep_names(connection, portal, found)


def use_up(database: Database, for_: float) -> None:
    """The reserve has no seat for so many seconds."""
    at = datetime.now(UTC) - timedelta(seconds=10) + timedelta(seconds=for_)
    with database.write() as connection:
        connection.execute(live_reads.delete())
        connection.execute(live_reads.insert(), [{"portal": "demo", "at": at}] * 4)


def records(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["slot"]: each for each in told["records"]}


def test_diff_shows_each_property(run: Run, ann: Database, sandbox: Driver) -> None:
    """HubSpot's value, the submitted one, whether it goes out, and why; ids are whole, long values cut."""
    record = sandbox.records("101")[ACTIVE]["id"]
    sandbox.do("/records/edit", {"id": record, "properties": {"npi": "1\x1b[2J"}})
    ended = run("diff", "101")
    assert (ended.code, ended.err) == (0, "")
    for expected in (ANN, record, NPI, "unsent", "nothing_submitted", "The next round writes 2."):
        assert expected in ended.out
    assert "b" * 100 not in ended.out
    assert "\x1b" not in ended.out


def test_diff_as_json_is_the_diff_of_the_api(run: Run, ann: Database, sandbox: Driver) -> None:
    """With whole values."""
    ended = run("diff", ANN, "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["id"], told["complete"]) == (0, ANN, True)
    assert records(told)[ACTIVE]["properties"][1]["submitted"] == "b" * 100
    assert sandbox.summary()["by_kind"] == {"associations": 2, "objects": 2}


def test_a_dry_run_of_sync_shows_what_a_press_would_write_and_notes_nothing(
    run: Run, ann: Database, sandbox: Driver
) -> None:
    """The same answer, seen from Sync now."""
    ended = run("sync", ANN, "--dry-run")
    assert ended.code == 0
    assert "Sync now would write 2." in ended.out
    with ann.write() as connection:
        assert connection.execute(select(func.count()).select_from(syncs)).scalar_one() == 0
        connection.execute(live_reads.delete())
    told = json.loads(run("sync", ANN, "--dry-run", "--include-held", "--json").out)
    assert (told["seen_from"], told["to_be_written"]) == ("sync_now", 2)
    assert sandbox.records("101")[ACTIVE]["writes"] == 0
    assert run("sync", ANN, "--json").code == 2


def test_show_live_sets_hubspots_ids_beside_the_stored(run: Run, ann: Database, sandbox: Driver) -> None:
    """The stored one may be old; what the next round would link is shown with it."""
    truth = sandbox.records("101")
    with ann.write() as connection:
        connection.execute(
            links.insert().values(
                therapist_id=ANN,
                slot=ACTIVE,
                portal="demo",
                awaited=True,
                awaited_since=datetime.now(UTC),
                state="found",
                reason="",
                record_id="999",
                candidates=[],
                looks=1,
                found_at=datetime.now(UTC),
            )
        )
    told = json.loads(run("show", ANN, "--live", "--json").out)
    assert told["ids"][f"{ACTIVE}_id"] == "999", "the status is what is stored"
    live = {each["slot"]: each for each in told["live"]["slots"]}
    assert (live[ACTIVE]["stored_record_id"], live[ACTIVE]["record_id"]) == ("999", truth[ACTIVE]["id"])
    assert not live[ACTIVE]["agrees"]
    assert live[ADDRESS]["record_id"] == truth[ADDRESS]["id"]
    assert told["live"]["complete"]
    ended = run("show", "101", "--live")
    assert ended.code == 0
    for expected in ("In HubSpot at", "999", truth[ACTIVE]["id"]):
        assert expected in ended.out


def test_show_live_looks_up_a_contact_that_nobody_here_has(run: Run, ann: Database, sandbox: Driver) -> None:
    """By its id or its page's address; its records are listed by slot, and nothing is stored."""
    stranger = sandbox.contact()["id"]
    truth = sandbox.records(stranger)
    page = f"https://app.hubspot.com/contacts/1234567/record/0-1/{stranger}"
    for given in (stranger, page):
        told = json.loads(run("show", given, "--live", "--json").out)
        [contact] = told["contacts"]
        assert (told["known"], contact["exists"], contact["portal"]) == (False, True, "demo")
        found = {each["slot"]: [r["record_id"] for r in each["records"]] for each in contact["slots"]}
        assert found == {slot: [record["id"]] for slot, record in truth.items()}
        with ann.write() as connection:
            connection.execute(live_reads.delete())
    ended = run("show", stranger, "--live")
    assert ended.code == 0
    assert truth[ACTIVE]["id"] in ended.out
    with ann.read() as connection:
        assert connection.execute(select(func.count()).select_from(links)).scalar_one() == 0
    assert run("show", stranger).code == 1, "without --live it is nobody"


def test_show_live_asks_every_portal_for_a_stranger(
    run: Run, ann: Database, sandbox: Driver, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id does not say where it is from; a page's address does."""
    monkeypatch.setenv("CREDSYNC_HUBSPOT_TOKEN_OTHER", "any")
    text = (home / "portals" / "demo.toml").read_text().replace('portal_id = "1234567"\n', "")
    (home / "portals" / "other.toml").write_text(text)
    know_names(ann, parse_portal("other", text))
    with ann.write() as connection:
        set_account(connection, "other", "7654321", "app.hubspot.com")
    stranger = sandbox.contact()["id"]
    told = json.loads(run("show", stranger, "--live", "--json").out)["contacts"]
    assert [(each["portal"], each["exists"]) for each in told] == [("demo", True), ("other", True)]
    with ann.write() as connection:
        connection.execute(live_reads.delete())
    page = f"https://app.hubspot.com/contacts/7654321/record/0-1/{stranger}"
    told = json.loads(run("show", page, "--live", "--json").out)["contacts"]
    assert [each["portal"] for each in told] == ["other"]


def test_show_live_tells_a_contact_that_is_nowhere(run: Run, ann: Database, sandbox: Driver) -> None:
    """Exit 1; one without records is told from one that is not there."""
    ended = run("show", "404404", "--live")
    assert ended.code == 1
    assert "Neither credsync nor HubSpot knows this contact" in ended.err
    empty = sandbox.contact(slots=[])["id"]
    with ann.write() as connection:
        connection.execute(live_reads.delete())
    [told] = json.loads(run("show", empty, "--live", "--json").out)["contacts"]
    assert told["exists"]
    assert [each["records"] for each in told["slots"]] == [[], []]


@pytest.mark.parametrize("command", [("diff", ANN), ("show", ANN, "--live"), ("sync", ANN, "--dry-run")])
def test_a_used_up_reserve_is_a_sentence_with_when(
    run: Run, ann: Database, sandbox: Driver, command: list[str]
) -> None:
    """Where it takes longer than a person waits: exit 1, and HubSpot is not asked."""
    use_up(ann, 15)
    asked_before = sandbox.summary()["total"]
    ended = run(*command)
    assert ended.code == 1
    assert "Ask again in 15 s" in ended.err
    assert sandbox.summary()["total"] == asked_before


def test_a_seat_that_is_free_soon_is_waited_for(run: Run, ann: Database) -> None:
    """A second fits in anybody's patience."""
    use_up(ann, 0.7)
    assert json.loads(run("diff", ANN, "--json").out)["complete"]


def test_a_question_cut_short_is_partly_done(
    run: Run, ann: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3, with what could be asked; the rest is said to be missing."""
    monkeypatch.setattr(live_questions, "PATIENCE", 5.0)
    use_up(ann, 15)
    with ann.write() as connection:
        last = connection.execute(select(func.max(live_reads.c.id))).scalar_one()
        connection.execute(live_reads.delete().where(live_reads.c.id == last))
    ended = run("diff", ANN)
    assert ended.code == 3
    assert "Not everything could be asked" in ended.err
    assert "reserve_used_up" in ended.out


def test_without_a_token_it_says_what_to_set(
    run: Run, ann: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 4; a report does without HubSpot."""
    monkeypatch.delenv("CREDSYNC_HUBSPOT_TOKEN_DEMO")
    for command in (("diff", ANN), ("show", ANN, "--live"), ("show", "404404", "--live")):
        ended = run(*command)
        assert ended.code == 4
        assert "CREDSYNC_HUBSPOT_TOKEN_DEMO" in ended.err
    assert run("packet", ANN).code == 0


def test_a_silent_hubspot_is_told_in_the_answer(run: Run, ann: Database, sandbox: Driver) -> None:
    """Exit 0: the question was answered, with what could not be read."""
    sandbox.do("/faults", {"match": {}, "times": None, "answer": {"status": 503}})
    ended = run("diff", ANN)
    assert ended.code == 0
    assert "not_readable" in ended.out
