"""Rounds in flight beside each other: on different therapists, and never one record for two of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import anyio
import pytest

from credsync.core.schedule import Policy
from credsync.hubspot.edge import Edge
from credsync.reconcile.flights import MOST, PATIENCE, Flights
from credsync.reconcile.round import Round
from credsync.reconcile.turn import TurnInProgress
from credsync.reconcile.worker import PortalWorker
from credsync.store import leases
from credsync.store.cases import NOTHING_TAKEN, Taken, next_due_at
from credsync.store.hints import pending_hints
from credsync.store.leases import Lease
from tests.operate.scene import ACTIVE, Scene, edge_to, portal_of, uuid_of
from tests.reconcile.test_hints import ADDRESS_TYPE, CREDENTIALING, SOON, associated, event, looks, tell
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
LOOK_AT_101 = {"kind": "associations", "contains": '"101"'}
NPI = {"npi_and_caqh": {"npi": "1234567893"}}


class Held(Round):
    """A round that stops before its first record, until it is let go."""

    decided: anyio.Event
    let_go: anyio.Event
    landed: anyio.Event

    async def fly(self) -> None:
        """Go, once it is claimed."""
        await self.go()
        self.landed.set()

    async def claim(self, besides: Taken = NOTHING_TAKEN) -> Taken:
        self.decided, self.let_go, self.landed = anyio.Event(), anyio.Event(), anyio.Event()
        return await super().claim(besides)

    async def _record(self, turns: Sequence[TurnInProgress], now: datetime) -> list[TurnInProgress]:
        self.decided.set()
        await self.let_go.wait()
        return await super()._record(turns, now)


@pytest.fixture
def lease(scene: Scene) -> Lease:
    """The portal's: its rounds in flight are under one."""
    with scene.database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "test", 3600)
    assert lease is not None
    return lease


async def round_of(scene: Scene, edge: Edge, lease: Lease, kind: type[Round] = Round) -> Round:
    return kind(scene.database, edge, await edge.names(scene.clock.now()), lease, scene.policy)


def due(scene: Scene, besides: Taken = NOTHING_TAKEN) -> datetime | None:
    with scene.database.read() as connection:
        return next_due_at(connection, "alpha", besides)


async def test_two_rounds_never_hold_one_therapist(scene: Scene, sandbox: Driver, lease: Lease) -> None:
    """Who is in one is due to no other: neither as due, nor to ride along, nor by a hint."""
    for number in (1, 2):
        sandbox.contact(id=f"10{number}", delay="1h")
    async with (edge := edge_to(sandbox.url)).client:
        scene.sign_up(1, "101")
        scene.submit(1, data=NPI)
        scene.clock.wait(5)
        first = await round_of(scene, edge, lease)
        taken = await first.claim()
        assert taken.therapists == {uuid_of(1)}
        assert due(scene) is not None
        assert due(scene, taken) is None
        scene.section(1)
        scene.sign_up(2, "102")
        scene.submit(2, data=NPI)
        scene.clock.wait(5)
        tell(scene, associated(CREDENTIALING, "1", "101"))
        scene.clock.wait(SOON)
        second = await round_of(scene, edge, lease)
        assert (await second.claim(taken)).therapists == {uuid_of(2)}
        assert [(await each.go()).therapists for each in (second, first)] == [1, 1]
        again = due(scene)
        assert again is not None
        assert again <= scene.clock.now(), "the section that came meanwhile"
        third = await round_of(scene, edge, lease)
        assert (await third.claim()).therapists == {uuid_of(1), uuid_of(2)}, "and the other rides along"


async def test_a_record_that_two_rounds_find_at_once_is_written_for_one_therapist_at_most(
    scene: Scene, sandbox: Driver, lease: Lease
) -> None:
    """One record under two therapists: ambiguous, all candidates shown, none written, a person may choose.

    Both rounds have decided before either recorded; the second is told by the first one's record.
    """
    sandbox.contact(id="101", never=["therapist_address"])
    sandbox.contact(id="102", never=["credentialing"])
    shared = sandbox.records("101")[ACTIVE]["id"]
    sandbox.do("/records/link", {"id": shared, "parent": "102", "slot": ACTIVE})
    async with (edge := edge_to(sandbox.url)).client, anyio.create_task_group() as tasks:
        flying: list[Held] = []
        taken = NOTHING_TAKEN
        for number in (1, 2):
            scene.sign_up(number, f"10{number}")
            scene.submit(number, data=NPI)
            scene.clock.wait(5)
            held = await round_of(scene, edge, lease, Held)
            assert isinstance(held, Held)
            taken = Taken(taken.therapists | (await held.claim(taken)).therapists)
            tasks.start_soon(held.fly)
            flying.append(held)
        for held in flying:
            await held.decided.wait()
        flying[0].let_go.set()
        await flying[0].landed.wait()
        flying[1].let_go.set()
    assert [write["attempts"] for write in scene.status(2)["writes"]] == [0], (
        "nothing is stored of the second"
    )
    async with (edge := edge_to(sandbox.url)).client:
        for _ in range(2):
            await scene.round(edge)
    for number in (1, 2):
        assert scene.link(ACTIVE, number)["reason"] == "record_of_two_therapists"
    assert sandbox.records("101")[ACTIVE]["writes"] == 1


