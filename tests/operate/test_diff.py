"""HubSpot now against what would be written, per property: asked live of the sandbox, and nothing changed by asking."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from credsync.core.facts import SignUpKind
from credsync.core.plan import SyncRequest
from credsync.core.portal import Portal
from credsync.operate.kept_names import keep_names
from credsync.operate.live import AskLater, Live
from credsync.operate.packet import packet_markdown
from credsync.reconcile.rehearsal import diff
from credsync.store.intake import accept_submission
from credsync.store.tables import metadata
from credsync.store.therapists import Door, Who
from tests.operate.scene import (
    ACTIVE,
    ADDRESS,
    MOVE,
    NY,
    SECRET,
    Scene,
    edge_to,
    portal_of,
    uuid_of,
    whole_form,
)
from tests.sandbox.driver import Driver
from tests.store.test_live_reads import let_pass

pytestmark = pytest.mark.anyio
PRESS = SyncRequest(0, include_held=False)


class Asked:
    """A scene whose portal is the sandbox, and the live questions to it."""

    def __init__(self, scene: Scene, sandbox: Driver, mode: str = "write", speed: float = 10_000.0) -> None:
        self.scene, self.sandbox = scene, sandbox
        self.portal = portal_of(sandbox.url, mode)
        scene.portals = {"alpha": self.portal}
        self.live = Live(scene.database, scene.portals, lambda _: "a-token", speed, self.sleep)
        self.edge = edge_to(sandbox.url, self.portal)

    async def sleep(self, seconds: float) -> None:
        """Waits for a seat are short here; SQLite's clock is the scene's own."""
        self.scene.clock.wait(seconds)
        await anyio.sleep(seconds)

    async def know_names(self) -> None:
        """What the worker does at its start."""
        names = await self.edge.names(self.scene.clock.now())
        with self.scene.database.write() as connection:
            keep_names(connection, self.portal, names)

    async def round(self, seconds: float = 5) -> None:
        """A real round, later."""
        self.scene.clock.wait(seconds)
        await self.scene.round(self.edge)

    async def diff(self, number: int = 1, press: SyncRequest | None = None) -> dict[str, Any]:
        """The diff of a therapist who is known."""
        told = await diff(self.live, uuid_of(number), self.scene.policy, 5.0, press)
        assert told is not None
        json.dumps(told)
        return told


def slot(told: dict[str, Any], name: str = ACTIVE) -> dict[str, Any]:
    """One slot of a diff."""
    found: dict[str, Any] = next(each for each in told["records"] if each["slot"] == name)
    return found


def prop(told: dict[str, Any], name: str, of: str = ACTIVE) -> dict[str, Any]:
    """One property of a diff."""
    found: dict[str, Any] = next(each for each in slot(told, of)["properties"] if each["name"] == name)
    return found


def whys(told: dict[str, Any], of: str = ACTIVE) -> dict[str, str]:
    """Why, by property."""
    return {each["name"]: each["why"] for each in slot(told, of)["properties"]}


@pytest.fixture
async def asked(scene: Scene, sandbox: Driver) -> AsyncIterator[Asked]:
    """A portal that writes, its names known; a contact with all records, signed up."""
    made = Asked(scene, sandbox)
    async with made.edge.client:
        await made.know_names()
        sandbox.contact(id="101", licenses=["NY"])
        scene.sign_up(name="Ada")
        yield made


def everything(scene: Scene) -> dict[str, list[Any]]:
    """Every row of every table but those of leases and live reads, which tests and questions may touch."""
    with scene.database.read() as connection:
        return {
            table.name: sorted(map(str, connection.execute(select(table)).all()))
            for table in metadata.sorted_tables
            if table.name not in ("live_reads", "leases")
        }


async def test_what_was_written_is_in_step(asked: Asked) -> None:
    """Each mapped property with HubSpot's value and the submitted one, shaped as it is written."""
    asked.scene.submit()
    await asked.round()
    told = await asked.diff()
    assert (told["complete"], told["differing"], told["to_be_written"]) == (True, 0, 0)
    assert (told["portal_state"], told["seen_from"], told["contact_id"]) == ("running", "next_round", "101")
    truth = asked.sandbox.records("101")
    for name in (ACTIVE, ADDRESS, NY):
        assert slot(told, name)["record_id"] == slot(told, name)["stored_record_id"] == truth[name]["id"]
        assert slot(told, name)["record_url"].endswith(f"/{truth[name]['id']}")
        assert set(whys(told, name).values()) == {"in_step"}
    assert prop(told, "medicare") == {
        "name": "medicare",
        "hubspot": "Yes",
        "submitted": "Yes",
        "clears": False,
        "differs": False,
        "will_be_written": False,
        "why": "in_step",
        "reason": "",
        "code": "",
        "message": "HubSpot has what was submitted.",
    }
    assert prop(told, "bio")["hubspot"] == SECRET


