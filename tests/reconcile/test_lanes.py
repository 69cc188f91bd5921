"""In which lane a round's calls go: the best of anybody in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.lanes import Lane, current_lane
from credsync.hubspot.pacing import Pacing
from credsync.hubspot.paths import Bucket
from credsync.hubspot.seats import Seat
from credsync.store.cases import claim_due
from credsync.store.resyncs import Choosing, chosen, request_resync
from credsync.store.therapists import Door
from tests.operate.scene import Scene, portal_of, uuid_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


class Watched(Pacing):
    """Notes the lane of every call."""

    def __init__(self) -> None:
        super().__init__(speed=1000.0)
        self.lanes: set[Lane] = set()

    @asynccontextmanager
    async def seat(self, bucket: Bucket) -> AsyncIterator[Seat]:
        self.lanes.add(current_lane())
        async with super().seat(bucket) as seat:
            yield seat


async def lanes_of_a_round(scene: Scene, sandbox: Driver) -> set[Lane]:
    pacing = Watched()
    client = HubSpotClient(sandbox.url, "a-token", pacing=pacing, speed=1000.0, attempts=2)
    async with client:
        edge = Edge(portal_of(sandbox.url), client)
        await edge.names(scene.clock.now())
        pacing.lanes.clear()
        await scene.round(edge)
    return pacing.lanes


def backfill(scene: Scene, number: int) -> None:
    door = Door(scene.clock.now(), scene.policy.coalesce, backfill=True)
    with scene.database.write() as connection:
        who = [each for each in chosen(connection, Choosing(form="ca")) if each == uuid_of(number)]
        assert request_resync(connection, door, who, Choosing(form="ca"), "mended", False, "Sam") == 1


async def test_a_round_goes_in_the_best_lane_of_anybody_in_it(scene: Scene, sandbox: Driver) -> None:
    """What was submitted goes first, then who waits, then a re-sync; whoever rides along pulls nobody up or down."""
    sandbox.contact(id="101", licenses=["NY"])
    sandbox.contact(id="102", licenses=["NY"], delay="1h")
    for number, contact in ((1, "101"), (2, "102")):
        scene.sign_up(number, contact)
        scene.submit(number)
    scene.clock.wait(5)
    assert await lanes_of_a_round(scene, sandbox) == {Lane.NOW}
    scene.clock.wait(5)
    assert await lanes_of_a_round(scene, sandbox) == {Lane.WAITING}
    backfill(scene, 1)
    assert await lanes_of_a_round(scene, sandbox) == {Lane.BACKFILL}
    backfill(scene, 1)
    scene.clock.wait(5)
    assert await lanes_of_a_round(scene, sandbox) == {Lane.WAITING}
    scene.sync(1)
    assert await lanes_of_a_round(scene, sandbox) == {Lane.NOW}


def test_those_of_whom_a_fact_came_are_claimed_before_those_who_are_merely_due(scene: Scene) -> None:
    """After an outage thousands may be due: who presses Sync now goes with the next round, not the last."""
    for number in (1, 2, 3):
        scene.sign_up(number, f"10{number}")
        scene.store(number, due_in=number)
    scene.clock.wait(60)
    scene.sync(3)
    now = scene.clock.now() + timedelta(seconds=1)
    with scene.database.read() as connection:
        claimed = claim_due(connection, "alpha", "digest", now, limit=2)
    assert [each.case.therapist_id for each in claimed] == [uuid_of(3), uuid_of(1)]
