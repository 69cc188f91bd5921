"""Relocation, end to end: which Credentialing a form's data belongs to, and when that is decided."""

from __future__ import annotations

from tests.flow.forms import npi
from tests.flow.world import ACTIVE, ADDRESS, MOVING, World, moment, someone, until

WORLD = {"delay": "1s"}
ONE, TWO = "1234567893", "1000000004"


def moves(here: World, therapist: str, moving: bool = True, **more: str) -> None:
    """The backend says whether the therapist is moving."""
    body = {"portal": "demo", "moving": moving, **more}
    assert here.api.put(f"/v1/therapists/{therapist}", json=body).is_success


def test_a_moving_therapists_data_goes_to_the_relocation_and_rule_and_slot_are_stored(shared: World) -> None:
    """A definitive rule holds by its condition alone; slot and rule are stored on the write."""
    contact, therapist = shared.contact(), someone()
    shared.sign_up(therapist, contact, moving=True)
    shared.submit(therapist, npi(ONE))
    done = shared.until_state(therapist, "in_sync")
    assert {(w["slot"], w["state"]) for w in done["writes"]} == {(MOVING, "written")}
    rule = done["writes"][0]["rule"]
    assert "moving" in rule
    records = shared.records(contact)
    assert (records[MOVING]["properties"]["npi"], records[ACTIVE]["writes"]) == (ONE, 0)
    moves(shared, therapist, False)
    shared.sync(therapist)
    until(lambda: shared.records(contact)[MOVING]["writes"] == 2, 10, "everything to be written again")
    done = shared.until_state(therapist, "in_sync")
    assert {(w["slot"], w["rule"]) for w in done["writes"]} == {(MOVING, rule)}
    assert shared.records(contact)[ACTIVE]["writes"] == 0


def test_an_unfound_definitive_slot_is_waited_for_and_never_replaced_by_another(shared: World) -> None:
    """An unfound slot is waited for, never replaced by another."""
    contact, therapist = shared.contact(slots=[ACTIVE, ADDRESS]), someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, npi(ONE), moving=True)
    until(lambda: shared.link(therapist, ACTIVE).get("state") == "found", 10, "the other slot's record")
    shared.looked(therapist, MOVING)
    assert shared.writes(therapist, MOVING) == [("waiting", "record_awaited")]
    assert shared.status(therapist)["state"] == "waiting"
    assert shared.records(contact)[ACTIVE]["writes"] == 0
    record = shared.change("create", contact=contact, slot=MOVING)["id"]
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, record)["properties"]["npi"] == ONE
    assert shared.records(contact)[ACTIVE]["writes"] == 0


def test_without_any_word_on_moving_the_write_waits_and_the_address_does_not(shared: World) -> None:
    """With no fact at all (the submission came first) a write whose rule asks it waits (`moving_unknown`)."""
    contact, therapist = shared.contact(), someone()
    data = {**npi(ONE), "practice_preferences": {"treating_address": {"line1": "1 Elm St"}}}
    shared.submit(therapist, data, portal="demo", contact_id=contact)
    until(lambda: shared.writes(therapist, ADDRESS) == [("written", "")], 10, "the address")
    waiting = [w for w in shared.status(therapist)["writes"] if w["state"] == "waiting"]
    assert [w["reason"] for w in waiting] == ["moving_unknown"]
    assert [shared.records(contact)[slot]["writes"] for slot in (ACTIVE, MOVING)] == [0, 0]
    moves(shared, therapist, True, occurred_at=moment(3600))
    shared.until_state(therapist, "in_sync")
    assert shared.records(contact)[MOVING]["properties"]["npi"] == ONE
    assert shared.records(contact)[ACTIVE]["writes"] == 0


