"""The verification sweep: each life event that no event told is found, nothing else changes, and the day's share is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from credsync.core.portal_file import parse_portal
from credsync.hubspot.edge import Edge
from credsync.reconcile.permission import Permission
from credsync.reconcile.sweep import Sweep, SweepReport
from credsync.store import leases
from credsync.store.leases import Lease, LeaseLost
from credsync.store.portals import PortalStatus, status_of
from credsync.store.tables import events, links, portals, therapists, writes
from tests.operate.scene import ACTIVE, ADDRESS, MOVE, PORTAL_TOML, Scene, edge_to, uuid_of, whole_form
from tests.sandbox.driver import Driver, Switch, app_of, driving

pytestmark = pytest.mark.anyio
DAY_S = 86_400
CA = whole_form()
CA.pop("education_and_training")
TWO_HOPS = PORTAL_TOML.replace(
    '[objects.license]\nname = "license"\n', '[objects.license]\nname = "license"\nparent = "credentialing"\n'
)


@pytest.fixture
async def edge(sandbox: Driver) -> AsyncIterator[Edge]:
    made = edge_to(sandbox.url)
    async with made.client:
        yield made


def lease_of(scene: Scene) -> Lease:
    with scene.database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "test", 10**8)
    return lease or Lease("portal:alpha", "test", 1)


def sweep_of(scene: Scene, edge: Edge, daily_calls: int = 500_000) -> Sweep:
    learn = Permission(scene.database, edge).learn
    return Sweep(scene.database, edge, scene.policy, edge.names, learn, daily_calls=daily_calls)


async def sweep(scene: Scene, edge: Edge, daily_calls: int = 500_000) -> SweepReport | None:
    """A sweep, if it is time."""
    return await sweep_of(scene, edge, daily_calls).turn(lease_of(scene))


async def in_sync(scene: Scene, sandbox: Driver, edge: Edge, *numbers: int) -> None:
    """Therapists whose CA is in HubSpot."""
    for number in numbers or (1,):
        sandbox.contact(id=str(100 + number))
        scene.sign_up(number, str(100 + number))
        scene.submit(number, data=CA)
    scene.clock.wait(5)
    await scene.round(edge)
    assert {scene.status(number)["state"] for number in numbers or (1,)} == {"in_sync"}


def calls(sandbox: Driver, kind: str = "") -> int:
    listed = sandbox.do("/requests", method="GET")["requests"]
    return len([each for each in listed if kind in each["call"]])


def rows(scene: Scene) -> dict[str, list[Any]]:
    """Everything a sweep might change but must not."""
    untouched = [c for c in therapists.c if c.name != "verified_at"]
    with scene.database.read() as connection:
        return {
            "therapists": connection.execute(select(*untouched).order_by(therapists.c.id)).all(),
            **{
                table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
                for table in (links, writes, events)
            },
        }


def record(sandbox: Driver, slot: str = ACTIVE) -> str:
    return str(sandbox.records("101")[slot]["id"])


def deleted(sandbox: Driver) -> None:
    sandbox.do("/records/delete", {"id": record(sandbox)})


def re_created(sandbox: Driver) -> None:
    deleted(sandbox)
    sandbox.do("/records/create", {"contact": "101", "slot": ACTIVE})


def unlinked(sandbox: Driver) -> None:
    sandbox.do("/records/unlink", {"id": record(sandbox), "parent": "101"})


def unlabelled(sandbox: Driver) -> None:
    sandbox.do("/records/unmark", {"id": record(sandbox), "slot": ACTIVE})


def re_labelled(sandbox: Driver) -> None:
    new = sandbox.do("/records/create", {"contact": "101", "object": "credentialing"})["id"]
    sandbox.do("/records/move", {"slot": ACTIVE, "to": new})


def doubled(sandbox: Driver) -> None:
    sandbox.do("/records/create", {"contact": "101", "slot": ACTIVE})


def gdpr_deleted(sandbox: Driver) -> None:
    sandbox.hubspot.delete("/crm/objects/2026-09/0-1/101").raise_for_status()


def contact_merged(sandbox: Driver) -> None:
    sandbox.contact(id="900", never=["credentialing", "therapist_address"])
    body = {"primaryObjectId": "101", "objectIdToMerge": "900"}
    sandbox.hubspot.post("/crm/objects/2026-09/contacts/merge", json=body).raise_for_status()


def other_slot_emptied(sandbox: Driver) -> None:
    for held in sandbox.records("101").values():
        if MOVE in held["slots"]:
            sandbox.do("/records/delete", {"id": held["id"]})
            return


LIVES = [
    (deleted, "waiting", "record_lost", 0),
    (re_created, "in_sync", "", 1),
    (unlinked, "waiting", "record_lost", 0),
    (unlabelled, "waiting", "label_moved", 0),
    (re_labelled, "in_sync", "", 0),
    (doubled, "ambiguous", "two_records_in_slot", 0),
    (gdpr_deleted, "waiting", "contact_gone", 0),
    (contact_merged, "in_sync", "", 0),
    (other_slot_emptied, "waiting", "record_lost", 0),
]


@pytest.mark.parametrize(
    ("happen", "state", "reason", "owed"), LIVES, ids=[each[0].__name__ for each in LIVES]
)
async def test_what_no_event_told_is_found_by_the_sweep(
    scene: Scene,
    sandbox: Driver,
    edge: Edge,
    happen: Callable[[Driver], None],
    state: str,
    reason: str,
    owed: int,
) -> None:
    """A sweep finds what no event told: deleted, re-created, unlinked, re-labelled, merged, deleted for good.

    It writes only what a loss owes, and each find is made once.
    """
    await in_sync(scene, sandbox, edge)
    happen(sandbox)
    before = calls(sandbox, "batch/update")
    scene.clock.wait(DAY_S)
    report = await sweep(scene, edge)
    assert report is not None
    assert report.changed == [uuid_of(1)]
    assert calls(sandbox, "batch/update") == before
    await scene.round(edge)
    told = scene.status(1)
    assert (told["state"], told["reason"]) == (state, reason)
    assert calls(sandbox, "batch/update") - before == owed
    if state == "in_sync":
        scene.clock.wait(DAY_S + 600)
        again = await sweep(scene, edge)
        assert again is not None
        assert again.changed == []


async def test_who_waits_for_one_record_is_verified_too(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    """Their rounds look for what they wait for alone: what becomes of another record is found by the sweep."""
    sandbox.contact(id="101", never=[ACTIVE])
    scene.sign_up(1, "101")
    scene.submit(1, data=CA)
    scene.clock.wait(5)
    await scene.round(edge)
    assert scene.status(1)["state"] == "waiting"
    sandbox.do("/records/delete", {"id": record(sandbox, ADDRESS)})
    new = sandbox.do("/records/create", {"contact": "101", "slot": ADDRESS})["id"]
    scene.clock.wait(DAY_S)
    await scene.round(edge)
    assert scene.status(1)["ids"]["therapist_address_current_id"] != new, (
        "the round looks for the other alone"
    )
    report = await sweep(scene, edge)
    assert report is not None
    assert report.changed == [uuid_of(1)]
    await scene.round(edge)
    assert scene.status(1)["ids"]["therapist_address_current_id"] == new
    assert record(sandbox, ADDRESS) == new
    assert sandbox.records("101")[ADDRESS]["writes"] == 1, "what the loss owes"


async def test_what_was_lost_and_comes_back_is_found_and_written(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """A record that is restored is its own successor, and gets the newest data of the enrolment."""
    await in_sync(scene, sandbox, edge)
    lost = record(sandbox)
    sandbox.do("/records/unlink", {"id": lost, "parent": "101"})
    scene.clock.wait(DAY_S)
    assert await sweep(scene, edge) is not None
    await scene.round(edge)
    assert scene.link(ACTIVE)["record_id"] is None
    sandbox.do("/records/link", {"id": lost, "parent": "101", "slot": ACTIVE})
    scene.clock.wait(10)
    await scene.round(edge)
    assert (scene.status(1)["state"], scene.link(ACTIVE)["record_id"]) == ("in_sync", lost)
    held = next(r for r in sandbox.truth("101")["records"] if r["id"] == lost)
    assert held["writes"] == 2


async def test_a_licence_that_moved_to_another_parent_is_found(
    scene: Scene, hubspot: tuple[Switch, str], tmp_path: Path
) -> None:
    """A licence moved to another Credentialing is found by the sweep."""
    switch, url = hubspot
    text = TWO_HOPS.format(url=url, mode="write")
    switch.app = app_of(tmp_path, text)
    scene.portals = {"alpha": parse_portal("alpha", text)}
    edge = edge_to(url, scene.portals["alpha"])
    async with edge.client:
        with driving(switch.app, url) as sandbox:
            sandbox.contact(id="101", licenses=["NY"])
            scene.sign_up()
            scene.submit(data=whole_form("NY"))
            for _ in range(3):
                scene.clock.wait(30)
                await scene.round(edge)
            assert scene.status(1)["state"] == "in_sync"
            held = sandbox.records("101")
            licence = scene.link("license.NY")["record_id"]
            sandbox.do("/records/unlink", {"id": licence, "parent": held[ACTIVE]["id"]})
            sandbox.do("/records/link", {"id": licence, "parent": held[MOVE]["id"]})
            scene.clock.wait(DAY_S)
            report = await sweep(scene, edge)
            assert report is not None
            assert report.changed == [uuid_of(1)]
            await scene.round(edge)
            assert scene.link("license.NY")["record_id"] is None


async def test_a_sweep_of_what_did_not_change_writes_nothing(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """A sweep looks and links only: where nothing changed it writes nothing, here or there."""
    await in_sync(scene, sandbox, edge, 1, 2, 3)
    sandbox.do("/records/edit", {"id": record(sandbox), "properties": {"bio": "edited by hand"}})
    scene.clock.wait(600)
    await sweep(scene, edge)
    scene.clock.wait(DAY_S)
    await sweep(scene, edge)
    before, wrote = rows(scene), calls(sandbox, "batch/update")
    for _ in range(5):
        scene.clock.wait(DAY_S)
        report = await sweep(scene, edge)
        assert report is not None
        assert (report.therapists, report.changed, report.creation_times) == (3, [], 0)
        await scene.round(edge)
    assert rows(scene) == before
    assert calls(sandbox, "batch/update") == wrote


async def test_missing_creation_times_are_fetched_by_the_way(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """A sweep fetches the creation times that no answer has told."""
    await in_sync(scene, sandbox, edge)
    assert scene.link(MOVE)["record_created_at"] is None
    scene.clock.wait(DAY_S)
    report = await sweep(scene, edge)
    assert report is not None
    assert report.creation_times >= 1
    assert None not in [scene.link(slot)["record_created_at"] for slot in (ACTIVE, MOVE, ADDRESS)]


async def test_sweeps_keep_to_their_share_of_the_days_calls(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """Sweeps take at most 2 % of a day's calls, oldest verified first, however often they may begin."""
    await in_sync(scene, sandbox, edge, 1, 2, 3)
    scene.policy = type(scene.policy)(verify_every=timedelta(minutes=1))
    scene.clock.wait(DAY_S)
    sandbox.do("/requests", method="DELETE")
    took: list[tuple[datetime, int]] = []
    ends = scene.clock.now() + timedelta(days=3)
    while scene.clock.now() < ends:
        report = await sweep(scene, edge, daily_calls=10_000)
        if report is not None:
            took.append((scene.clock.now(), report.calls))
        scene.clock.wait(1_800)
    assert sum(each for _, each in took) == calls(sandbox)
    for began, _ in took:
        day = [each for at, each in took if timedelta(0) <= at - began < timedelta(days=1)]
        assert sum(day) <= 0.02 * 10_000
    assert len(took) >= 15


