"""Causes of alerts as they are found in the database, on either kind of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from credsync.core.alerts import Alert, AlertKind
from credsync.core.links import LinkState
from credsync.core.properties import Property
from credsync.core.reasons import Reason
from credsync.core.writes import WriteState
from credsync.hubspot.edge import Names
from credsync.hubspot.schema import ObjectSchema, PortalSchema
from credsync.operate.alerts import alerts_list, therapists_beneath
from credsync.reconcile.watch import Watch
from credsync.store import leases, portals
from credsync.store.leases import Lease, LeaseLost
from credsync.store.restoring import take_up_backup
from credsync.store.rounds import Verified
from credsync.store.tables import alerts, events, links, writes
from tests.operate.scene import ACTIVE, ADDRESS, T0, Scene, a_write, awaited, found, portal_of, uuid_of

pytestmark = pytest.mark.anyio
LATE = {"overdue_since": T0, "reason": Reason.RECORD_AWAITED}


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements run meanwhile."""
    run: list[str] = []

    def note(*arguments: Any) -> None:
        run.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", note)


def lease_of(scene: Scene) -> Lease:
    with scene.database.write() as connection:
        lease = leases.acquire(connection, "portal:alpha", "test", 3600)
    return lease or Lease("portal:alpha", "test", 1)


def names(*lacking: str) -> Names:
    """HubSpot as the portal file wants it, but for these properties."""
    known = ("npi", "bio", "medicare", "license_number", "license_state", "expires_on", "city")
    properties = {name: Property(name, "string") for name in known if name not in lacking}
    objects = {
        key: ObjectSchema(key, key, f"2-{n}", {}, properties) for n, key in enumerate(portal_of().objects)
    }
    return Names(PortalSchema(objects), None, T0)


async def evaluate(scene: Scene, known: Names | None = None) -> list[Alert]:
    """One evaluation now; gives what was opened or closed."""
    told: list[Alert] = []
    watch = Watch(scene.database, portal_of(), tell=told.extend)
    await watch.look(lease_of(scene), known or names())
    return told


def listed(scene: Scene, closed: bool | None = False) -> list[dict[str, Any]]:
    with scene.database.read() as connection:
        found: list[dict[str, Any]] = alerts_list(connection, closed=closed)["alerts"]
    return found


def beneath(scene: Scene, alert: dict[str, Any]) -> list[int]:
    with scene.database.read() as connection:
        told = therapists_beneath(connection, scene.portals, int(alert["id"]), now=scene.clock.now())
    assert told is not None
    return [int(each["id"][-12:]) for each in told["therapists"]]


def late(scene: Scene, *numbers: int, slot: str = ACTIVE, **changed: Any) -> None:
    for number in numbers:
        scene.sign_up(number, str(100 + number))
        scene.store(number, [awaited(slot, **{**LATE, **changed})])


async def test_one_alert_per_cause_with_the_therapists_beneath(scene: Scene) -> None:
    """After `overdue_after` one alert per *cause* (portal, object type, slot, kind), therapists listed beneath, closing by itself."""
    late(scene, 1, 2)
    late(scene, 3, slot="license.NY")
    scene.store(3, [awaited("license.CA", **LATE)])
    scene.sign_up(4, "104")
    scene.store(4, [awaited()])
    told = await evaluate(scene)
    assert {(a.cause.object, a.cause.slot, a.holding.therapists) for a in told} == {
        ("credentialing", ACTIVE, 2),
        ("license", "license", 1),
    }
    by_slot = {each["slot"]: each for each in listed(scene)}
    assert beneath(scene, by_slot[ACTIVE]) == [1, 2]
    assert beneath(scene, by_slot["license"]) == [3]
    scene.clock.wait(10)
    assert await evaluate(scene) == []

    scene.store(1, [awaited(overdue_since=None, state=LinkState.FOUND, record_id="900")])
    assert await evaluate(scene) == []
    assert {each["slot"]: each["therapists"] for each in listed(scene)} == {ACTIVE: 1, "license": 1}
    scene.store(2, [awaited(overdue_since=None, state=LinkState.FOUND, record_id="901")])
    (closed,) = await evaluate(scene)
    assert closed.cause.slot == ACTIVE
    assert [each["state"] for each in listed(scene, None) if each["slot"] == ACTIVE] == ["closed"]
    with scene.database.read() as connection:
        happened = connection.execute(select(events).where(events.c.name.startswith("alert."))).all()
    assert [row.name for row in happened] == ["alert.opened", "alert.opened", "alert.closed"]


