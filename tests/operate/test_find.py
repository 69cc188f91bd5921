"""The list and its search: who waits, since when, why; and from what a person pastes to a therapist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from credsync.core.links import LinkHistory, LinkState
from credsync.core.reasons import Reason, sentence
from credsync.core.writes import WriteState
from credsync.operate.find import BadCursor
from credsync.operate.search import resolve
from credsync.store.clock import say_time
from credsync.store.contacts import ContactMerged, follow_merges
from tests.operate.scene import (
    ACTIVE,
    ADDRESS,
    NY,
    T0,
    Scene,
    a_write,
    awaited,
    found,
    portal_of,
    uuid_of,
)

PAGE = "https://app.hubspot.com/contacts/1234567/record"


def ask(scene: Scene, text: str) -> list[int]:
    """The numbers of the therapists an ID means."""
    with scene.database.read() as connection:
        return [int(each[-12:]) for each in resolve(connection, text)]


def test_an_entry_says_who_waits_since_when_and_why(scene: Scene) -> None:
    scene.sign_up(name="Ada")
    scene.store(links=[awaited(), found(ADDRESS, "901")], due_in=12)
    assert scene.page()["therapists"] == [
        {
            "id": uuid_of(1),
            "portal": "alpha",
            "contact_id": "101",
            "name": "Ada",
            "state": "waiting",
            "reason": "record_awaited",
            "message": sentence(Reason.RECORD_AWAITED),
            "state_since": say_time(T0),
            "awaited_slots": [ACTIVE],
            "next_look_at": say_time(T0 + timedelta(seconds=12)),
        }
    ]


def test_what_no_round_has_seen_yet_is_awaited_in_the_list_too(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    assert scene.page()["therapists"][0]["awaited_slots"] == [ACTIVE, NY, ADDRESS]


def test_whoever_has_no_contact_waits_for_it(scene: Scene) -> None:
    scene.sign_up(contact=None)
    entry = scene.page()["therapists"][0]
    assert (entry["reason"], entry["next_look_at"]) == ("no_contact", None)


def test_by_state(scene: Scene) -> None:
    for number in (1, 2, 3):
        scene.sign_up(number, str(100 + number))
    scene.store(1, [found(), found(ADDRESS, "801")], due_in=None)
    scene.store(2, [awaited(state=LinkState.AMBIGUOUS, reason=Reason.TWO_RECORDS_IN_SLOT)])
    scene.store(3, [awaited()], [a_write(state=WriteState.REFUSED, reason=Reason.REFUSED_BY_HUBSPOT)])
    assert scene.find(state="in_sync") == [1]
    assert scene.find(state="ambiguous") == [2]
    assert scene.find(state="refused") == [3]
    assert scene.find(state="overdue") == []
    assert scene.find() == [1, 2, 3]


def test_by_portal_with_a_file_or_without(scene: Scene) -> None:
    scene.portals = {"alpha": portal_of(), "beta": portal_of(name="beta")}
    scene.sign_up(1, "101")
    scene.sign_up(2, "101", portal="beta")
    scene.sign_up(3, "101", portal="gamma")
    assert scene.find(portal="beta") == [2]
    assert scene.find(portal="gamma") == [3]
    assert scene.find(state="waiting") == [1, 2, 3]
    assert scene.find(portal="gamma", state="waiting") == [3]


def test_by_a_slot_that_is_awaited_and_not_found(scene: Scene) -> None:
    for number in (1, 2, 3, 4):
        scene.sign_up(number, str(100 + number))
    scene.store(1, [awaited(), awaited(NY)])
    scene.store(2, [found(), awaited("license.NJ")])
    scene.store(3, [awaited(state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)])
    scene.store(4, [awaited(awaited=False), awaited(ADDRESS)])
    assert scene.find(slot=ACTIVE) == [1, 3]
    assert scene.find(slot=NY) == [1]
    assert scene.find(slot="license") == [1, 2], "the slot's own name stands for all its values"
    assert scene.find(slot="credentialing") == []
    assert scene.find(slot=ACTIVE, state="given_up") == [3]


def test_by_a_part_of_the_name_whatever_the_case(scene: Scene) -> None:
    for number, name in enumerate(["Ada Lovelace", "JOSÉ Ñandú", "Zoë O'Neil", None], 1):
        scene.sign_up(number, str(100 + number), name)
    assert scene.find(q="LOVE") == [1]
    assert scene.find(q=" ada ") == [1]
    assert scene.find(q="josé") == [2]
    assert scene.find(q="ZOË") == [3]
    assert scene.find(q="o'n") == [3]
    assert scene.find(q="nobody") == []


def test_wildcards_in_a_name_are_letters_like_others(scene: Scene) -> None:
    for number, name in enumerate(["100% Ada", "100 Ada", "A_da", r"A\da", "A/da"], 1):
        scene.sign_up(number, str(100 + number), name)
    assert scene.find(q="0%") == [1]
    assert scene.find(q="A_d") == [3]
    assert scene.find(q="A\\d") == [4]
    assert scene.find(q="A/d") == [5]


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_search_leaves_nobody_out(scene: Scene, text: str) -> None:
    scene.sign_up()
    assert scene.find(q=text) == [1]


def test_text_that_no_database_takes_finds_nobody(scene: Scene) -> None:
    scene.sign_up(name="Ada")
    assert scene.find(q="A\x00da") == []
    assert scene.find(slot="A\x00da") == []
    assert ask(scene, "A\x00da") == []


def test_by_uuid_in_either_case(scene: Scene) -> None:
    scene.sign_up(10, "101")
    assert scene.find(q=uuid_of(10).upper()) == [10]
    assert ask(scene, f" {uuid_of(10)} ") == [10]
    assert ask(scene, uuid_of(11)) == []


def test_by_contact_id_in_every_portal(scene: Scene) -> None:
    scene.sign_up(1, "101")
    scene.sign_up(2, "101", portal="beta")
    scene.sign_up(3, "102")
    assert scene.find(q="101") == ask(scene, "101") == [1, 2]


def test_by_a_record_that_is_linked_was_linked_or_is_a_candidate(scene: Scene) -> None:
    scene.know_account()
    for number in (1, 2, 3):
        scene.sign_up(number, str(100 + number))
    scene.store(1, [found(record_id="41")])
    scene.store(2, [awaited()], lost=[LinkHistory(ACTIVE, "42", T0, T0, Reason.RECORD_LOST)])
    scene.store(3, [awaited(state=LinkState.AMBIGUOUS, candidates=("43", "44"))])
    assert [ask(scene, record) for record in ("41", "42", "43", "44", "45")] == [[1], [2], [3], [3], []]
    assert scene.find(q="42") == [2]


def test_by_the_address_of_a_page(scene: Scene) -> None:
    scene.know_account()
    scene.sign_up(1, "101")
    scene.sign_up(2, "900")
    scene.store(1, [found(record_id="900")])
    assert ask(scene, f"{PAGE}/0-1/900") == [2], "a contact's page, though a record has the same digits"
    assert ask(scene, f"{PAGE}/2-101/900?eschref=list") == [1]
    assert scene.find(q=f"{PAGE}/2-101/900/") == [1]
    assert ask(scene, "https://app.hubspot.com/contacts/1234567/contact/101") == [1]


def test_a_page_of_another_account_means_nobody_here(scene: Scene) -> None:
    scene.know_account()
    scene.sign_up(1, "101")
    assert ask(scene, "https://app.hubspot.com/contacts/7654321/record/0-1/101") == []


def test_pages_do_not_repeat_or_skip_though_others_come_meanwhile(scene: Scene) -> None:
    for number in range(10, 20, 2):
        scene.sign_up(number, str(100 + number))
    first = scene.page(limit=2)
    scene.sign_up(9, "109")
    scene.sign_up(13, "113")
    second = scene.page(limit=2, cursor=first["next_cursor"])
    third = scene.page(limit=2, cursor=second["next_cursor"])
    numbers = [[int(each["id"][-2:]) for each in page["therapists"]] for page in (first, second, third)]
    assert numbers == [[10, 12], [13, 14], [16, 18]]
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor", ["", "?", "abc", "YWZ0ZXI", "Zm9vYmFy", "YWZ0ZXI6AAA", "é", "YWZ0ZXI6////"]
)
def test_a_cursor_that_no_page_gave_is_refused(scene: Scene, cursor: str) -> None:
    with pytest.raises(BadCursor):
        scene.page(cursor=cursor)


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "wanted", [{}, {"state": "waiting"}, {"slot": ACTIVE}, {"portal": "alpha"}, {"q": "101"}]
)
def test_no_list_reads_a_whole_table(scene: Scene, wanted: dict[str, Any]) -> None:
    scene.sign_up()
    asked: list[tuple[str, Any]] = []

    @event.listens_for(scene.database.engine, "before_cursor_execute")
    def keep(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, parameters))

    scene.page(**wanted)
    asked_for_the_page = asked.copy()
    with scene.database.read() as connection:
        for statement, parameters in asked_for_the_page:
            if statement.startswith("SELECT") and "FROM portals" not in statement:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                steps = [str(row[-1]) for row in plan]
                whole = [each for each in steps if each.startswith(("SCAN therapists", "SCAN link"))]
                assert all(" INDEX " in each for each in whole), (statement, steps)


def test_a_contact_that_hubspot_merged_away_still_leads_to_its_therapist(scene: Scene) -> None:
    """People keep old links: the id they paste may be the one from before the merge."""
    scene.sign_up(1, "101")
    scene.sign_up(2, "102")
    with scene.database.write() as connection:
        merge = ContactMerged("101", "777")
        follow_merges(connection, "alpha", {uuid_of(1): merge}, scene.clock.now())
    assert ask(scene, "101") == ask(scene, "777") == [1]
    assert ask(scene, f"{PAGE}/0-1/101") == [1]
    assert ask(scene, "102") == [2]
