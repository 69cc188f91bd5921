"""What a webhook's hint makes of the next round, through real rounds against the sandbox, on either database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from credsync.core.denials import Denied, Verb
from credsync.core.hints import hints_of
from credsync.core.webhook_events import read_events
from credsync.hubspot.edge import Edge
from credsync.reconcile import round as rounds_of
from credsync.reconcile.round import Round
from credsync.store import leases
from credsync.store.cases import next_due_at
from credsync.store.denials import deny, permit
from credsync.store.hints import keep_hints
from credsync.store.leases import Lease
from credsync.store.tables import therapists
from credsync.store.webhook_tables import hints
from credsync.store.webhooks import note_received
from tests.operate.scene import ACTIVE, ADDRESS, NY, TYPES, Scene, edge_to
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
CONTACT_TYPE = "0-1"
CREDENTIALING, LICENSE, ADDRESS_TYPE = (
    TYPES[key] for key in ("credentialing", "license", "therapist_address")
)
SOON = 1.0
"""Seconds a hint waits for company."""


def event(kind: str, type_id: str, **told: Any) -> dict[str, Any]:
    return {"subscriptionType": kind, "objectTypeId": type_id, "portalId": 1234567, **told}


def associated(type_id: str, record: str, contact: str) -> dict[str, Any]:
    ends = {"fromObjectId": int(record), "toObjectId": int(contact), "associationRemoved": False}
    return event("object.associationChange", type_id, **ends)


def tell(scene: Scene, *events: dict[str, Any]) -> int:
    """HubSpot told this just now; gives how many therapists were meant."""
    read, faults = read_events(list(events))
    assert not faults
    found = hints_of(scene.portals["alpha"], TYPES, "1234567", read)
    now = scene.clock.now()
    with scene.database.write() as connection:
        due = now + timedelta(seconds=SOON)
        meant = keep_hints(connection, "alpha", found.touches, found.woken, due)
        note_received(connection, "alpha", len(events), meant, found.associated, now)
    return meant


async def rounds(scene: Scene, edge: Edge, seconds: float = SOON) -> None:
    scene.clock.wait(seconds)
    await scene.round(edge)


async def written(scene: Scene, edge: Edge, number: int = 1, contact: str = "101") -> None:
    """A therapist whose CA is in HubSpot, licence and address included."""
    scene.sign_up(number, contact)
    scene.submit(number)
    await rounds(scene, edge, 5)
    assert scene.status(number)["state"] == "in_sync"


def looks(sandbox: Driver) -> list[tuple[str, int]]:
    """Object type and contacts of each association call since the last reset."""
    keys = {type_id: key for key, type_id in sandbox.do("/health", method="GET")["objects"].items()}
    found = sandbox.do("/requests?kind=associations", method="GET")["requests"]
    read = [r for r in found if r["path"].endswith("/batch/read")]
    return [(keys[r["path"].removesuffix("/batch/read").rpartition("/")[2]], r["inputs"]) for r in read]


def forget(sandbox: Driver) -> None:
    sandbox.do("/requests", method="DELETE")


def due_in(scene: Scene) -> float | None:
    """Seconds until a round is due by itself."""
    with scene.database.read() as connection:
        due = next_due_at(connection, "alpha")
    return None if due is None else (due - scene.clock.now()).total_seconds()


async def test_a_hint_makes_the_therapist_due_within_a_second_and_looks_at_that_type_alone(
    scene: Scene, sandbox: Driver
) -> None:
    """A webhook about a contact or a record looks soon: within a second, coalesced."""
    sandbox.contact(
        id="101", delay={"credentialing": "1h", "license": "1h", "therapist_address": "2h"}, licenses=["NY"]
    )
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up()
        scene.submit()
        await rounds(scene, edge, 5)
        sandbox.advance("1h")
        record = sandbox.records("101")[ACTIVE]["id"]
        forget(sandbox)
        assert tell(scene, associated(CREDENTIALING, record, "101")) == 1
        assert due_in(scene) == SOON
        tell(scene, associated(CREDENTIALING, record, "101"))
        await rounds(scene, edge)
        assert looks(sandbox) == [("credentialing", 1)]
        assert sandbox.records("101")[ACTIVE]["writes"] == 1
        assert scene.link(ADDRESS)["looks"] == 1, "nobody told of an address"
        forget(sandbox)
        await scene.round(edge)
        assert looks(sandbox) == [], "one hint is one look"


async def test_a_hint_about_nobody_of_ours_does_nothing(scene: Scene, sandbox: Driver) -> None:
    """Events for others than our therapists ask for nothing."""
    sandbox.contact(id="101", licenses=["NY"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        assert tell(scene, associated(CREDENTIALING, "5", "999")) == 0
        assert tell(scene, event("contact.propertyChange", CONTACT_TYPE, objectId=999, propertyName="x")) == 0
        assert tell(scene, associated(CREDENTIALING, "5", "101") | {"portalId": 7}) == 0
        assert tell(scene, associated("2-999", "5", "101")) == 0
        with scene.database.read() as connection:
            assert connection.execute(select(hints)).all() == []


async def test_a_deletion_is_looked_after_though_nothing_is_open_and_nothing_is_written(
    scene: Scene, sandbox: Driver
) -> None:
    """A hint never makes a look that writes anything unasked; what it finds lost is awaited again."""
    sandbox.contact(id="101", licenses=["NY"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        record = sandbox.records("101")[ACTIVE]["id"]
        sandbox.do("/records/edit", {"id": record, "properties": {"bio": "by a person"}})
        forget(sandbox)
        tell(scene, event("object.deletion", CREDENTIALING, objectId=int(record)))
        await rounds(scene, edge)
        assert scene.status()["state"] == "in_sync"
        assert sandbox.records("101")[ACTIVE]["properties"]["bio"] == "by a person"
        assert due_in(scene) is None
        sandbox.do("/records/delete", {"id": record})
        tell(scene, event("object.deletion", CREDENTIALING, objectId=int(record)))
        await rounds(scene, edge)
        assert scene.link(ACTIVE)["state"] == "awaited"
        assert [past["record_id"] for past in scene.link(ACTIVE)["history"]] == [record]


async def test_a_merged_contact_is_followed_as_soon_as_hubspot_tells(scene: Scene, sandbox: Driver) -> None:
    """A merge of a contact is asked after, though nothing hangs on it yet."""
    sandbox.contact(id="101", never=["credentialing", "therapist_address"])
    sandbox.contact(id="102", never=["credentialing", "therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up()
        await rounds(scene, edge, 5)
        answer = sandbox.hubspot.post(
            "/crm/objects/2026-09/contacts/merge", json={"primaryObjectId": "102", "objectIdToMerge": "101"}
        )
        into = answer.json()["id"]
        merged = {"primaryObjectId": 102, "mergedObjectIds": [101], "newObjectId": int(into)}
        assert tell(scene, event("contact.merge", CONTACT_TYPE, **merged)) == 1
        await rounds(scene, edge)
        assert scene.status()["contact_id"] == into
        assert tell(scene, event("contact.merge", CONTACT_TYPE, **merged)) == 1, "known under the old id, too"


async def test_a_creation_wakes_the_waiting_of_its_type_once(scene: Scene, sandbox: Driver) -> None:
    """A record's creation names no contact: it wakes whoever waits for that type, once, in one call."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        for number in (1, 2, 3):
            sandbox.contact(id=f"10{number}", delay="10h" if number > 1 else "0s", licenses=["NY"])
            scene.sign_up(number, f"10{number}")
        scene.submit(1)
        await rounds(scene, edge, 5)
        forget(sandbox)
        tell(scene, *[event("object.creation", ADDRESS_TYPE, objectId=n) for n in range(1, 101)])
        tell(scene, event("object.creation", ADDRESS_TYPE, objectId=1))
        assert due_in(scene) == SOON
        await rounds(scene, edge)
        assert looks(sandbox) == [("therapist_address", 2)], "whoever has theirs is not asked about"
        assert due_in(scene) > SOON
        forget(sandbox)
        tell(scene, event("object.creation", "2-999", objectId=1))
        await rounds(scene, edge)
        assert looks(sandbox) == []