async def test_asking_changes_nothing_here_or_there(asked: Asked) -> None:
    """A question changes nothing, neither what is stored nor what HubSpot has."""
    asked.scene.submit()
    await asked.round()
    asked.scene.submit(data={"practice_preferences": {"bio": "newer"}})
    asked.sandbox.do("/records/unmark", {"id": asked.sandbox.records("101")[ADDRESS]["id"], "slot": ADDRESS})
    stored, truth = everything(asked.scene), asked.sandbox.truth("101")
    asked.sandbox.do("/requests", method="DELETE")
    with capture_logs() as logged:
        await asked.diff()
        await asked.diff(press=PRESS)
    assert logged == [], "the values are in the answer alone"
    assert everything(asked.scene) == stored
    assert asked.sandbox.truth("101") == truth
    calls = asked.sandbox.do("/requests", method="GET")["requests"]
    assert {each["path"].rpartition("/")[2] for each in calls} == {"read"}


async def test_what_is_unsent_will_be_written(asked: Asked) -> None:
    """Before any round: the look is live, so the record is known although nothing is stored of it."""
    asked.scene.submit()
    told = await asked.diff()
    assert slot(told)["record_id"] == asked.sandbox.records("101")[ACTIVE]["id"]
    assert slot(told)["stored_record_id"] is None
    npi = prop(told, "npi")
    assert (npi["hubspot"], npi["submitted"], npi["differs"]) == (None, "1234567893", True)
    assert (npi["will_be_written"], npi["why"]) == (True, "unsent")
    assert told["to_be_written"] == told["differing"] == 6
    await asked.round()
    assert (await asked.diff())["differing"] == 0


async def test_what_a_person_edited_in_hubspot_is_told_and_left(asked: Asked) -> None:
    """What somebody edited in HubSpot is told and left alone; Sync now would write it again."""
    asked.scene.submit()
    await asked.round()
    record = asked.sandbox.records("101")[ACTIVE]["id"]
    asked.sandbox.do("/records/edit", {"id": record, "properties": {"npi": "1"}})
    told = await asked.diff()
    npi = prop(told, "npi")
    assert (npi["hubspot"], npi["submitted"], npi["differs"]) == ("1", "1234567893", True)
    assert (npi["will_be_written"], npi["why"]) == (False, "edited_in_hubspot")
    assert whys(told)["bio"] == "in_step"
    pressed = await asked.diff(press=PRESS)
    assert pressed["seen_from"] == "sync_now"
    assert prop(pressed, "npi")["will_be_written"]
    assert prop(pressed, "bio")["will_be_written"], "a press writes everything submitted again"


async def test_a_dry_run_is_what_the_press_then_does(asked: Asked) -> None:
    """The properties that the answer names are those that HubSpot gets."""
    asked.scene.submit()
    await asked.round()
    foreseen = await asked.diff(press=PRESS)
    asked.scene.sync()
    await asked.round()
    with_names = {
        (each["slot"], name["name"])
        for each in asked.scene.status()["writes"]
        if each["cause"] == "sync"
        for name in each["properties"]
    }
    assert with_names == {
        (each["slot"], name["name"])
        for each in foreseen["records"]
        for name in each["properties"]
        if name["will_be_written"]
    }


async def test_a_slot_that_is_awaited_is_shown_with_its_reason(asked: Asked) -> None:
    """And what waits for it with what it would write."""
    asked.sandbox.contact(id="102", slots=[ACTIVE])
    asked.scene.sign_up(2, "102")
    asked.scene.submit(2)
    told = await asked.diff(2)
    address = slot(told, ADDRESS)
    assert (address["state"], address["reason"], address["record_id"]) == ("awaited", "record_awaited", None)
    city = prop(told, "city", ADDRESS)
    assert (city["hubspot"], city["submitted"], city["differs"]) == (None, SECRET, None)
    assert (city["will_be_written"], city["why"], city["reason"]) == (False, "waiting", "record_awaited")
    assert prop(told, "npi")["will_be_written"]


