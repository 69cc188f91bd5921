"""Therapists from before through real rounds: looked at, linked, never written, never overdue unseen."""

from __future__ import annotations

import pytest

from credsync.store.imports import import_therapist
from credsync.store.therapists import Door, Who
from tests.operate.scene import ACTIVE, ADDRESS, Scene, edge_to, uuid_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


async def test_who_is_imported_is_linked_at_the_first_look_and_not_overdue_before_it(
    scene: Scene, sandbox: Driver
) -> None:
    """What was imported is not overdue before its first look.

    However late that comes; and nothing is written.
    """
    sandbox.contact(id="101")
    sandbox.contact(id="102", never=["credentialing"])
    door = Door(scene.clock.now(), scene.policy.coalesce, backfill=True)
    with scene.database.write() as connection:
        for number in (1, 2):
            import_therapist(connection, door, Who(uuid_of(number), "alpha", f"10{number}"), None, None)
    assert [scene.status(n)["state"] for n in (1, 2)] == ["waiting", "waiting"]

    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.clock.wait(2 * scene.policy.overdue_after.total_seconds())
        await scene.round(edge)

    first, second = scene.status(1), scene.status(2)
    assert (first["state"], first["complete"]) == ("in_sync", True)
    assert (second["state"], second["reason"]) == ("waiting", "record_awaited")
    assert {link["slot"] for link in second["links"] if link["state"] == "found"} == {ADDRESS}
    assert scene.link(ACTIVE, 2)["looks"] == 1
    assert not [r for n in (1, 2) for r in sandbox.truth(f"10{n}")["records"] if r["writes"]]
