"""HubSpot's ids of now: of therapists who are known, and of contacts that nobody here has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.operate.kept_names import keep_names
from credsync.operate.live import Live
from credsync.reconcile.live_ids import live_ids, live_ids_of_contact
from tests.operate.scene import ACTIVE, ADDRESS, MOVE, NY, PORTAL_TOML, Scene, edge_to, uuid_of
from tests.sandbox.driver import Driver, running

pytestmark = pytest.mark.anyio
TWO_HOPS = PORTAL_TOML.replace('name = "license"\n', 'name = "license"\nparent = "credentialing"\n')


def portal_at(url: str) -> Portal:
    return parse_portal("alpha", TWO_HOPS.format(url=url, mode="write"))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Driver]:
    """HubSpot's stand-in for this portal."""
    with running(tmp_path, TWO_HOPS.format(url="http://127.0.0.1:9", mode="write")) as driver:
        yield driver


@pytest.fixture
async def live(scene: Scene, sandbox: Driver) -> Live:
    """Questions to the sandbox, where licences hang on a Credentialing; its names are kept."""
    portal = portal_at(sandbox.url)
    scene.portals = {"alpha": portal}

    async def sleep(seconds: float) -> None:
        scene.clock.wait(seconds)
        await anyio.sleep(seconds)

    edge = edge_to(sandbox.url, portal)
    async with edge.client:
        names = await edge.names(scene.clock.now())
    with scene.database.write() as connection:
        keep_names(connection, portal, names)
    return Live(scene.database, scene.portals, lambda _: "a-token", 10_000.0, sleep)


def ids(told: dict[str, Any]) -> dict[str, list[str]]:
    """The records in HubSpot by slot."""
    return {each["slot"]: [r["record_id"] for r in each["records"]] for each in told["slots"]}


async def test_a_known_therapists_ids_stand_beside_the_stored_ones(
    live: Live, scene: Scene, sandbox: Driver
) -> None:
    """Before any round nothing is stored; afterwards both agree, until somebody moves a label."""
    sandbox.contact(id="101", licenses=["NY"])
    scene.sign_up()
    scene.submit()
    truth = sandbox.records("101")
    told = await live_ids(live, uuid_of(1), scene.policy, 5.0)
    assert told["complete"]
    slots = {each["slot"]: each for each in told["slots"]}
    for slot in (ACTIVE, ADDRESS, NY):
        assert (slots[slot]["stored_record_id"], slots[slot]["record_id"]) == (None, truth[slot]["id"])
        assert slots[slot]["agrees"] is False
    edge = edge_to(sandbox.url, portal_at(sandbox.url))
    async with edge.client:
        scene.clock.wait(5)
        await scene.round(edge)
    agree = (await live_ids(live, uuid_of(1), scene.policy, 5.0))["slots"]
    assert {each["slot"]: each["agrees"] for each in agree} == dict.fromkeys(
        [ACTIVE, MOVE, ADDRESS, NY], True
    )
    sandbox.do("/records/unmark", {"id": truth[ADDRESS]["id"], "slot": ADDRESS})
    told = await live_ids(live, uuid_of(1), scene.policy, 5.0)
    address = next(each for each in told["slots"] if each["slot"] == ADDRESS)
    assert (address["stored_record_id"], address["record_id"]) == (truth[ADDRESS]["id"], None)
    assert (address["reason"], address["agrees"]) == ("label_moved", False)


async def test_what_hubspot_did_not_answer_is_not_called_different(
    live: Live, scene: Scene, sandbox: Driver
) -> None:
    """Neither the same nor another: not known."""
    sandbox.contact(id="101")
    scene.sign_up()
    sandbox.do("/faults", {"match": {}, "times": None, "answer": "html"})
    told = await live_ids(live, uuid_of(1), scene.policy, 5.0)
    assert not told["complete"]
    assert {each["agrees"] for each in told["slots"]} == {None}
    assert all(each["not_read"]["code"] for each in told["slots"])


async def test_a_stranger_is_listed_with_licences_of_every_credentialing(live: Live, sandbox: Driver) -> None:
    """Nobody knows which Credentialing counts, so each licence comes with the one it hangs on."""
    sandbox.contact(id="777", licenses=["NY"])
    truth = sandbox.records("777")
    elsewhere = {"contact": "777", "slot": NY, "parent": truth[MOVE]["id"]}
    other = sandbox.do("/records/create", elsewhere)
    told = await live_ids_of_contact(live, "alpha", "777", 5.0)
    assert (told["exists"], told["complete"], told["merged_into"]) == (True, True, None)
    assert ids(told)[ACTIVE] == [truth[ACTIVE]["id"]]
    licences = next(each for each in told["slots"] if each["slot"] == NY)["records"]
    assert {each["parent_id"] for each in licences} == {truth[ACTIVE]["id"], truth[MOVE]["id"]}
    assert other["id"] in ids(told)[NY]


async def test_a_merged_stranger_is_shown_as_what_it_became(live: Live, sandbox: Driver) -> None:
    """With its records; one that is gone is told from one that is empty."""
    sandbox.contact(id="777")
    sandbox.contact(id="888", slots=[])
    assert (await live_ids_of_contact(live, "alpha", "888", 5.0))["exists"] is True
    merging = {"primaryObjectId": "777", "objectIdToMerge": "888"}
    into = str(sandbox.hubspot.post("/crm/objects/2026-09/contacts/merge", json=merging).json()["id"])
    told = await live_ids_of_contact(live, "alpha", "888", 5.0)
    assert (told["exists"], told["merged_into"]) == (True, into)
    assert ids(told)[ACTIVE] == [sandbox.records(into)[ACTIVE]["id"]]
    assert (await live_ids_of_contact(live, "alpha", "999", 5.0))["exists"] is False


async def test_a_silent_hubspot_says_nothing_about_a_stranger(live: Live, sandbox: Driver) -> None:
    """Whether there is such a contact stays open."""
    sandbox.do("/faults", {"match": {}, "times": None, "answer": "close"})
    told = await live_ids_of_contact(live, "alpha", "777", 5.0)
    assert (told["exists"], told["complete"]) == (None, False)