async def test_a_sweep_waits_for_whatever_is_due(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    """Nothing due is ever delayed by a sweep: it begins only where nothing is."""
    await in_sync(scene, sandbox, edge, 1, 2)
    scene.clock.wait(DAY_S)
    scene.section(2)
    scene.clock.wait(5)
    assert await sweep(scene, edge) is None
    await scene.round(edge)
    assert await sweep(scene, edge) is not None


async def test_the_oldest_verified_come_first_and_a_call_is_filled_up(
    scene: Scene, sandbox: Driver, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest verified come first; a call is filled up with the next."""
    monkeypatch.setattr("credsync.reconcile.sweep.MOST_THERAPISTS", 2)
    await in_sync(scene, sandbox, edge, 1)
    scene.clock.wait(600)
    await in_sync(scene, sandbox, edge, 2)
    scene.clock.wait(600)
    await in_sync(scene, sandbox, edge, 3)

    def verified() -> list[int]:
        query = select(therapists.c.id, therapists.c.verified_at).order_by(therapists.c.id)
        with scene.database.read() as connection:
            found = connection.execute(query).all()
        return [n for n, row in enumerate(found, 1) if row.verified_at == scene.clock.now()]

    scene.clock.wait(DAY_S - 1_300)
    assert await sweep(scene, edge) is None
    scene.clock.wait(200)
    assert (await sweep(scene, edge)) is not None
    assert verified() == [1, 2]
    scene.clock.wait(1_200)
    assert (await sweep(scene, edge)) is not None
    assert 3 in verified()


async def test_what_hubspot_does_not_answer_concludes_nothing_and_is_asked_again_soon(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    await in_sync(scene, sandbox, edge)
    scene.clock.wait(DAY_S)
    assert await sweep(scene, edge) is not None
    deleted(sandbox)
    before = rows(scene)
    sandbox.do("/faults", {"match": {"kind": "associations"}, "answer": {"status": 500}, "times": 1_000})
    scene.clock.wait(DAY_S)
    report = await sweep(scene, edge)
    assert report is None or report.changed == []
    assert rows(scene) == before
    assert await sweep(scene, edge) is None
    sandbox.do("/faults", method="DELETE")
    scene.clock.wait(DAY_S / 24 + 900)
    report = await sweep(scene, edge)
    assert report is not None
    assert report.changed == [uuid_of(1)]


def standing(scene: Scene) -> PortalStatus:
    with scene.database.read() as connection:
        return status_of(connection, "alpha")


async def test_a_sweep_learns_that_the_token_is_refused(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    """A 401 pauses the portal whoever met it: nothing else may be due for a day."""
    await in_sync(scene, sandbox, edge)
    scene.clock.wait(DAY_S)
    await edge.names(scene.clock.now())
    sandbox.do("/settings", {"tokens": ["another"]}, "PUT")
    await sweep(scene, edge)
    assert standing(scene).paused_by_us


async def test_a_sweep_that_may_not_read_one_type_says_so_and_verifies_the_others(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """A 403 stops that object type alone: the sweep asks for it no more, and finds what happened to the others."""
    await in_sync(scene, sandbox, edge)
    denied = f"/0-1/{(await edge.names(scene.clock.now())).type_id('therapist_address')}/batch"
    sandbox.do("/faults", {"match": {"path": denied}, "times": None, "answer": "missing_scopes"})
    scene.clock.wait(DAY_S)
    assert await sweep(scene, edge) is not None
    assert [(each.object, each.verb) for each in standing(scene).denied] == [("therapist_address", "read")]
    deleted(sandbox)
    scene.clock.wait(DAY_S)
    report = await sweep(scene, edge)
    assert report is not None
    assert report.changed == [uuid_of(1)]
    refused = [r for r in sandbox.do("/requests", method="GET")["requests"] if r["status"] == 403]
    assert len(refused) == 1, "the denied type is not asked for again"


async def test_a_sweep_that_lost_its_lease_keeps_nothing(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    await in_sync(scene, sandbox, edge)
    deleted(sandbox)
    scene.clock.wait(DAY_S)
    before = rows(scene)
    with pytest.raises(LeaseLost):
        await sweep_of(scene, edge).turn(Lease("portal:alpha", "nobody", 7))
    assert rows(scene) == before
    with scene.database.read() as connection:
        assert connection.execute(select(portals.c.sweep_from)).scalars().all() in ([], [None])


async def test_a_fault_of_ours_in_a_sweep_stops_no_round(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    """A row that nobody can read is logged, the sweep ends there, and the rounds go on."""
    await in_sync(scene, sandbox, edge)
    with scene.database.write() as connection:
        connection.execute(update(links).values(state="unheard of"))
    scene.clock.wait(DAY_S)
    made = sweep_of(scene, edge)
    assert await made.attempt(lease_of(scene)) is None
    with scene.database.write() as connection:
        connection.execute(update(links).values(state="found"))
    scene.clock.wait(DAY_S)
    with pytest.raises(LeaseLost):
        await made.attempt(Lease("portal:alpha", "nobody", 7))


async def test_who_is_next_costs_the_same_however_many_there_are(scene: Scene) -> None:
    """Whom to verify next is read over an index, however many therapists there are."""
    from credsync.store.verification import oldest_verified

    scene.sign_up()
    asked: list[tuple[str, Any]] = []
    with scene.database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        found = oldest_verified(connection, "alpha", "", scene.clock.now(), timedelta(days=1), 1_000)
    assert (found, len(asked)) == ([], 1)
    if scene.database.is_sqlite:
        with scene.database.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1]).all()
        assert "ix_therapists_verifiable" in str(plan)
        assert "TEMP B-TREE" not in str(plan)