async def test_a_hint_for_whoever_waits_is_followed_again_after_rounds_that_went_together(
    scene: Scene, sandbox: Driver, lease: Lease
) -> None:
    """Who was in the other round may have been looked at too soon."""
    for number in (1, 2):
        sandbox.contact(id=f"10{number}", never=["therapist_address"])
        scene.sign_up(number, f"10{number}")
        scene.clock.wait(5)
    async with (edge := edge_to(sandbox.url)).client:
        await scene.round(edge)
        tell(scene, event("object.creation", ADDRESS_TYPE, objectId=1))
        scene.clock.wait(SOON)
        beside = Taken(frozenset({uuid_of(1)}))
        second = await round_of(scene, edge, lease)
        assert (await second.claim(beside)).woken == {"therapist_address"}
        assert due(scene, Taken(woken=frozenset({"therapist_address"}))) != due(scene), "taken is not due"
        sandbox.do("/requests", method="DELETE")
        await second.go()
        assert looks(sandbox) == [("therapist_address", 1)]
        with scene.database.read() as connection:
            [left] = pending_hints(connection, "alpha")
        assert left.due_at == scene.clock.now() + timedelta(seconds=SOON)
        scene.clock.wait(SOON)
        await scene.round(edge)
        assert looks(sandbox)[1:] == [("therapist_address", 2)]
        with scene.database.read() as connection:
            assert pending_hints(connection, "alpha") == []


async def test_who_submits_does_not_wait_for_a_round_that_hubspot_keeps(
    scene: Scene, sandbox: Driver
) -> None:
    """While HubSpot leaves one look unanswered, another round begins for who came since, and writes."""
    for number in (1, 2):
        sandbox.contact(id=f"10{number}")
    scene.clock.at = datetime.now(scene.clock.at.tzinfo)
    sandbox.do("/faults", {"match": LOOK_AT_101, "answer": "hang", "times": None})
    scene.sign_up(1, "101")
    scene.submit(1, data=NPI)
    scene.clock.wait(5)
    async with a_worker(scene, sandbox), anyio.create_task_group():
        with anyio.fail_after(60):
            while not sandbox.do("/faults", method="GET")["faults"][0]["hits"]:  # noqa: ASYNC110 - it is asked over HTTP
                await anyio.sleep(0.02)
            scene.sign_up(2, "102")
            scene.submit(2, data=NPI)
            scene.clock.wait(5)
            while scene.status(2)["state"] != "in_sync":  # noqa: ASYNC110 - it is asked of the database
                await anyio.sleep(0.02)
    assert sandbox.records("102")[ACTIVE]["writes"] == 1
    assert sandbox.records("101")[ACTIVE]["writes"] == 0


@asynccontextmanager
async def a_worker(scene: Scene, sandbox: Driver) -> AsyncIterator[PortalWorker]:
    """One that owns the portal, at twenty times the speed."""
    edge = edge_to(sandbox.url, portal_of(sandbox.url))
    policy = Policy(coalesce=timedelta(milliseconds=1))
    worker = PortalWorker(scene.database, edge, policy, "test", timedelta(seconds=60), speed=20, poll=0.05)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.run)
        try:
            yield worker
        finally:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await worker.aclose()


class Seconds:
    """A clock that stands."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_the_next_round_waits_for_the_one_before_it_unless_that_is_full() -> None:
    """Who is due goes together, and nobody waits long for a HubSpot that is slow."""
    seconds = Seconds()
    flights = Flights(seconds)
    assert flights.next_in() == 0.0
    first = flights.began(Taken(frozenset({"a"})), full=False)
    assert flights.next_in() == PATIENCE
    seconds.at = PATIENCE
    assert flights.next_in() == 0.0
    second = flights.began(Taken(frozenset({"b"}), frozenset({"license"})), full=True)
    assert flights.next_in() == 0.0, "more than it could take may be due"
    assert flights.taken == Taken(frozenset({"a", "b"}), frozenset({"license"}))
    assert flights.next_in(most=1) is None, "a HubSpot that did not answer is tried with one"
    flights.began(Taken(), full=True)
    assert len(flights) == MOST
    assert flights.next_in() is None
    flights.gone(first)
    flights.gone(second)
    assert flights.taken == Taken()
