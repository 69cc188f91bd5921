"""The status of one therapist: what a backend reads, and what a person is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from credsync.core.facts import SignUpKind
from credsync.core.links import LinkHistory, LinkState
from credsync.core.reasons import Reason, sentence
from credsync.core.writes import Cause, WriteState
from credsync.operate.status import therapist_status
from credsync.store.clock import say_time
from credsync.store.rounds import Verified
from tests.operate.scene import (
    ACTIVE,
    ADDRESS,
    MOVE,
    NY,
    SECRET,
    T0,
    Scene,
    a_write,
    awaited,
    found,
    portal_of,
    uuid_of,
    whole_form,
)

STATUS = {
    "id",
    "portal",
    "portal_state",
    "contact_id",
    "state",
    "reason",
    "complete",
    "ids",
    "links",
    "writes",
}
LINK = {
    "slot", "state", "record_id", "record_url", "candidates", "awaited_since", "first_missed_at", "last_looked_at",
    "looks", "next_look_at", "found_at", "record_created_at", "lateness_s", "history",
}  # fmt: skip
WRITE = {
    "form", "slot", "rule", "record_id", "state", "reason", "submitted_at", "written_at", "attempts", "properties",
    "correlation_ids",
}  # fmt: skip


def after(seconds: float) -> str:
    """A moment of the story as the API says it."""
    return say_time(T0 + timedelta(seconds=seconds))


def test_every_key_of_the_contract_is_there(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    status = scene.status()
    assert set(status) >= STATUS | {"message", "state_since", "next_look_at"}
    assert all(set(link) >= LINK | {"reason", "message", "awaited"} for link in status["links"])
    assert all(set(write) >= WRITE | {"message", "sent_at", "cause"} for write in status["writes"])


def test_nobody_has_no_status(scene: Scene) -> None:
    with scene.database.read() as connection:
        assert therapist_status(connection, scene.portals, uuid_of(9), T0) is None


def test_a_submission_shows_its_writes_before_any_round_has_seen_it(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    status = scene.status()
    assert (status["state"], status["reason"], status["complete"]) == ("waiting", "not_looked_yet", False)
    assert [(w["slot"], w["state"], w["reason"]) for w in status["writes"]] == [
        (ACTIVE, "waiting", "not_looked_yet"),
        (NY, "waiting", "not_looked_yet"),
        (ADDRESS, "waiting", "not_looked_yet"),
    ]
    assert [(link["slot"], link["state"], link["awaited"]) for link in status["links"]] == [
        (ACTIVE, "awaited", True),
        (NY, "awaited", True),
        (ADDRESS, "awaited", True),
    ]
    assert {link["next_look_at"] for link in status["links"]} == {after(3)} == {status["next_look_at"]}


def test_a_submission_shows_its_writes_though_the_portal_is_paused(scene: Scene) -> None:
    scene.sign_up()
    scene.pause()
    scene.submit()
    status = scene.status()
    assert status["portal_state"] == "paused"
    assert "Sam" in status["portal_message"]
    assert status["reason"] == "not_looked_yet"
    assert {w["state"] for w in status["writes"]} == {"waiting"}
    assert status["next_look_at"] is None
    assert {link["next_look_at"] for link in status["links"]} == {None}


def test_asking_stores_nothing_and_asking_later_says_the_same(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    first = scene.status()
    scene.clock.wait(60)
    assert scene.status() == first


def test_a_fact_joins_what_rounds_have_stored(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    scene.store(links=[found()], writes=[a_write()])
    scene.clock.wait(60)
    scene.submit(data={"npi_and_caqh": {"npi": "1245319599"}})
    writes = [w for w in scene.status()["writes"] if w["slot"] == ACTIVE]
    assert [(w["state"], w["submitted_at"]) for w in writes] == [
        ("written", after(0)),
        ("waiting", after(60)),
    ]


def test_sync_now_shows_at_once_as_writes_of_its_own(scene: Scene) -> None:
    scene.sign_up()
    scene.submit(data={"npi_and_caqh": {"npi": "1234567893"}})
    scene.store(links=[found()], writes=[a_write()])
    scene.sync()
    assert [(w["state"], w["cause"]) for w in scene.status()["writes"]] == [
        ("written", "submitted"),
        ("waiting", "sync"),
    ]


def test_an_extended_sign_up_makes_links_doubtful_before_any_round(scene: Scene) -> None:
    scene.sign_up()
    scene.store(links=[found(), found(ADDRESS, "901")], due_in=None)
    scene.clock.wait(60)
    scene.sign_up(kind=SignUpKind.EXTENDED)
    assert scene.link(ACTIVE)["doubtful_since"] == after(60)
    assert scene.link(ACTIVE)["next_look_at"] == after(63)


def test_without_a_contact_everything_waits_for_it(scene: Scene) -> None:
    scene.sign_up(contact=None)
    scene.submit()
    status = scene.status()
    assert (status["contact_id"], status["state"], status["reason"]) == (None, "waiting", "no_contact")
    assert status["message"] == sentence(Reason.NO_CONTACT)
    assert {link["reason"] for link in status["links"]} == {"no_contact"}
    assert {write["reason"] for write in status["writes"]} == {"no_contact"}
    assert status["next_look_at"] is None


def test_an_observe_only_portal_shows_what_would_be_written_as_held(scene: Scene) -> None:
    scene.portals = {"alpha": portal_of(mode="observe")}
    scene.sign_up()
    scene.submit()
    status = scene.status()
    assert status["portal_state"] == "observe_only"
    assert {(w["state"], w["reason"]) for w in status["writes"]} == {("held", "observe_only")}
    assert status["state"] == "waiting"


def test_a_portal_without_a_file_counts_as_paused_and_says_so(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    scene.store(links=[found()], writes=[a_write()])
    scene.submit(data=whole_form("NJ"))
    scene.portals = {}
    status = scene.status()
    assert status["portal_state"] == "paused"
    assert "alpha.toml" in status["portal_message"]
    assert status["ids"] == {f"{ACTIVE}_id": "900"}
    assert status["next_look_at"] is None


def test_a_portal_in_trouble_runs_and_says_what_the_trouble_is(scene: Scene) -> None:
    from credsync.store import portals

    scene.sign_up()
    with scene.database.write() as connection:
        portals.set_problem(connection, "alpha", "HubSpot answered no look (unreachable)")
    assert scene.status()["portal_state"] == "running"
    assert scene.status()["portal_message"] == "HubSpot answered no look (unreachable)."


def test_ids_has_a_key_for_every_slot_and_one_per_value_once_it_has_a_link(scene: Scene) -> None:
    scene.sign_up()
    assert scene.status()["ids"] == {f"{slot}_id": None for slot in (ACTIVE, MOVE, ADDRESS)}
    scene.store(links=[found(), found("license.NY.PT", "77"), awaited(ADDRESS)])
    assert scene.status()["ids"] == {
        f"{ACTIVE}_id": "900",
        f"{MOVE}_id": None,
        f"{ADDRESS}_id": None,
        "license_ny_pt_id": "77",
    }


def test_complete_is_true_when_no_awaited_slot_is_empty(scene: Scene) -> None:
    scene.sign_up()
    scene.store(links=[found(), awaited(ADDRESS)])
    assert scene.status()["complete"] is False
    scene.store(links=[found(ADDRESS, "901")], due_in=None)
    assert scene.status()["complete"] is True


def test_an_ambiguous_slot_has_no_id_and_all_its_candidates_with_their_pages(scene: Scene) -> None:
    scene.sign_up()
    scene.know_account()
    doubtful = awaited(state=LinkState.AMBIGUOUS, reason=Reason.TWO_RECORDS_IN_SLOT, candidates=("41", "42"))
    scene.store(links=[doubtful])
    link = scene.link(ACTIVE)
    page = "https://app.hubspot.com/contacts/1234567/record/2-101"
    assert link["candidates"] == [
        {"record_id": "41", "record_url": f"{page}/41"},
        {"record_id": "42", "record_url": f"{page}/42"},
    ]
    assert scene.status()["ids"][f"{ACTIVE}_id"] is None
    assert (scene.status()["state"], link["reason"]) == ("ambiguous", "two_records_in_slot")


def test_pages_are_unknown_until_the_worker_has_asked_for_the_account(scene: Scene) -> None:
    scene.sign_up()
    scene.store(links=[found()])
    assert scene.link(ACTIVE)["record_url"] is None
    assert scene.status()["contact_url"] is None
    scene.know_account()
    assert scene.link(ACTIVE)["record_url"] == "https://app.hubspot.com/contacts/1234567/record/2-101/900"
    assert scene.status()["contact_url"] == "https://app.hubspot.com/contacts/1234567/record/0-1/101"


@pytest.mark.parametrize(
    ("missed", "created", "late"),
    [(0, 51.934479, 51.934479), (0, -5, 0.0), (None, 10, None), (0, None, None)],
    ids=["after the miss", "before it", "never missed", "creation unknown"],
)
def test_lateness_is_from_the_first_miss_to_the_record(
    scene: Scene, missed: float | None, created: float | None, late: float | None
) -> None:
    scene.sign_up()
    link = found(
        first_missed_at=None if missed is None else T0 + timedelta(seconds=missed),
        record_created_at=None if created is None else T0 + timedelta(seconds=created),
    )
    scene.store(links=[link])
    assert scene.link(ACTIVE)["lateness_s"] == late


def test_a_lost_record_stays_in_the_history_with_the_reason(scene: Scene) -> None:
    scene.sign_up()
    scene.know_account()
    scene.store(
        links=[awaited(reason=Reason.RECORD_LOST)],
        lost=[LinkHistory(ACTIVE, "899", T0, T0 + timedelta(seconds=9), Reason.RECORD_LOST)],
    )
    assert scene.link(ACTIVE)["history"] == [
        {
            "record_id": "899",
            "record_url": "https://app.hubspot.com/contacts/1234567/record/2-101/899",
            "found_at": after(0),
            "lost_at": after(9),
            "reason": "record_lost",
            "message": sentence(Reason.RECORD_LOST),
        }
    ]


def test_a_link_given_up_is_looked_at_again_only_if_something_waits_for_it(scene: Scene) -> None:
    scene.sign_up()
    given_up = awaited(state=LinkState.GIVEN_UP, reason=Reason.GIVEN_UP)
    scene.store(links=[given_up])
    assert scene.link(ACTIVE)["next_look_at"] is None
    scene.store(writes=[a_write(state=WriteState.WAITING, reason=Reason.GIVEN_UP, record_id=None)])
    assert scene.link(ACTIVE)["next_look_at"] == after(17)


def test_writes_are_told_oldest_first_with_what_was_superseded(scene: Scene) -> None:
    scene.sign_up()
    superseded = a_write(NY, WriteState.SUPERSEDED, reason=Reason.LIST_REPLACED, record_id=None)
    scene.store(writes=[superseded, a_write(), a_write(cause=Cause.SYNC)])
    told = [(w["slot"], w["state"], w["cause"]) for w in scene.status()["writes"]]
    assert told == [
        (NY, "superseded", "submitted"),
        (ACTIVE, "written", "submitted"),
        (ACTIVE, "written", "sync"),
    ]


def test_a_write_tells_its_verdict_property_by_property(scene: Scene) -> None:
    scene.sign_up()
    told = [
        {"name": "npi", "state": "written", "code": "", "message": ""},
        {"name": "medicare", "state": "refused", "code": "INVALID_OPTION", "message": "none of the options"},
    ]
    partial = a_write(state=WriteState.PARTIAL, reason=Reason.PROPERTIES_REFUSED)
    verdict = Verified(told, ["c-1"], "INVALID_OPTION: HubSpot refused the call", T0 + timedelta(seconds=2))
    scene.store(links=[found()], writes=[partial], verified={0: verdict})
    write = scene.status()["writes"][0]
    assert write["properties"] == told
    assert write["correlation_ids"] == ["c-1"]
    assert (write["sent_at"], write["written_at"], write["attempts"]) == (after(0), after(2), 1)
    assert write["message"].startswith(sentence(Reason.PROPERTIES_REFUSED))
    assert "INVALID_OPTION" in write["message"]
    assert scene.status()["state"] == "partial"


def test_a_written_write_no_longer_quotes_an_earlier_failure(scene: Scene) -> None:
    scene.sign_up()
    scene.store(writes=[a_write()], verified={0: Verified(message="timeout: no answer", written_at=T0)})
    assert scene.status()["writes"][0]["message"] == ""


def test_nothing_submitted_is_in_a_status(scene: Scene) -> None:
    scene.sign_up()
    scene.submit()
    assert SECRET not in json.dumps(scene.status())
    scene.store(links=[found()], writes=[a_write()])
    assert SECRET not in json.dumps(scene.status())


def test_a_slot_the_portal_file_no_longer_has_is_still_shown(scene: Scene) -> None:
    scene.sign_up()
    scene.know_account()
    scene.store(links=[replace(found(), slot="retired")])
    assert scene.link("retired")["record_id"] == "900"
    assert scene.link("retired")["record_url"] is None
    assert scene.status()["ids"]["retired_id"] == "900"
