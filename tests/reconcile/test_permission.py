"""Standing aside where HubSpot refuses the token, as a whole or for one type and verb, in time that the test sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from credsync.core.denials import Denied, Verb
from credsync.core.portal_file import parse_portal
from credsync.core.reasons import Reason
from credsync.core.writes import WriteState
from credsync.hubspot.edge import Edge
from credsync.operate.portal_standing import standing_of
from credsync.reconcile.permission import Permission
from credsync.reconcile.sync_urls import SyncUrls
from credsync.store import leases, portals
from credsync.store.database import Database
from credsync.store.denials import deny, permit
from credsync.store.leases import Lease, LeaseLost
from credsync.store.portals import PortalStatus
from credsync.store.tables import events, therapists
from tests.operate.scene import ACTIVE, ADDRESS, PORTAL_TOML, T0, Scene, a_write, awaited, edge_to, uuid_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
WRITE_ADDRESS = Denied("therapist_address", Verb.WRITE, ("crm.objects.custom.write",))
READ_LICENSE = Denied("license", Verb.READ, ("crm.objects.custom.read",))


class Minutes:
    """A clock of this process that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def lease_of(database: Database) -> Lease:
    with database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "test", 3600)
    return lease or Lease("portal:alpha", "test", 1)


def status_of(scene: Scene) -> PortalStatus:
    with scene.database.read() as connection:
        return portals.status_of(connection, "alpha")


def seen(sandbox: Driver) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.do("/requests", method="GET")["requests"]
    return found


async def an_hour(scene: Scene, permission: Permission, clock: Minutes, edge: Edge) -> None:
    """An hour of a worker that comes by every 10 s."""
    lease, names = lease_of(scene.database), edge.known_names
    for _ in range(6 * 60):
        clock.seconds += 10
        status = status_of(scene)
        permission.take(status)
        if status.paused_by_us:
            await permission.token_taken(lease)
        if status.denied and permission.is_time_to_try():
            assert names is not None
            await permission.still_denied(lease, status.denied, names)


async def test_a_refused_token_is_tried_once_a_minute(scene: Scene, sandbox: Driver) -> None:
    """401 pauses the portal, and one probe a minute, not more, finds out when the token is taken again."""
    clock, edge = Minutes(), edge_to(sandbox.url)
    permission = Permission(scene.database, edge, clock=clock)
    sandbox.do("/settings", {"tokens": ["another"]}, "PUT")
    await permission.token_refused(lease_of(scene.database))
    assert status_of(scene).paused_by_us
    async with edge.client:
        before = len(seen(sandbox))
        permission = Permission(scene.database, edge, clock=clock)
        permission.take(status_of(scene))
        assert permission.due_in() == 0, "who takes the portal over tries at once: the token may be a new one"
        await an_hour(scene, permission, clock, edge)
        assert [r["kind"] for r in seen(sandbox)[before:]] == ["account"] * 60
        sandbox.do("/settings", {"tokens": None}, "PUT")
        await an_hour(scene, permission, clock, edge)
        assert len(seen(sandbox)) - before == 61
    assert status_of(scene).paused_at is None
    with scene.database.read() as connection:
        rows = connection.execute(select(events).order_by(events.c.id)).all()
    told = [(row.name, row.details) for row in rows if row.name.startswith("portal.")]
    assert told == [("portal.paused", {"by": "credsync"}), ("portal.resumed", {"by": "credsync"})]


@pytest.mark.parametrize("denied", [WRITE_ADDRESS, READ_LICENSE], ids=["write", "read"])
async def test_what_is_denied_of_one_type_is_tried_once_a_minute(
    scene: Scene, sandbox: Driver, denied: Denied
) -> None:
    """403 stops that object type and verb, and one probe a minute, which changes nothing, finds out when it is over."""
    contact = sandbox.contact(id="101", licenses=["NY"])["id"]
    clock, edge = Minutes(), edge_to(sandbox.url)
    permission = Permission(scene.database, edge, clock=clock)
    lease = lease_of(scene.database)
    with scene.database.write() as connection:
        deny(connection, lease, "alpha", [denied])
    await edge.names(scene.clock.now())
    call = {"write": "batch/update$", "read": "objects/.*/batch/read$"}[denied.verb]
    sandbox.do("/faults", {"match": {"path": call}, "times": None, "answer": "missing_scopes"})
    before, truth = len(seen(sandbox)), sandbox.truth(contact)
    async with edge.client:
        permission.just_denied([denied])
        await an_hour(scene, permission, clock, edge)
        probes = seen(sandbox)[before:]
        assert len(probes) == 60
        assert {r["status"] for r in probes} == {403}
        sandbox.do("/faults", method="DELETE")
        await an_hour(scene, permission, clock, edge)
        assert len(seen(sandbox)) - before <= 62
    assert status_of(scene).denied == ()
    assert sandbox.truth(contact) == truth


