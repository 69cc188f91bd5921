"""What becomes of a therapist whose contact HubSpot merged or deleted, through real rounds."""

from __future__ import annotations

import pytest

from credsync.hubspot.edge import Edge
from credsync.store.intake import accept_therapist
from credsync.store.therapists import ContactTaken, Door, Who
from tests.operate.scene import ACTIVE, ADDRESS, Scene, edge_to, uuid_of, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
CA = whole_form()
CA.pop("education_and_training")


def put_contact(scene: Scene, number: int, contact: str) -> None:
    door = Door(scene.clock.now(), scene.policy.coalesce)
    with scene.database.write() as connection:
        accept_therapist(connection, door, Who(uuid_of(number), "alpha", contact), None, None)


def merge(sandbox: Driver, primary: str, other: str) -> str:
    """HubSpot's own merge; gives the id both live on under."""
    answer = sandbox.hubspot.post(
        "/crm/objects/2026-09/contacts/merge", json={"primaryObjectId": primary, "objectIdToMerge": other}
    )
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


async def rounds(scene: Scene, edge: Edge, seconds: float = 5) -> None:
    scene.clock.wait(seconds)
    await scene.round(edge)


async def written(scene: Scene, edge: Edge, number: int = 1, contact: str = "101") -> None:
    """A therapist whose CA is in HubSpot."""
    scene.sign_up(number, contact)
    scene.submit(number, data=CA)
    await rounds(scene, edge)
    assert scene.status(number)["state"] == "in_sync"