async def test_a_field_that_was_cleared_is_told_from_one_that_was_never_submitted(asked: Asked) -> None:
    """null clears; absent leaves alone."""
    asked.scene.submit(data={"practice_preferences": {"bio": None}})
    record = asked.sandbox.records("101")[ACTIVE]["id"]
    asked.sandbox.do("/records/edit", {"id": record, "properties": {"bio": "there", "npi": "1"}})
    told = await asked.diff()
    bio, npi = prop(told, "bio"), prop(told, "npi")
    assert (bio["submitted"], bio["clears"], bio["differs"], bio["why"]) == (None, True, True, "unsent")
    assert (npi["hubspot"], npi["submitted"], npi["clears"]) == ("1", None, False)
    assert (npi["differs"], npi["why"]) == (False, "nothing_submitted")


async def test_what_hubspot_refused_says_so(asked: Asked) -> None:
    """With HubSpot's code; the refused value itself is the submitted one."""
    asked.sandbox.do(
        "/schema",
        {
            "object": "credentialing",
            "property": {
                "name": "medicare",
                "type": "enumeration",
                "fieldType": "select",
                "options": [{"value": "No", "label": "No"}],
            },
        },
        method="PUT",
    )
    asked.scene.submit()
    await asked.round()
    told = prop(await asked.diff(), "medicare")
    assert (told["why"], told["will_be_written"]) == ("refused", False)
    assert told["code"]
    assert told["hubspot"] is None


async def test_a_value_that_cannot_be_shaped_is_refused_before_it_is_sent(asked: Asked) -> None:
    """Known from the property's own options."""
    asked.sandbox.do(
        "/schema",
        {
            "object": "credentialing",
            "property": {
                "name": "medicare",
                "type": "enumeration",
                "fieldType": "select",
                "options": [{"value": "No", "label": "No"}],
            },
        },
        method="PUT",
    )
    asked.edge.stale()
    await asked.know_names()
    asked.scene.submit()
    told = prop(await asked.diff(), "medicare")
    assert (told["why"], told["code"], told["submitted"]) == ("refused", "not_an_option", None)
    assert told["differs"] is None


async def test_an_observing_portal_shows_what_would_be_written(scene: Scene, sandbox: Driver) -> None:
    """An observe-only portal shows what would be written, in status and diff, and writes nothing.

    Nor would a press.
    """
    asked = Asked(scene, sandbox, mode="observe")
    async with asked.edge.client:
        await asked.know_names()
        sandbox.contact(id="101", licenses=["NY"])
        scene.sign_up()
        scene.submit()
        await asked.round()
    for press in (None, PRESS):
        told = await asked.diff(press=press)
        assert told["portal_state"] == "observe_only"
        assert told["to_be_written"] == 0
        assert told["differing"] == 6
        npi = prop(told, "npi")
        assert (npi["submitted"], npi["why"], npi["differs"]) == ("1234567893", "observe_only", True)
    assert sandbox.records("101")[ACTIVE]["writes"] == 0
    writes = {each["slot"]: each for each in scene.status()["writes"]}
    names = {
        slot: [(each["name"], each["state"]) for each in write["properties"]]
        for slot, write in writes.items()
    }
    assert names[ACTIVE] == [(name, "held") for name in ("npi", "bio", "medicare")]
    assert names[ADDRESS] == [("city", "held")]
    truth = sandbox.records("101")
    assert {slot: write["record_id"] for slot, write in writes.items()} == {
        slot: truth[slot]["id"] for slot in (ACTIVE, NY, ADDRESS)
    }
    text = packet_markdown(scene.packet())
    assert "Properties that would be written: `npi`, `bio`, `medicare`" in text
    assert SECRET not in text


async def test_what_is_held_is_shown_and_sent_by_a_press_that_includes_it(asked: Asked) -> None:
    """Submitted before the latest sign-up, and the record took the slot after it."""
    scene, sandbox = asked.scene, asked.sandbox
    sandbox.contact(id="102", never=["credentialing"])
    scene.sign_up(2, "102")
    scene.submit(2)
    scene.clock.wait(60)
    scene.sign_up(2, "102", kind=SignUpKind.EXTENDED)
    sandbox.do("/records/create", {"contact": "102", "slot": ACTIVE})
    await asked.round(60)
    assert scene.status(2)["state"] == "held"
    told = await asked.diff(2)
    npi = prop(told, "npi")
    assert (npi["submitted"], npi["why"], npi["reason"]) == ("1234567893", "held", "older_than_sign_up")
    assert not npi["will_be_written"]
    assert not prop(await asked.diff(2, PRESS), "npi")["will_be_written"]
    with_held = await asked.diff(2, SyncRequest(0, include_held=True))
    assert prop(with_held, "npi")["will_be_written"]


