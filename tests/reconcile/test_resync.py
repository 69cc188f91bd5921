"""A re-sync through real rounds: chosen by form, slot, cause and time, written in the backfill lane, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credsync.core.events import EventName
from credsync.hubspot.edge import Edge
from credsync.store.resyncs import Choosing, chosen, request_resync, standings
from credsync.store.therapists import Door
from credsync.store.timeline import of_therapist
from tests.operate.scene import ACTIVE, ADDRESS, NY, Scene, edge_to, uuid_of, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


def ask(scene: Scene, by: Choosing, *, include_held: bool = False) -> int:
    door = Door(scene.clock.now(), scene.policy.coalesce, backfill=True)
    with scene.database.write() as connection:
        who = chosen(connection, by)
        return request_resync(connection, door, who, by, "the mapping was wrong", include_held, "Sam")


def whom(scene: Scene, by: Choosing) -> list[str]:
    with scene.database.read() as connection:
        return chosen(connection, by)


def written(sandbox: Driver, contact: str) -> dict[str, int]:
    """How often each slot's record was written."""
    records = sandbox.truth(contact)["records"]
    return {slot: r["writes"] for r in records for slot in r["slots"] if r["writes"]}


async def two_written(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    for number, contact in ((1, "101"), (2, "102")):
        sandbox.contact(id=contact, licenses=["NY"])
        scene.sign_up(number, contact)
        scene.submit(number, data=whole_form())
    scene.clock.wait(5)
    await scene.round(edge)


async def test_a_confirmed_re_sync_writes_what_was_chosen_again(scene: Scene, sandbox: Driver) -> None:
    """A confirmed re-sync (by form, slot, cause, time) looks in the backfill lane and writes what was chosen."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        await two_written(scene, sandbox, edge)
        assert written(sandbox, "101") == {ACTIVE: 1, NY: 1, ADDRESS: 1}

        assert ask(scene, Choosing(slot="license")) == 2
        assert scene.status()["state"] == "waiting"
        await scene.round(edge)

        for contact in ("101", "102"):
            assert written(sandbox, contact) == {ACTIVE: 1, NY: 2, ADDRESS: 1}
        assert scene.status()["state"] == "in_sync"
        scene.clock.wait(3_600)
        await scene.round(edge)
        assert written(sandbox, "101")[NY] == 2, "running again writes nothing"


async def test_asked_for_twice_is_once(scene: Scene, sandbox: Driver) -> None:
    edge = edge_to(sandbox.url)
    async with edge.client:
        await two_written(scene, sandbox, edge)
        assert ask(scene, Choosing(form="ca")) == 2
        assert ask(scene, Choosing(form="ca")) == 0
        assert ask(scene, Choosing(form="ca", slot=ACTIVE)) == 0, "the wider one does it, too"
        await scene.round(edge)
        assert written(sandbox, "101") == {ACTIVE: 2, NY: 2, ADDRESS: 2}


async def test_sync_now_goes_before_and_beside_a_re_sync(scene: Scene, sandbox: Driver) -> None:
    """A narrow re-sync that still waits does not swallow a press for everything."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        await two_written(scene, sandbox, edge)
        assert ask(scene, Choosing(slot=ADDRESS)) == 2
        scene.sync()
        await scene.round(edge)
        assert written(sandbox, "101") == {ACTIVE: 2, NY: 2, ADDRESS: 2}
        assert written(sandbox, "102") == {ACTIVE: 1, NY: 1, ADDRESS: 2}


async def test_who_is_chosen(scene: Scene, sandbox: Driver) -> None:
    edge = edge_to(sandbox.url)
    async with edge.client:
        await two_written(scene, sandbox, edge)
    both, now = [uuid_of(1), uuid_of(2)], scene.clock.now()
    scene.sign_up(3, "103")
    for by, found in (
        (Choosing(), both),
        (Choosing(form="ca"), both),
        (Choosing(form="af"), []),
        (Choosing(portal="alpha"), both),
        (Choosing(portal="beta"), []),
        (Choosing(slot=ACTIVE), both),
        (Choosing(slot="credentialing_relocation"), []),
        (Choosing(cause="written"), both),
        (Choosing(cause="refused"), []),
        (Choosing(since=now - timedelta(days=1)), both),
        (Choosing(since=now + timedelta(days=1)), []),
        (Choosing(cause="written", since=now + timedelta(days=1)), []),
    ):
        assert whom(scene, by) == found, by
    with scene.database.read() as connection:
        told = standings(connection, Choosing(slot=NY))
    assert [(t.form, t.slot, t.state, t.therapists) for t in told] == [("ca", NY, "written", 2)]


async def test_the_timeline_says_who_asked_and_why(scene: Scene, sandbox: Driver) -> None:
    edge = edge_to(sandbox.url)
    async with edge.client:
        await two_written(scene, sandbox, edge)
    ask(scene, Choosing(form="ca", slot=ACTIVE))
    with scene.database.read() as connection:
        told = [each.event for each in of_therapist(connection, uuid_of(1))]
    (asked,) = [event for event in told if event.name is EventName.SYNC_REQUESTED]
    assert asked.slot == ACTIVE
    assert asked.details == {
        "form": "ca",
        "include_held": False,
        "requested_by": "Sam",
        "resync": True,
        "said": "the mapping was wrong",
    }
