"""How long records take, measured by real rounds; the deadline learnt from it; and whose workflow never fired."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from credsync.hubspot.edge import Edge
from credsync.operate.alerts import alerts_list, therapists_beneath
from credsync.operate.delays import delays_report
from credsync.operate.workflows import enrol_again
from credsync.reconcile.deadlines import Deadlines
from credsync.reconcile.watch import Watch
from credsync.store import leases
from tests.operate.scene import ACTIVE, ADDRESS, Scene, edge_to, portal_of, uuid_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
PORTAL = portal_of()


@pytest.fixture
async def edge(sandbox: Driver) -> AsyncIterator[Edge]:
    made = edge_to(sandbox.url)
    async with made.client:
        yield made


async def look_on(scene: Scene, sandbox: Driver, edge: Edge, seconds: float) -> None:
    """Both clocks go on, with a round now and then: often enough for looks to tell how long things took."""
    while seconds > 0:
        step = min(seconds, 50)
        scene.clock.wait(step)
        sandbox.advance(step)
        await scene.round(edge)
        seconds -= step


async def pass_by(scene: Scene, sandbox: Driver, edge: Edge, seconds: float) -> None:
    """Both clocks go on, with one round at the end."""
    scene.clock.wait(seconds)
    sandbox.advance(seconds)
    await scene.round(edge)


def sign_ups(
    scene: Scene, sandbox: Driver, numbers: Iterable[int], seconds: float, **planned: object
) -> None:
    """They sign up now; their records come after so many seconds."""
    for number in numbers:
        sandbox.contact(id=str(10_000 + number), delay=seconds, **planned)
        scene.sign_up(number, str(10_000 + number))


async def judge(scene: Scene) -> Deadlines:
    """The owner of the portal judges its deadlines, as it does at its start."""
    made = Deadlines(scene.database, PORTAL, scene.policy)
    with scene.database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "owner", 3_600)
    assert lease is not None
    await made.judge_again(lease, scene.clock.now())
    with scene.database.write() as connection:
        leases.release(connection, lease)
    return made


def told(scene: Scene, slot: str = ACTIVE) -> dict[str, object]:
    """The report on one slot."""
    with scene.database.read() as connection:
        report = delays_report(connection, [PORTAL], scene.clock.now(), scene.policy, slot=slot)
    (found,) = report["delays"]
    return dict(found)


async def test_the_deadline_is_learnt_from_what_rounds_measured(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """Status and delays say what is normal, when a wait is overdue, and from how many that was learnt."""
    sign_ups(scene, sandbox, range(10), 95)
    await look_on(scene, sandbox, edge, 120)
    few = (await judge(scene)).policy
    assert few.overdue_of(ACTIVE) == timedelta(minutes=30)
    assert scene.link(ACTIVE)["overdue_message"].startswith("too few to say what is normal (10 of 30)")
    sign_ups(scene, sandbox, range(10, 30), 95)
    await look_on(scene, sandbox, edge, 120)
    sign_ups(scene, sandbox, range(30, 40), 395)
    await look_on(scene, sandbox, edge, 420)
    learnt = (await judge(scene)).policy
    assert timedelta(seconds=400) <= learnt.overdue_of(ACTIVE) <= timedelta(seconds=425)
    report = told(scene)
    assert (report["samples"], report["overdue_after_from"], report["waiting"]) == (40, "learnt", 0)
    assert scene.link(ACTIVE)["overdue_message"] == report["message"]
    assert str(report["message"]).startswith("normally 2 to 7 minutes; overdue after ")
    (week,) = report["weeks"]  # type: ignore[misc, attr-defined]
    assert (week["found"]["count"], week["created"]["count"]) == (40, 0)
    assert 95 <= week["found"]["p50_s"] <= 115
    assert 395 <= week["found"]["p99_s"] <= 425


async def test_what_was_learnt_makes_a_link_overdue(scene: Scene, sandbox: Driver, edge: Edge) -> None:
    sign_ups(scene, sandbox, range(30), 95)
    await look_on(scene, sandbox, edge, 120)
    scene.policy = (await judge(scene)).policy
    sign_ups(scene, sandbox, [50], 0, never=["credentialing"])
    await look_on(scene, sandbox, edge, 290)
    assert scene.status(50)["state"] == "waiting"
    await look_on(scene, sandbox, edge, 20)
    assert scene.status(50)["state"] == "overdue"
    scene.policy = replace(scene.policy, learnt={})


async def test_a_workflow_that_never_fired_is_told_from_a_slow_one_with_the_contacts_to_enrol_again(
    scene: Scene, sandbox: Driver, edge: Edge
) -> None:
    """One alert names object type and slot, tells slow from never fired, and has the contacts to enrol again beneath."""
    await judge(scene)

    async def alerts() -> list[tuple[str, str, str, int]]:
        """What is open after an evaluation: kind, object type, slot, therapists."""
        with scene.database.write() as connection:
            lease = leases.acquire(connection, "portal:alpha", "owner", 3_600)
        assert lease is not None
        await Watch(scene.database, PORTAL).look(lease, None)
        with scene.database.write() as connection:
            leases.release(connection, lease)
        with scene.database.read() as connection:
            told = alerts_list(connection)["alerts"]
        return [(each["kind"], each["object"], each["slot"], each["therapists"]) for each in told]

    sign_ups(scene, sandbox, range(6), 0, never=["credentialing"])
    await look_on(scene, sandbox, edge, 100)
    await pass_by(scene, sandbox, edge, 1_650)
    assert await alerts() == []
    await pass_by(scene, sandbox, edge, 100)
    assert await alerts() == [("workflow_slow", "credentialing", ACTIVE, 6)]
    await pass_by(scene, sandbox, edge, 3_600)
    assert await alerts() == [("workflow_never_fired", "credentialing", ACTIVE, 6)]
    sign_ups(scene, sandbox, range(6, 10), 95)
    await look_on(scene, sandbox, edge, 120)
    assert await alerts() == [("workflow_never_fired", "credentialing", ACTIVE, 6)]
    with scene.database.read() as connection:
        again = enrol_again(connection, PORTAL, ACTIVE)
        assert enrol_again(connection, PORTAL, ADDRESS) == []
        (alert,) = alerts_list(connection)["alerts"]
        beneath = therapists_beneath(connection, scene.portals, int(alert["id"]), now=scene.clock.now())
    assert beneath is not None
    assert [each["contact_id"] for each in again] == [str(10_000 + n) for n in range(6)]
    assert {each["id"] for each in beneath["therapists"]} == {uuid_of(n) for n in range(6)}
    assert f"credsync delays --reenrol {ACTIVE}" in alert["remedy"]
    for number in range(6):
        sandbox.do("/records/create", {"contact": str(10_000 + number), "slot": ACTIVE})
    await pass_by(scene, sandbox, edge, 600)
    assert await alerts() == []