async def test_two_records_in_a_slot_are_shown_and_not_read(asked: Asked) -> None:
    """None is written; what waits for a person's choice is said."""
    asked.sandbox.do("/records/create", {"contact": "101", "slot": ADDRESS})
    asked.scene.submit()
    told = await asked.diff()
    address = slot(told, ADDRESS)
    assert (address["state"], address["record_id"]) == ("ambiguous", None)
    assert len(address["candidates"]) == 2
    assert (prop(told, "city", ADDRESS)["why"], prop(told, "city", ADDRESS)["submitted"]) == (
        "waiting",
        SECRET,
    )


async def test_a_label_moved_to_another_record_is_not_sent_again(asked: Asked) -> None:
    """Later submissions follow the label; what was written stays where it was."""
    asked.scene.submit()
    await asked.round()
    other = asked.sandbox.do("/records/create", {"contact": "101", "object": "credentialing"})
    asked.sandbox.do("/records/move", {"slot": ACTIVE, "to": other["id"]})
    told = await asked.diff()
    assert slot(told)["record_id"] == other["id"] != slot(told)["stored_record_id"]
    npi = prop(told, "npi")
    assert (npi["why"], npi["differs"], npi["will_be_written"]) == ("not_sent", True, False)


async def test_a_lost_record_is_shown_as_lost_and_its_data_as_owed(asked: Asked) -> None:
    """Before any round has noticed: the old id is what is stored, and the successor will get everything."""
    asked.scene.submit()
    await asked.round()
    record = asked.sandbox.records("101")[ADDRESS]["id"]
    asked.sandbox.do("/records/delete", {"id": record})
    told = await asked.diff()
    address = slot(told, ADDRESS)
    assert (address["state"], address["reason"]) == ("awaited", "record_lost")
    assert (address["record_id"], address["stored_record_id"]) == (None, record)
    city = prop(told, "city", ADDRESS)
    assert (city["submitted"], city["why"], city["reason"]) == (SECRET, "waiting", "record_lost")


async def test_nobody_said_whether_the_therapist_is_moving(asked: Asked) -> None:
    """What no rule can place yet is shown as such, with its values."""
    therapist = uuid_of(3)
    asked.sandbox.contact(id="103")
    with asked.scene.database.write() as connection:
        door = Door(asked.scene.clock.now(), timedelta(seconds=3))
        who = Who(therapist, "alpha", "103")
        accept_submission(connection, door, who, "ca", door.now, None, whole_form())
    told = await asked.diff(3)
    undecided = slot(told, "definitive")
    assert (undecided["state"], undecided["reason"]) == ("awaited", "moving_unknown")
    npi = prop(told, "npi", "definitive")
    assert (npi["submitted"], npi["why"], npi["reason"]) == ("1234567893", "waiting", "moving_unknown")
    assert told["to_be_written"] == 1, "the address waits for nobody's word"


async def test_a_therapist_without_contact_is_told_without_asking(asked: Asked) -> None:
    """Everything waits for the contact id."""
    asked.scene.sign_up(4, None)
    asked.scene.submit(4)
    asked.sandbox.do("/requests", method="DELETE")
    told = await asked.diff(4)
    assert asked.sandbox.summary()["total"] == 0
    assert (told["reason"], told["contact_id"], told["complete"]) == ("no_contact", None, True)
    assert prop(told, "npi")["submitted"] == "1234567893"
    assert (prop(told, "npi")["why"], prop(told, "npi")["reason"]) == ("waiting", "no_contact")


async def test_what_hubspot_does_not_answer_is_said_where_it_belongs(asked: Asked) -> None:
    """Its faults are values of the answer; what it did answer stands."""
    asked.scene.submit()
    await asked.round()
    fault = {"match": {"contains": "city"}, "times": None, "answer": {"status": 503}}
    asked.sandbox.do("/faults", fault)
    told = await asked.diff()
    assert not told["complete"]
    city = prop(told, "city", ADDRESS)
    assert (city["why"], city["hubspot"], city["differs"]) == ("not_readable", None, None)
    assert slot(told, ADDRESS)["not_read"]["code"] == "server_error"
    assert set(whys(told).values()) == {"in_step"}
    asked.sandbox.do("/faults", method="DELETE")
    asked.sandbox.do("/faults", {"match": {}, "times": None, "answer": "close"})
    told = await asked.diff()
    assert {each["why"] for r in told["records"] for each in r["properties"]} == {"not_readable"}
    assert prop(told, "npi")["submitted"] == "1234567893"