async def test_a_hint_in_the_middle_of_a_round_is_not_lost(
    scene: Scene, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint that comes after the look and before the round's end is followed by a round of its own."""
    sandbox.contact(id="101", delay="1h", licenses=["NY"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up()
        scene.submit()
        await rounds(scene, edge, 5)
        real = rounds_of.observe

        async def observe(*args: Any, **more: Any) -> Any:
            seen = await real(*args, **more)
            sandbox.advance("1h")
            tell(scene, associated(CREDENTIALING, "1", "101"), event("object.creation", LICENSE, objectId=1))
            return seen

        tell(scene, associated(CREDENTIALING, "1", "101"), event("object.creation", LICENSE, objectId=1))
        with monkeypatch.context() as patched:
            patched.setattr(rounds_of, "observe", observe)
            await rounds(scene, edge)
        assert scene.link(ACTIVE)["state"] == "awaited"
        assert due_in(scene) == SOON, "a second after the look, not at once: hints come in flocks"
        await rounds(scene, edge)
        assert scene.link(ACTIVE)["state"] == "found"
        with scene.database.read() as connection:
            assert connection.execute(select(hints)).all() == []


async def address_deleted(scene: Scene, sandbox: Driver, edge: Edge) -> dict[str, Any]:
    """Somebody deletes the address of a therapist who is in sync; gives what HubSpot is going to tell of it."""
    sandbox.contact(id="101", licenses=["NY"])
    await written(scene, edge)
    record = sandbox.records("101")[ADDRESS]["id"]
    sandbox.do("/records/delete", {"id": record})
    return event("object.deletion", ADDRESS_TYPE, objectId=int(record))


async def test_a_hint_that_hubspot_does_not_answer_is_kept_and_tried_later(
    scene: Scene, sandbox: Driver
) -> None:
    """An unanswered look forgets no hint, and makes no hot loop of it."""
    async with (edge := edge_to(sandbox.url)).client:
        deleted = await address_deleted(scene, sandbox, edge)
        sandbox.do("/faults", {"match": {"kind": "associations"}, "times": None, "answer": "html"})
        tell(scene, deleted)
        await rounds(scene, edge)
        assert scene.link(ADDRESS)["state"] == "found"
        assert due_in(scene) == 60
        sandbox.do("/faults", method="DELETE")
        await rounds(scene, edge, 60)
        assert scene.link(ADDRESS)["state"] == "awaited"


async def test_a_property_that_tells_slots_apart_is_a_hint_and_our_own_writes_are_none(
    scene: Scene, sandbox: Driver
) -> None:
    """A changed property matters where it says which slot a record holds, and nowhere else."""
    sandbox.contact(id="101", licenses=["NY"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        record = sandbox.records("101")[NY]["id"]
        told = {"objectId": int(record), "propertyValue": "x"}
        echo = [
            event("object.propertyChange", LICENSE, propertyName=name, **told)
            for name in ("license_number", "expires_on")
        ]
        assert tell(scene, *echo) == 0
        assert tell(scene, event("object.propertyChange", LICENSE, propertyName="license_state", **told)) == 1


async def test_a_contacts_own_property_matters_to_who_waits(scene: Scene, sandbox: Driver) -> None:
    """A workflow may set one when it is done; for who is in sync it says nothing."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        sandbox.contact(id="101", licenses=["NY"])
        sandbox.contact(id="102", delay="1h")
        await written(scene, edge)
        scene.sign_up(2, "102")
        await rounds(scene, edge, 5)
        changes = [
            event("contact.propertyChange", CONTACT_TYPE, objectId=int(contact), propertyName="stage")
            for contact in ("101", "102")
        ]
        assert tell(scene, *changes) == 1


async def test_while_hints_come_looks_of_our_own_are_rare_and_still_find_what_no_hint_told(
    scene: Scene, sandbox: Driver
) -> None:
    """While HubSpot's webhooks come, own looks are rarer; when they stop, looks are as often as ever, and nothing is lost."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        sandbox.contact(id="101", delay="20m", licenses=["NY"])
        scene.sign_up(1, "101")
        scene.submit(1)
        tell(scene, *[associated(type_id, "1", "999") for type_id in (CREDENTIALING, ADDRESS_TYPE)])
        await rounds(scene, edge, 5)
        assert due_in(scene) == 20, "it may not have had a licence to tell of yet"
        for _ in range(scene.policy.likely_calls):
            tell(scene, associated(ADDRESS_TYPE, "1", "999"))
        await rounds(scene, edge, 20)
        assert due_in(scene) == 4, "nobody tells of licences"
        tell(scene, associated(LICENSE, "1", "2"))
        await rounds(scene, edge, 4)
        assert due_in(scene) == 180
        await rounds(scene, edge, 180)
        assert due_in(scene) == 180
        tell(scene, event("contact.propertyChange", CONTACT_TYPE, objectId=101, propertyName="stage"))
        await rounds(scene, edge)
        assert due_in(scene) == pytest.approx(10.5, abs=0.5), (
            "what was told of and is not there is looked at soon"
        )
        scene.clock.wait(11 * 60)
        sandbox.advance("20m")
        await scene.round(edge)
        assert scene.status()["state"] == "in_sync"


async def test_a_hint_changes_no_fact_of_the_therapist(scene: Scene, sandbox: Driver) -> None:
    """Neither generation nor state nor plan: who was in sync stays so."""
    sandbox.contact(id="101", licenses=["NY"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        with scene.database.read() as connection:
            before = connection.execute(select(therapists)).all()
        tell(scene, associated(CREDENTIALING, "1", "101"))
        await rounds(scene, edge)
        with scene.database.read() as connection:
            assert connection.execute(select(therapists)).all() == before


async def test_a_hint_at_a_type_that_may_not_be_read_waits_until_it_may(
    scene: Scene, sandbox: Driver
) -> None:
    """A 403 stops that object type: a hint at it costs no look again and again, and is followed once it is permitted."""
    async with (edge := edge_to(sandbox.url)).client:
        deleted = await address_deleted(scene, sandbox, edge)
        with scene.database.write() as connection:
            lease = leases.acquire(connection, "portal:alpha", "test", 10**8) or Lease(
                "portal:alpha", "test", 1
            )
            deny(connection, lease, "alpha", [Denied("therapist_address", Verb.READ)])
        tell(scene, deleted)
        scene.clock.wait(SOON)
        names, denied = await edge.names(scene.clock.now()), [Denied("therapist_address", Verb.READ)]
        await Round(scene.database, edge, names, lease, scene.policy, denied).run()
        assert due_in(scene) == scene.policy.look_again_max.total_seconds()
        assert scene.status()["state"] == "in_sync"
        with scene.database.write() as connection:
            permit(connection, lease, "alpha", [("therapist_address", Verb.READ)], scene.clock.now())
        assert due_in(scene) == 0
        await Round(scene.database, edge, names, lease, scene.policy).run()
        assert scene.status()["reason"] == "record_lost"
