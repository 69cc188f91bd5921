"""When records were created, asked of HubSpot after the fact; and one whole story through real rounds."""

from __future__ import annotations

from datetime import datetime

import pytest

from credsync.operate.creation_times import fill_creation_times
from credsync.operate.packet import packet_markdown
from tests.operate.scene import ACTIVE, ADDRESS, SECRET, Scene, awaited, edge_to, found, uuid_of, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


async def test_creation_times_are_read_once_per_object_type_and_kept(scene: Scene, sandbox: Driver) -> None:
    records = sandbox.records(sandbox.contact(id="101")["id"])
    scene.sign_up()
    scene.store(links=[found(ACTIVE, records[ACTIVE]["id"]), found(ADDRESS, records[ADDRESS]["id"])])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await edge.names(scene.clock.now())
        sandbox.do("/requests", method="DELETE")
        await fill_creation_times(edge, scene.database, uuid_of(1))
        assert sandbox.summary()["by_kind"] == {"objects": 2}
        await fill_creation_times(edge, scene.database, uuid_of(1))
        assert sandbox.summary()["total"] == 2, "what is known is not asked again"
    for slot in (ACTIVE, ADDRESS):
        told, truth = scene.link(slot)["record_created_at"], records[slot]["created_at"]
        assert abs((datetime.fromisoformat(told) - datetime.fromisoformat(truth)).total_seconds()) < 0.001


async def test_what_hubspot_does_not_tell_stays_unknown(scene: Scene, sandbox: Driver) -> None:
    scene.sign_up()
    scene.store(links=[found(ACTIVE, "12345"), awaited(ADDRESS)])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await fill_creation_times(edge, scene.database, uuid_of(1))
        assert scene.link(ACTIVE)["record_created_at"] is None
        sandbox.do("/faults", {"match": {}, "times": None, "answer": "html"})
        await fill_creation_times(edge, scene.database, uuid_of(1))
        assert scene.link(ACTIVE)["record_created_at"] is None


async def test_a_hubspot_out_of_reach_is_no_error(scene: Scene) -> None:
    scene.sign_up()
    scene.store(links=[found()])
    edge = edge_to("http://127.0.0.1:9")
    async with edge.client:
        await fill_creation_times(edge, scene.database, uuid_of(1))
    assert scene.link(ACTIVE)["record_created_at"] is None


async def test_a_whole_story_is_in_the_report(scene: Scene, sandbox: Driver) -> None:
    """Signed up, looked and missed, the records came late, found and written."""
    scene.sign_up(contact=sandbox.contact(id="101", delay="90s", licenses=["NY"])["id"], name="Ada")
    scene.submit(data=whole_form())
    scene.clock.wait(3)
    edge = edge_to(sandbox.url)
    async with edge.client:
        await scene.round(edge)
        missed = scene.status()
        assert (missed["state"], missed["reason"], missed["complete"]) == ("waiting", "record_awaited", False)
        sandbox.advance("91s")
        scene.clock.wait(10)
        await scene.round(edge)
    status = scene.status()
    records = sandbox.records("101")
    assert (status["state"], status["complete"]) == ("in_sync", True)
    assert {w["state"] for w in status["writes"]} == {"written"}
    assert status["ids"][f"{ACTIVE}_id"] == records[ACTIVE]["id"]
    assert status["ids"]["license_ny_id"] == records["license.NY"]["id"]
    assert all(w["correlation_ids"] and w["properties"] for w in status["writes"])
    late = {link["slot"]: link["lateness_s"] is not None for link in status["links"] if link["awaited"]}
    assert late == {ACTIVE: True, "license.NY": True, ADDRESS: True}, "told with the writes' answers"
    text = packet_markdown(scene.packet())
    assert "Nothing is left to do" in text
    assert SECRET not in text
    events = [each["event"] for each in scene.packet()["timeline"]]
    assert events.index("lookup.missed") < events.index("link.found") < events.index("write.written")