async def test_several_denials_take_one_call_a_minute_together(scene: Scene, sandbox: Driver) -> None:
    """One probe a minute, whatever is denied: an association read, an object read and a write take turns."""
    clock, edge = Minutes(), edge_to(sandbox.url)
    permission = Permission(scene.database, edge, clock=clock)
    lease = lease_of(scene.database)
    denied = [WRITE_ADDRESS, READ_LICENSE, Denied("credentialing", Verb.READ)]
    with scene.database.write() as connection:
        deny(connection, lease, "alpha", denied)
    await edge.names(scene.clock.now())
    names = edge.known_names
    assert names is not None
    license_, credentialing = names.type_id("license"), names.type_id("credentialing")
    for path in (
        "batch/update$",
        f"associations/.*/{license_}/batch/read$",
        f"objects/.*{credentialing}/batch/read$",
    ):
        sandbox.do("/faults", {"match": {"path": path}, "times": None, "answer": "missing_scopes"})
    before = len(seen(sandbox))
    async with edge.client:
        permission.just_denied(denied)
        await an_hour(scene, permission, clock, edge)
        probes = seen(sandbox)[before:]
        refused = [r["path"] for r in probes if r["status"] == 403]
        assert (len(refused), len(set(refused))) == (60, 3)
        assert len(probes) - len(refused) <= 1, "what was refused last is asked first"
        sandbox.do("/faults", method="DELETE")
        clock.seconds += 60
        assert await permission.still_denied(lease, denied, names) == []
        assert len(seen(sandbox)) - before - len(probes) == 5, (
            "once one is let in, the others are tried at once"
        )


async def test_whoever_waits_for_a_scope_is_due_when_it_is_given(scene: Scene) -> None:
    """Nobody polls meanwhile: one statement brings back those who wait, and nobody else."""
    waits = a_write(ADDRESS, WriteState.WAITING, reason=Reason.MISSING_SCOPES, record_id="901")
    for number in range(1, 5):
        scene.sign_up(number, str(100 + number))
    scene.store(1, writes=[waits], due_in=None)
    scene.store(2, [awaited("license.NY", reason=Reason.MISSING_SCOPES)], due_in=3600)
    scene.store(3, writes=[a_write()], due_in=None)
    scene.store(4, [awaited()], due_in=3600)
    scene.clock.wait(60)
    lease = lease_of(scene.database)
    with scene.database.write() as connection:
        deny(connection, lease, "alpha", [WRITE_ADDRESS, READ_LICENSE])
        permit(connection, lease, "alpha", [("therapist_address", Verb.WRITE)], scene.clock.now())
        due = connection.execute(select(therapists.c.id).where(therapists.c.due_at <= scene.clock.now()))
        assert sorted(due.scalars()) == [uuid_of(1), uuid_of(2)]
        assert portals.status_of(connection, "alpha").denied == (READ_LICENSE,)


async def test_a_scope_missing_for_one_type_keeps_its_writes_and_nothing_else(
    scene: Scene, sandbox: Driver
) -> None:
    """A denied write waits with its reason, unsent: no attempt is made for anybody until it is permitted."""
    edge = edge_to(sandbox.url)
    sandbox.contact(id="101", licenses=["NY"])
    address = sandbox.do("/health", method="GET")["objects"]["therapist_address"]
    fault = {"match": {"path": f"{address}/batch/update$"}, "times": None, "answer": "missing_scopes"}
    sandbox.do("/faults", fault)
    async with edge.client:
        scene.sign_up(1, "101")
        scene.submit(1)
        scene.clock.wait(5)
        report = await scene.round(edge)
        assert [(each.object, each.verb) for each in report.denied] == [("therapist_address", Verb.WRITE)]
        assert report.denied[0].scopes == ("crm.objects.custom.write",)
        assert not report.hubspot_silent
        status = scene.status(1)
        by_slot = {w["slot"]: (w["state"], w["reason"]) for w in status["writes"]}
        assert by_slot[ADDRESS] == ("waiting", "missing_scopes")
        assert by_slot[ACTIVE] == ("written", "")
        assert (status["state"], status["reason"]) == ("waiting", "missing_scopes")
        assert status["next_look_at"] is None
        scene.submit(1, {"practice_preferences": {"treating_address": {"city": "Troy"}}})
        scene.clock.wait(5)
        tries = len([r for r in seen(sandbox) if r["call"] == "objects batch/update"])
        await scene.round(edge)
        assert len([r for r in seen(sandbox) if r["call"] == "objects batch/update"]) == tries
        assert [w["attempts"] for w in scene.status(1)["writes"] if w["slot"] == ADDRESS][-1] <= 1
        sandbox.do("/faults", method="DELETE")
        with scene.database.write() as connection:
            lease = leases.acquire(connection, "portal:alpha", "test", 60)
            assert lease is not None
            permit(connection, lease, "alpha", [("therapist_address", Verb.WRITE)], scene.clock.now())
        await scene.round(edge)
        assert scene.status(1)["state"] == "in_sync"
        assert sandbox.records("101")[ADDRESS]["properties"]["city"] == "Troy"