async def test_a_hubspot_that_was_never_asked_before_is_asked_what_things_are_called(
    scene: Scene, sandbox: Driver
) -> None:
    """Once; it is kept for the next question."""
    asked = Asked(scene, sandbox)
    sandbox.contact(id="101", licenses=["NY"])
    scene.sign_up()
    scene.submit()
    assert (await asked.diff())["complete"]
    sandbox.do("/requests", method="DELETE")
    assert (await asked.diff())["complete"]
    assert sandbox.summary()["by_kind"] == {"associations": 3, "objects": 3}


async def test_a_hubspot_that_cannot_say_what_things_are_called_is_a_value_too(
    scene: Scene, sandbox: Driver
) -> None:
    """Nothing is compared, and the remedy is told."""
    asked = Asked(scene, sandbox)
    scene.sign_up()
    scene.submit()
    sandbox.do("/faults", {"match": {}, "times": None, "answer": "revoked_token"})
    told = await asked.diff()
    assert not told["complete"]
    assert "HubSpot cannot be asked" in told["message"]
    assert {each["why"] for r in told["records"] for each in r["properties"]} == {"not_readable"}


async def test_names_read_for_another_portal_file_do_not_serve(asked: Asked) -> None:
    """A changed file may name what was not read."""
    renamed = portal_of(asked.sandbox.url).digest
    changed = Portal(**{**{f: getattr(asked.portal, f) for f in Portal.__slots__}, "digest": "another"})
    assert renamed != changed.digest
    live = Live(asked.scene.database, {"alpha": changed}, lambda _: "a-token", 10_000.0, asked.sleep)
    asked.sandbox.do("/requests", method="DELETE")
    assert await diff(live, uuid_of(1), asked.scene.policy, 5.0) is not None
    assert asked.sandbox.summary()["by_kind"]["schema"] > 0


async def test_a_merged_contact_is_followed_as_a_round_would(asked: Asked) -> None:
    """The records are shown under the contact's new id."""
    asked.scene.submit()
    await asked.round()
    asked.sandbox.contact(id="900", never=["credentialing", "therapist_address"])
    into = asked.sandbox.hubspot.post(
        "/crm/objects/2026-09/contacts/merge", json={"primaryObjectId": "101", "objectIdToMerge": "900"}
    ).json()["id"]
    told = await asked.diff()
    assert (told["contact_id"], told["differing"], told["complete"]) == (str(into), 0, True)
    assert asked.scene.status()["contact_id"] == "101", "asking stores nothing"


async def test_nobody_is_nobody(asked: Asked) -> None:
    """An unknown therapist has no diff."""
    assert await diff(asked.live, uuid_of(77), asked.scene.policy, 5.0) is None


async def test_a_slot_not_awaited_is_shown_when_it_is_there(asked: Asked) -> None:
    """Taken though nobody waited for it."""
    asked.scene.submit()
    told = await asked.diff()
    assert slot(told, MOVE)["record_id"] is not None
    assert set(whys(told, MOVE).values()) == {"nothing_submitted"}


async def test_a_question_cut_short_is_finished_by_asking_again(scene: Scene, sandbox: Driver) -> None:
    """Six calls do not fit into a reserve of four: the answer says what is missing, and the next one has it."""
    asked = Asked(scene, sandbox, speed=1.0)
    async with asked.edge.client:
        await asked.know_names()
    sandbox.contact(id="101", licenses=["NY"])
    scene.sign_up()
    scene.submit()
    sandbox.do("/requests", method="DELETE")
    first = await asked.diff()
    assert sandbox.summary()["total"] == 4
    assert not first["complete"]
    assert 1 <= first["ask_again_in_s"] <= 10
    unread = [each for each in first["records"] if not each["readable"]]
    assert {each["not_read"]["code"] for each in unread} == {"reserve_used_up"}
    assert [each["slot"] for each in unread] == [ADDRESS], "what was begun is known whole"
    with pytest.raises(AskLater):
        await asked.diff()
    assert sandbox.summary()["total"] == 4
    let_pass(scene.database, 10)
    second = await asked.diff()
    assert (second["complete"], second["ask_again_in_s"]) == (True, None)
    assert sandbox.summary()["total"] == 6, "what was answered is not asked again"
    assert second["asked_at"] == first["asked_at"]