async def test_given_up_and_gone_contacts_are_causes_of_their_own(scene: Scene) -> None:
    """What is to be done differs, so the alert does: enrol again, or restore the contact."""
    late(scene, 1, state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)
    late(scene, 2, reason=Reason.CONTACT_GONE)
    scene.store(2, [awaited(ADDRESS, **{**LATE, "reason": Reason.CONTACT_GONE})])
    late(scene, 3)
    await evaluate(scene)
    by_kind = {each["kind"]: each for each in listed(scene)}
    assert {kind: beneath(scene, each) for kind, each in by_kind.items()} == {
        "given_up": [1],
        "contact_gone": [2],
        "overdue": [3],
    }
    assert by_kind["contact_gone"]["therapists"] == 1
    assert by_kind["contact_gone"]["slot"] is None


def wrote(scene: Scene, number: int, state: WriteState, hours: int = 0, **named: str) -> None:
    """A write whose properties came to these ends: refused or written."""
    at = T0 + timedelta(hours=hours)
    ends = {end: frozenset(n for n, e in named.items() if e == end) for end in ("written", "refused")}
    write = a_write(state=state, submitted_at=at, wrote=ends["written"], refused=ends["refused"])
    properties = [{"name": n, "state": end, "code": "", "message": ""} for n, end in named.items()]
    scene.store(number, writes=[write], verified={0: Verified(properties)})


def refused(scene: Scene, number: int, *named: str, state: WriteState = WriteState.PARTIAL) -> None:
    scene.sign_up(number, str(100 + number))
    wrote(scene, number, state, **dict.fromkeys(named, "refused"))


async def test_a_refused_property_is_one_alert_until_it_is_answered(scene: Scene) -> None:
    """One alert per property that HubSpot refuses, whoever's values they are, closing when nothing refused is left."""
    refused(scene, 1, "medicare")
    refused(scene, 2, "medicare", "bio")
    refused(scene, 3, state=WriteState.REFUSED)
    await evaluate(scene)
    found = {each["property"]: each for each in listed(scene)}
    assert {name: beneath(scene, each) for name, each in found.items()} == {
        "medicare": [1, 2],
        "bio": [2],
        None: [3],
    }
    assert {each["kind"] for each in found.values()} == {"values_refused"}
    for number in (1, 2, 3):
        wrote(scene, number, WriteState.WRITTEN, 1, medicare="written", bio="written")
    await evaluate(scene)
    assert listed(scene) == []


async def test_a_mapped_property_that_vanished_is_one_alert(scene: Scene) -> None:
    """A mapped property that vanished is one alert, not a thousand, and not one of refused values besides."""
    for number in range(1, 6):
        refused(scene, number, "medicare")
    await evaluate(scene, names("medicare"))
    (alert,) = listed(scene)
    assert (alert["kind"], alert["object"], alert["property"]) == (
        "property_vanished",
        "credentialing",
        "medicare",
    )
    assert beneath(scene, alert) == [1, 2, 3, 4, 5]
    await evaluate(scene, names())
    assert [each["kind"] for each in listed(scene)] == ["values_refused"]


async def test_what_hubspot_does_not_tell_is_not_taken_for_vanished(scene: Scene) -> None:
    """While names are unknown, alerts about properties stay as they are."""
    await evaluate(scene, names("medicare"))
    told: list[Alert] = []
    await Watch(scene.database, portal_of(), tell=told.extend).look(lease_of(scene), None)
    assert told == []
    assert len(listed(scene)) == 1


async def test_a_portal_that_cannot_be_used_is_an_alert(scene: Scene) -> None:
    """What the portal's row says and what the alert says are the same words."""
    with scene.database.write() as connection:
        portals.set_problem(connection, "alpha", "no such label", AlertKind.PORTAL_UNUSABLE)
    (alert,) = await evaluate(scene)
    assert "no such label" in listed(scene)[0]["message"]
    with scene.database.write() as connection:
        portals.set_problem(connection, "alpha", None)
    (closed,) = await evaluate(scene)
    assert closed.id == alert.id