async def test_a_persons_pause_takes_the_place_of_ours_and_is_not_ended(scene: Scene) -> None:
    """Only credsync's own pause ends by itself, never a person's, whatever the person is called."""
    lease, now = lease_of(scene.database), scene.clock.now()
    with scene.database.write() as connection:
        assert portals.pause_ourselves(connection, lease, "alpha", "token", now)
        assert not portals.pause_ourselves(connection, lease, "alpha", "token", now)
        assert "token" in standing_of(connection, scene.portals, "alpha").message
        assert portals.pause(connection, "alpha", "credsync", "by hand", now)
        assert not portals.pause_ourselves(connection, lease, "alpha", "token", now)
        assert not portals.resume_ourselves(connection, lease, "alpha", now)
        status = portals.status_of(connection, "alpha")
        assert (status.paused_by_us, status.paused_reason) == (False, "by hand")
        assert portals.resume(connection, "alpha", "Sam", now)
        assert portals.pause_ourselves(connection, lease, "alpha", "token", now)
        assert portals.resume(connection, "alpha", "Sam", now)


@pytest.mark.parametrize(
    "act",
    [
        lambda c, lost: portals.pause_ourselves(c, lost, "alpha", "", T0),
        lambda c, lost: portals.resume_ourselves(c, lost, "alpha", T0),
        lambda c, lost: deny(c, lost, "alpha", [READ_LICENSE]),
        lambda c, lost: permit(c, lost, "alpha", [("license", Verb.READ)], T0),
    ],
    ids=["pause", "resume", "deny", "permit"],
)
async def test_who_lost_the_lease_neither_pauses_nor_resumes(
    scene: Scene, act: Callable[[Connection, Lease], object]
) -> None:
    """All of it is recorded under the portal's lease."""
    with scene.database.write() as connection, pytest.raises(LeaseLost):
        act(connection, Lease("portal:alpha", "nobody", 9))


async def test_what_is_denied_is_said_with_the_scope_to_add(scene: Scene) -> None:
    """The portal's standing says what the alert says."""
    lease = lease_of(scene.database)
    with scene.database.write() as connection:
        deny(connection, lease, "alpha", [WRITE_ADDRESS])
        standing = standing_of(connection, scene.portals, "alpha")
    assert standing.state == "running"
    assert "may not write therapist_address" in standing.message
    assert "crm.objects.custom.write" in standing.message


async def test_a_scope_missing_for_sync_url_is_learnt(scene: Scene, sandbox: Driver) -> None:
    """Writing the contact's link is denied like any other write; nothing else stops."""
    toml = PORTAL_TOML + '[contact]\nsync_url = "medicare"\n'
    edge = edge_to(sandbox.url, parse_portal("alpha", toml.format(url=sandbox.url, mode="write")))
    sandbox.do("/schema", {"object": "contact", "property": {"name": "medicare", "type": "string"}}, "PUT")
    sandbox.do("/faults", {"match": {"path": "batch/update"}, "answer": "missing_scopes"})
    sandbox.contact(id="101", delay="never")
    scene.sign_up(1, "101")
    with scene.database.write() as connection:
        connection.execute(update(therapists).values(sync_url_at=scene.clock.now()))
    scene.clock.wait(120)
    urls = SyncUrls(scene.database, edge, "https://credsync.example")
    permission = Permission(scene.database, edge, clock=Minutes())
    async with edge.client:
        names = await edge.names(scene.clock.now())
        contacts = await urls.due(scene.clock.now())
        lease = lease_of(scene.database)
        await permission.learn(lease, await urls.write(contacts, names, lease))
    permission.take(status_of(scene))
    assert permission.lacks("contact", Verb.WRITE)
    assert not permission.lacks("credentialing", Verb.WRITE)
