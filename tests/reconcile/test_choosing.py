"""Ambiguity and choice through real rounds: candidates shown, none written, until a person says which."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from credsync.hubspot.edge import Edge
from credsync.store.choices import ChosenForAnother, NotACandidate, NothingToChoose, accept_choice
from credsync.store.tables import therapists
from credsync.store.therapists import Door, Taken
from tests.operate.scene import ACTIVE, ADDRESS, Scene, edge_to, uuid_of, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


def choose(scene: Scene, record: str, number: int = 1, slot: str = ACTIVE) -> Taken:
    door = Door(scene.clock.now(), scene.policy.coalesce)
    with scene.database.write() as connection:
        return accept_choice(connection, door, uuid_of(number), slot, record, "a duplicate", "Sam")


def second(sandbox: Driver, contact: str, slot: str = ACTIVE) -> str:
    """Another record in a slot that is taken."""
    made = sandbox.do("/records/create", {"contact": contact, "slot": slot})
    return str(made["id"])


async def rounds(scene: Scene, edge: Edge, seconds: float = 5) -> None:
    scene.clock.wait(seconds)
    await scene.round(edge)


async def two_in_one_slot(scene: Scene, sandbox: Driver, edge: Edge) -> tuple[str, str]:
    """A therapist with two active Credentialings and a CA waiting; gives both ids."""
    sandbox.contact(id="101")
    other = second(sandbox, "101")
    first = next(
        r["id"] for r in sandbox.truth("101")["records"] if ACTIVE in r["slots"] and r["id"] != other
    )
    scene.sign_up()
    scene.submit(data=whole_form())
    await rounds(scene, edge)
    return first, other


def writes(sandbox: Driver, contact: str = "101") -> dict[str, int]:
    return {r["id"]: r["writes"] for r in sandbox.truth(contact)["records"] if r["writes"]}


async def test_two_records_in_one_slot_are_shown_and_none_is_written_until_one_is_chosen(
    scene: Scene, sandbox: Driver
) -> None:
    """Two records in one slot: ambiguous, all candidates shown, none written, a person may choose."""
    edge = edge_to(sandbox.url)
    async with edge.client:
        first, other = await two_in_one_slot(scene, sandbox, edge)
        status = scene.status()
        assert (status["state"], status["reason"]) == ("ambiguous", "two_records_in_slot")
        candidates = [c["record_id"] for c in scene.link(ACTIVE)["candidates"]]
        assert candidates == sorted([first, other])
        assert not {first, other} & writes(sandbox).keys()

        assert choose(scene, other).new
        await rounds(scene, edge, 0)

        link = scene.link(ACTIVE)
        assert (link["state"], link["reason"], link["record_id"]) == ("found", "chosen_by_person", other)
        assert [c["record_id"] for c in link["candidates"]] == candidates, "the others stay visible"
        assert writes(sandbox)[other] == 1
        assert first not in writes(sandbox)


async def test_a_choice_is_remembered_while_that_record_keeps_the_slot(scene: Scene, sandbox: Driver) -> None:
    """A choice is remembered while that record keeps the slot.

    Remembered while that record keeps the slot, forgotten when it loses it, not revived when it comes back.
    """
    edge = edge_to(sandbox.url)
    async with edge.client:
        first, other = await two_in_one_slot(scene, sandbox, edge)
        choose(scene, other)
        await rounds(scene, edge, 0)
        sandbox.do("/records/unmark", {"id": first, "slot": ACTIVE})
        scene.submit(data={**whole_form(), "npi_and_caqh": {"npi": "1234567893"}})
        await rounds(scene, edge)
        assert scene.link(ACTIVE)["reason"] == ""
        sandbox.do("/records/link", {"id": first, "parent": "101", "slot": ACTIVE})
        scene.submit(data={"npi_and_caqh": {"npi": "1987654328"}})
        await rounds(scene, edge)
        assert scene.link(ACTIVE)["record_id"] == other, "it kept the slot all the while"

        sandbox.do("/records/unmark", {"id": other, "slot": ACTIVE})
        third = second(sandbox, "101")
        scene.submit(data={"npi_and_caqh": {"npi": "1234567893"}})
        await rounds(scene, edge)
        assert scene.link(ACTIVE)["state"] == "ambiguous"
        sandbox.do("/records/link", {"id": other, "parent": "101", "slot": ACTIVE})
        await rounds(scene, edge, 600)
        assert scene.link(ACTIVE)["state"] == "ambiguous"
        assert third not in writes(sandbox)


async def test_only_a_candidate_can_be_chosen(scene: Scene, sandbox: Driver) -> None:
    edge = edge_to(sandbox.url)
    async with edge.client:
        first, other = await two_in_one_slot(scene, sandbox, edge)
        with pytest.raises(NotACandidate, match=f"choose one of {min(first, other)}"):
            choose(scene, "999")
        with pytest.raises(NothingToChoose, match="holds it alone"):
            choose(scene, "999", slot=ADDRESS)
        with pytest.raises(NothingToChoose, match="no record holds it"):
            choose(scene, "999", slot="license.TX")
        assert [choose(scene, first).new for _ in range(2)] == [True, False], "the same again is the same"


async def test_a_record_of_two_therapists_is_chosen_for_one(scene: Scene, sandbox: Driver) -> None:
    """One record under two therapists: ambiguous, none written, chosen for one of them at most.

    One record under two therapists: ambiguous for both, none written; chosen for one, refused to the other.
    """
    sandbox.contact(id="101")
    sandbox.contact(id="102", never=["credentialing"])
    shared = sandbox.records("101")[ACTIVE]["id"]
    sandbox.do("/records/link", {"id": shared, "parent": "102", "slot": ACTIVE})
    edge = edge_to(sandbox.url)
    async with edge.client:
        for number, contact in ((1, "101"), (2, "102")):
            scene.sign_up(number, contact)
            scene.submit(number, data={"npi_and_caqh": {"npi": "1234567893"}})
        await rounds(scene, edge)
        for number in (1, 2):
            assert scene.link(ACTIVE, number)["reason"] == "record_of_two_therapists"
        assert shared not in writes(sandbox)

        choose(scene, shared, 1)
        with pytest.raises(ChosenForAnother, match=uuid_of(1)):
            choose(scene, shared, 2)
        await rounds(scene, edge, 0)
        assert scene.link(ACTIVE)["record_id"] == shared
        await rounds(scene, edge)
        link = scene.link(ACTIVE, 2)
        assert (link["state"], link["reason"]) == ("awaited", "chosen_for_another")
        assert [each["record_id"] for each in link["candidates"]] == [shared]
        assert (scene.status(2)["state"], scene.status(2)["reason"]) == ("waiting", "chosen_for_another")
        assert scene.link(ACTIVE)["reason"] == "chosen_by_person"
        assert writes(sandbox)[shared] == 1
        with pytest.raises(ChosenForAnother):
            choose(scene, shared, 2)


async def test_who_lost_a_record_to_another_by_choice_gets_it_when_that_choice_ends(
    scene: Scene, sandbox: Driver
) -> None:
    """What was chosen for one therapist is no choice for the other, whose own record is awaited.

    They are looked at again soon when another is chosen instead.
    """
    sandbox.contact(id="101")
    sandbox.contact(id="102", never=["credentialing"])
    shared = sandbox.records("101")[ACTIVE]["id"]
    sandbox.do("/records/link", {"id": shared, "parent": "102", "slot": ACTIVE})
    edge = edge_to(sandbox.url)
    async with edge.client:
        for number, contact in ((1, "101"), (2, "102")):
            scene.sign_up(number, contact)
            scene.submit(number, data={"npi_and_caqh": {"npi": "1234567893"}})
        await rounds(scene, edge)
        await rounds(scene, edge, 3_600)
        choose(scene, shared, 1)
        with scene.database.read() as connection:
            due = connection.execute(
                select(therapists.c.due_at).where(therapists.c.id == uuid_of(2))
            ).scalar_one()
        assert due <= scene.clock.now() + scene.policy.coalesce
        await rounds(scene, edge)
        assert scene.link(ACTIVE, 2)["reason"] == "chosen_for_another"
        own = second(sandbox, "101")
        scene.sync(1)
        await rounds(scene, edge)
        choose(scene, own, 1)
        await rounds(scene, edge)
        await rounds(scene, edge)
        assert scene.link(ACTIVE, 1)["record_id"] == own
        assert (scene.link(ACTIVE, 2)["state"], scene.link(ACTIVE, 2)["reason"]) == (
            "ambiguous",
            "record_of_two_therapists",
        )
        choose(scene, shared, 2)
        await rounds(scene, edge, 0)
        assert scene.link(ACTIVE, 2)["record_id"] == shared


async def test_a_record_that_another_has_is_ambiguous_though_theirs_was_not_looked_at(
    scene: Scene, sandbox: Driver
) -> None:
    """The other therapist rides in the round for another type; what is stored of this one still counts."""
    sandbox.contact(id="101", never=["therapist_address"])
    sandbox.contact(id="102", never=["credentialing"])
    npi = {"npi_and_caqh": {"npi": "1234567893"}}
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up(2, "101")
        scene.submit(2, data=npi)
        await rounds(scene, edge)
        held = scene.link(ACTIVE, 2)["record_id"]
        sandbox.do("/records/link", {"id": held, "parent": "102", "slot": ACTIVE})
        scene.sign_up(1, "102")
        scene.submit(1, data={"npi_and_caqh": {"npi": "1987654328"}})
        await rounds(scene, edge)
        await rounds(scene, edge)
        assert [scene.link(ACTIVE, number)["state"] for number in (1, 2)] == ["ambiguous", "ambiguous"]
        assert sandbox.records("101")[ACTIVE]["properties"]["npi"] == "1234567893"
