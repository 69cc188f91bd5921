"""Two portals in one database: what has the same id in both is two things."""

from __future__ import annotations

import pytest

from tests.operate.scene import ACTIVE, Scene, edge_to, portal_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


async def test_one_id_in_two_portals_is_two_contacts_and_two_records(scene: Scene, sandbox: Driver) -> None:
    """One contact belongs to one therapist of a portal, one record to one therapist; another portal's ids are others."""
    sandbox.contact(id="101")
    record = sandbox.records("101")[ACTIVE]["id"]
    scene.portals = {name: portal_of(sandbox.url, name=name) for name in ("alpha", "beta")}
    for number, name in enumerate(scene.portals, start=1):
        scene.sign_up(number, "101", portal=name)
        scene.submit(number)
    scene.clock.wait(5)
    for name in scene.portals:
        edge = edge_to(sandbox.url, scene.portals[name])
        async with edge.client:
            await scene.round(edge)
    links = [scene.link(ACTIVE, number) for number in (1, 2)]
    assert [(link["state"], link["record_id"]) for link in links] == [("found", record), ("found", record)]
    assert sandbox.records("101")[ACTIVE]["writes"] == 2