def test_moving_is_the_latest_fact_not_after_the_submission(shared: World) -> None:
    """`moving` is the submission's own word, else the latest fact not after its `occurred_at`."""
    contact, therapist = shared.contact(), someone()
    shared.sign_up(therapist, contact, occurred_at="2026-01-01T00:00:00Z")
    moves(shared, therapist, True, occurred_at="2026-01-10T00:00:00Z")
    shared.submit(therapist, npi(ONE), occurred_at="2026-01-09T00:00:00Z")
    shared.until_state(therapist, "in_sync")
    shared.submit(therapist, npi(TWO), occurred_at="2026-01-11T00:00:00Z")
    until(lambda: shared.writes(therapist, MOVING) == [("written", "")], 10, "the later one")
    records = shared.records(contact)
    assert [records[slot]["properties"]["npi"] for slot in (ACTIVE, MOVING)] == [ONE, TWO]
    assert [records[slot]["writes"] for slot in (ACTIVE, MOVING)] == [1, 1]


def test_a_sign_up_that_says_nothing_of_moving_means_no(shared: World) -> None:
    """A sign-up that does not say `moving` means no."""
    contact, therapist = shared.contact(), someone()
    moves(shared, therapist, True, occurred_at="2026-01-01T00:00:00Z", contact_id=contact)
    shared.sign_up(therapist, contact, occurred_at="2026-01-05T00:00:00Z")
    shared.submit(therapist, npi(ONE), occurred_at="2026-01-09T00:00:00Z")
    shared.until_state(therapist, "in_sync")
    records = shared.records(contact)
    assert (records[ACTIVE]["properties"]["npi"], records[MOVING]["writes"]) == (ONE, 0)


def test_what_was_submitted_before_the_first_word_on_moving_is_judged_by_that_word(shared: World) -> None:
    """What was submitted before the first word on moving is judged by that word."""
    contact, therapist = shared.contact(), someone()
    shared.submit(therapist, npi(ONE), occurred_at="2026-01-09T00:00:00Z", portal="demo", contact_id=contact)
    until(lambda: "moving_unknown" in str(shared.status(therapist)["writes"]), 10, "the write to wait")
    moves(shared, therapist, True, occurred_at="2026-01-12T00:00:00Z")
    moves(shared, therapist, False, occurred_at="2026-01-15T00:00:00Z")
    shared.until_state(therapist, "in_sync")
    records = shared.records(contact)
    assert (records[MOVING]["properties"]["npi"], records[ACTIVE]["writes"]) == (ONE, 0)


def test_the_slot_is_judged_again_until_first_sent(shared: World) -> None:
    """Judged again until first sent: a fact that comes later but is from before counts."""
    contact, therapist = shared.contact(slots=[ADDRESS]), someone()
    shared.sign_up(therapist, contact, occurred_at="2026-01-01T00:00:00Z")
    shared.submit(therapist, npi(ONE), occurred_at="2026-01-09T00:00:00Z")
    until(
        lambda: shared.writes(therapist, ACTIVE) == [("waiting", "record_awaited")], 10, "the write to wait"
    )
    moves(shared, therapist, True, occurred_at="2026-01-05T00:00:00Z")
    until(lambda: shared.writes(therapist, MOVING) == [("waiting", "record_awaited")], 10, "the other slot")
    for slot in (ACTIVE, MOVING):
        shared.change("create", contact=contact, slot=slot)
    shared.until_state(therapist, "in_sync")
    records = shared.records(contact)
    assert (records[MOVING]["properties"]["npi"], records[ACTIVE]["writes"]) == (ONE, 0)


def test_a_slot_that_is_not_awaited_is_still_taken_when_it_is_there(shared: World) -> None:
    """A slot with an unsent write is awaited; one that is not awaited is still taken when it is there."""
    contact, therapist = shared.contact(), someone()
    shared.sign_up(therapist, contact)
    done = shared.until_state(therapist, "in_sync")
    link = shared.link(therapist, MOVING)
    assert (link["awaited"], link["state"], link["record_id"]) == (
        False,
        "found",
        shared.records(contact)[MOVING]["id"],
    )
    assert done["complete"] is True