async def test_a_restored_backup_is_an_alert_until_all_is_looked_at_and_nothing_held(scene: Scene) -> None:
    """Whoever is held stands beneath it; where nothing is, it ends when everybody was looked at."""
    for number in (1, 2, 3):
        scene.sign_up(number, str(100 + number))
        scene.store(number, [found(record_id=str(900 + number))], due_in=None)
    scene.store(1, writes=[a_write(state=WriteState.WAITING), a_write(ADDRESS, WriteState.UNKNOWN)])
    assert await evaluate(scene) == []
    with scene.database.write() as connection:
        take_up_backup(connection, "alpha", scene.clock.now())
        take_up_backup(connection, "beta", scene.clock.now())
    scene.clock.wait(1)
    (opened,) = await evaluate(scene)
    assert (opened.cause.kind, opened.holding.therapists) == (AlertKind.RESTORED, 1)
    (alert,) = listed(scene)
    assert beneath(scene, alert) == [1]
    assert "submit again" in alert["remedy"]
    with scene.database.write() as connection:
        connection.execute(update(writes).values(state="held", reason="restored_differs"))
    for number in (1, 2, 3):
        scene.store(number, due_in=None)
    assert beneath(scene, listed(scene)[0]) == [1], "looked at, and one differs"
    with counted(scene.database.engine) as statements:
        await evaluate(scene)
    (asked,) = [each for each in statements if "restored_differs" in each]
    if scene.database.is_sqlite:
        with scene.database.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", ("",) * asked.count("?")).all()
            assert "ix_writes_held_by_backup" in str(plan)
            assert "ix_therapists_portal_due_at" in str(plan)

    with scene.database.write() as connection:
        connection.execute(update(writes).values(state="written", reason=""))
        take_up_backup(connection, "alpha", scene.clock.now())
    assert await evaluate(scene) == [], "nothing is held, but nobody was looked at since it was told again"
    assert listed(scene)[0]["therapists"] == 0
    for number in (1, 2, 3):
        scene.store(number, due_in=None)
    (closed,) = await evaluate(scene)
    assert closed.id == opened.id


async def test_an_evaluation_costs_the_same_however_many_therapists_there_are(scene: Scene) -> None:
    """A few statements and none that writes, while nothing changes; read by the index of what is overdue."""
    late(scene, 1)
    await evaluate(scene)
    row = {"slot": ACTIVE, "portal": "alpha", "awaited": True, "state": "found", "reason": "", "looks": 1}
    row |= {"awaited_since": T0, "record_id": "1", "candidates": []}
    for number in range(2, 60):
        scene.sign_up(number, str(100 + number))
    with scene.database.write() as connection:
        connection.execute(insert(links), [{**row, "therapist_id": uuid_of(n)} for n in range(2, 60)])
    with counted(scene.database.engine) as statements:
        await evaluate(scene)
    asked = [each for each in statements if each.startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
    assert all(each.startswith("SELECT") or "leases" in each for each in asked)
    assert len([each for each in asked if "leases" not in each]) == 7
    if scene.database.is_sqlite:
        (late_query,) = [each for each in asked if "overdue_since" in each]
        with scene.database.read() as connection:
            plan = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {late_query}", ("",) * late_query.count("?")
            )
            assert "ix_links_overdue" in str(plan.all())


async def test_who_lost_the_lease_changes_no_alert(scene: Scene) -> None:
    """Alerts are recorded under the portal's lease, as everything else is."""
    late(scene, 1)
    with pytest.raises(LeaseLost):
        await Watch(scene.database, portal_of()).look(Lease("portal:alpha", "nobody", 9), names())
    with scene.database.read() as connection:
        assert connection.execute(select(alerts)).all() == []


def test_evaluations_are_seconds_apart(scene: Scene) -> None:
    """At once at first, then at most every few seconds however often something happens."""
    watch = Watch(scene.database, portal_of())
    assert watch.due_in() == 0.0