async def test_a_merged_contact_is_followed_and_nothing_is_sent_again(scene: Scene, sandbox: Driver) -> None:
    """A contact merged into another is followed, and nothing is sent again.

    A merged contact gets a new id; its records are the same, so no link is lost and no write repeated.
    """
    sandbox.contact(id="101")
    sandbox.contact(id="900", never=["credentialing", "therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        before = {slot: scene.link(slot)["record_id"] for slot in (ACTIVE, ADDRESS)}
        into = merge(sandbox, "101", "900")
        scene.sync()
        scene.submit(data={"practice_preferences": {"bio": "newer"}})
        await rounds(scene, edge)
        status = scene.status()
        assert (status["contact_id"], status["state"]) == (into, "in_sync")
        assert {slot: scene.link(slot)["record_id"] for slot in (ACTIVE, ADDRESS)} == before
        assert all(link["history"] == [] for link in status["links"])
        records = sandbox.records(into)
        assert [records[slot]["writes"] for slot in (ACTIVE, ADDRESS)] == [2, 2], "the CA, and Sync now"
        assert records[ACTIVE]["properties"]["bio"] == "newer"

        put_contact(scene, 1, "101")
        assert scene.status()["contact_id"] == into, "a backend goes on sending the old id"
        sandbox.do("/requests", method="DELETE")
        await rounds(scene, edge, 3600)
        assert sandbox.summary()["by_status"].get("404", 0) == 0


async def test_two_therapists_of_one_merged_contact_are_shown_and_neither_is_written(
    scene: Scene, sandbox: Driver
) -> None:
    """One contact claimed twice is shown with whom, and nothing is written for either.

    One contact claimed twice: shown with candidates, none written, until the backend says whose it is.
    """
    sandbox.contact(id="101")
    sandbox.contact(id="102")
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        await written(scene, edge, 2, "102")
        into = merge(sandbox, "101", "102")
        sandbox.do("/requests", method="DELETE")
        for number in (1, 2):
            scene.submit(number, data={"practice_preferences": {"bio": f"of {number}"}})
        await rounds(scene, edge)
        await rounds(scene, edge)
        for number, other in ((1, 2), (2, 1)):
            status = scene.status(number)
            assert (status["state"], status["reason"]) == ("ambiguous", "contact_of_two_therapists")
            assert status["contact_shared_with"] == [uuid_of(other)]
            assert {w["reason"] for w in status["writes"] if w["state"] == "waiting"} == {
                "contact_of_two_therapists"
            }
        updates = [
            r for r in sandbox.do("/requests", method="GET")["requests"] if r["call"] == "batch_update"
        ]
        assert updates == []
        assert sandbox.summary()["total"] < 20, "nobody is looked at in a hot loop"

        sandbox.contact(id="103")
        put_contact(scene, 2, "103")
        await rounds(scene, edge)
        await rounds(scene, edge, 60)
        assert scene.status(2)["state"] == "in_sync"
        assert sandbox.records("103")[ACTIVE]["properties"]["bio"] == "of 2"
        assert scene.status(1)["contact_id"] == into
        assert scene.status(1)["reason"] != "contact_of_two_therapists"


async def test_a_merged_id_is_refused_to_somebody_else(scene: Scene, sandbox: Driver) -> None:
    """409 names the therapist who has the contact, under whichever of its ids it is claimed."""
    sandbox.contact(id="101")
    sandbox.contact(id="900", never=["credentialing", "therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        merge(sandbox, "101", "900")
        scene.sync()
        await rounds(scene, edge)
        with pytest.raises(ContactTaken, match=uuid_of(1)):
            put_contact(scene, 2, "101")


async def test_a_deleted_contact_is_said_and_not_asked_for_again_and_again(
    scene: Scene, sandbox: Driver
) -> None:
    """A deleted contact is said, and there is no 404 loop.

    A deleted contact: the links are awaited again, the reason says it, and there is no 404 loop.
    """
    sandbox.contact(id="101")
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        sandbox.hubspot.delete("/crm/objects/2026-09/contacts/101").raise_for_status()
        scene.submit(data={"practice_preferences": {"bio": "newer"}})
        await rounds(scene, edge)
        status = scene.status()
        assert (status["state"], status["reason"]) == ("waiting", "contact_gone")
        assert [past["reason"] for past in scene.link(ACTIVE)["history"]] == ["record_lost"]
        sandbox.do("/requests", method="DELETE")
        for _ in range(20):
            await rounds(scene, edge, 30)
        assert sandbox.summary()["by_status"].get("404", 0) == 0
        assert scene.status()["reason"] == "contact_gone"

        sandbox.contact(id="102")
        put_contact(scene, 1, "102")
        await rounds(scene, edge)
        assert scene.status()["state"] == "in_sync"
        assert sandbox.records("102")[ACTIVE]["properties"]["bio"] == "newer"


async def test_what_hubspot_does_not_answer_about_a_contact_concludes_nothing(
    scene: Scene, sandbox: Driver
) -> None:
    """An error is no absence: the links stand until HubSpot says what became of the contact."""
    sandbox.contact(id="101")
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        sandbox.hubspot.delete("/crm/objects/2026-09/contacts/101").raise_for_status()
        sandbox.do(
            "/faults",
            {"match": {"path": "0-1/batch/read$", "kind": "objects"}, "times": None, "answer": "html"},
        )
        scene.submit(data={"practice_preferences": {"bio": "newer"}})
        await rounds(scene, edge)
        link = scene.link(ACTIVE)
        assert (link["state"], link["history"]) == ("found", [])
        sandbox.do("/faults", method="DELETE")
        await rounds(scene, edge, 60)
        assert scene.status()["reason"] == "contact_gone"


async def test_a_changed_contact_is_looked_at_until_hubspot_answers(scene: Scene, sandbox: Driver) -> None:
    """Another contact has other records, whatever was found under the one before."""
    sandbox.contact(id="101")
    sandbox.contact(id="200")
    edge = edge_to(sandbox.url)
    async with edge.client:
        await written(scene, edge)
        sandbox.do("/faults", {"match": {"kind": "associations"}, "times": None, "answer": "html"})
        put_contact(scene, 1, "200")
        await rounds(scene, edge)
        sandbox.do("/faults", method="DELETE")
        await rounds(scene, edge, 120)
        assert scene.link(ACTIVE)["record_id"] == sandbox.records("200")[ACTIVE]["id"]


async def test_no_contact_is_asked_about_while_only_a_type_that_is_awaited_is_looked_at(
    scene: Scene, sandbox: Driver
) -> None:
    """A round of those who wait costs its looks, one of them at a type that is known to be there, and nothing else."""
    sandbox.contact(id="101", never=["therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up(1, "101")
        scene.submit(1, data=CA)
        await rounds(scene, edge)
        sandbox.do("/requests", method="DELETE")
        for _ in range(5):
            await rounds(scene, edge, 30)
        assert sandbox.summary()["by_kind"] == {"associations": 10}


async def test_a_merged_contact_of_somebody_who_waits_for_one_type_is_followed_at_the_next_look(
    scene: Scene, sandbox: Driver
) -> None:
    """A merged contact is noticed at the next look, also by whoever waits for one object type only."""
    sandbox.contact(id="101", never=["therapist_address"])
    sandbox.contact(id="900", never=["credentialing", "therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up(1, "101")
        scene.submit(1, data=CA)
        await rounds(scene, edge)
        await rounds(scene, edge)
        record = scene.link(ACTIVE)["record_id"]
        assert (record is None, scene.link(ADDRESS)["record_id"]) == (False, None)
        into = merge(sandbox, "101", "900")
        await rounds(scene, edge)
        assert scene.status()["contact_id"] == into
        assert (scene.link(ACTIVE)["record_id"], scene.link(ACTIVE)["history"]) == (record, [])


async def test_whoever_waits_for_everything_is_asked_about_when_the_wait_has_doubled(
    scene: Scene, sandbox: Driver
) -> None:
    """Nothing was ever seen there that could be missed: the contact is asked about at growing intervals."""
    sandbox.contact(id="101", never=["credentialing", "therapist_address"])
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up(1, "101")
        sandbox.do("/requests", method="DELETE")
        for _ in range(50):
            await rounds(scene, edge, 300)
        assert sandbox.summary()["by_kind"]["objects"] == 4, "after 30, 60, 120 and 240 minutes"
