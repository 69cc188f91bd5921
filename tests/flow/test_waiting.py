"""Waiting, end to end: overdue, given up, and found all the same. A day of the schedule takes four seconds here."""

from __future__ import annotations

from typing import Any

from tests.flow.forms import npi
from tests.flow.world import ACTIVE, ADDRESS, World, someone, until

SPEED = 20_000.0
DAY_S = 86_400 / SPEED
WORLD = {
    "delay": "1s",
    "speed": SPEED,
    "settings": {
        "look_again_min": "1000s",
        "look_again_max": "2000s",
        "coalesce": "1000s",
        "overdue_after": "10000s",
        "give_up_after": "24000s",
        "settle_after": "10000s",
    },
}
NPI = "1234567893"


def waiting(here: World, *submitted: dict[str, Any], **planned: Any) -> tuple[str, str]:
    """A therapist whose Credentialing never comes: therapist and contact."""
    contact, therapist = here.contact(never=[ACTIVE], **planned), someone()
    here.sign_up(therapist, contact)
    for data in submitted:
        here.submit(therapist, data)
    return therapist, contact


def test_after_overdue_after_a_link_is_overdue_and_it_ends_by_itself(shared: World) -> None:
    """Waiting is a state, not an error: overdue after `overdue_after`, closing by itself when the record comes."""
    therapist, contact = waiting(shared, npi(NPI))
    overdue = shared.until_state(therapist, "overdue")
    assert overdue["message"]
    assert shared.link(therapist, ACTIVE)["overdue_since"]
    record = shared.change("create", contact=contact, slot=ACTIVE)["id"]
    shared.until_state(therapist, "in_sync")
    assert shared.record(contact, record)["properties"]["npi"] == NPI
    assert shared.link(therapist, ACTIVE)["overdue_since"] is None
    timeline = shared.api.get(f"/v1/therapists/{therapist}/timeline").json()["events"]
    names = [e["event"] for e in timeline if e.get("slot") == ACTIVE]
    assert [names.count(each) for each in ("lookup.missed", "link.overdue", "link.found")] == [1, 1, 1]


def test_what_is_given_up_is_looked_at_once_a_day_only_if_something_submitted_waits(shared: World) -> None:
    """After `give_up_after` the link is *given up*: visible, looked at once a day if something submitted waits for it, else only when something happens."""
    asked, of_asked = waiting(shared, npi(NPI))
    silent, of_silent = waiting(shared)
    for therapist in (asked, silent):
        given_up = shared.until_state(therapist, "given_up")
        assert given_up["message"]
        assert shared.link(therapist, ACTIVE)["state"] == "given_up"
    until(lambda: shared.link(asked, ADDRESS).get("state") == "found", 10, "the other records")
    before = (shared.looks(of_asked), shared.looks(of_silent))
    assert shared.link(asked, ACTIVE)["next_look_at"] is not None
    record = shared.change("create", contact=of_asked, slot=ACTIVE)["id"]
    shared.change("create", contact=of_silent, slot=ACTIVE)
    shared.until_state(asked, "in_sync", 3 * DAY_S)
    assert shared.record(of_asked, record)["properties"]["npi"] == NPI
    assert shared.looks(of_asked) - before[0] == 1
    assert (shared.looks(of_silent), shared.status(silent)["state"]) == (before[1], "given_up")


def test_what_is_given_up_is_looked_at_when_something_happens(shared: World) -> None:
    """Given up is looked at when something happens: a submission, or Sync now."""
    for act in (lambda t: shared.submit(t, npi(NPI)), shared.sync):
        therapist, contact = waiting(shared)
        shared.until_state(therapist, "given_up")
        shared.change("create", contact=contact, slot=ACTIVE)
        act(therapist)
        shared.until_state(therapist, "in_sync", DAY_S * 0.9)


def test_everybody_not_in_sync_has_a_state_a_reason_a_sentence_and_a_next_step(shared: World) -> None:
    """Nothing ends in silence: in sync, waiting with a reason, or needing a person with a reason."""
    people = [waiting(shared, npi(NPI))[0], someone()]
    shared.sign_up(people[1], None)
    shared.submit(people[1], npi(NPI))
    states = [shared.until_state(people[0], "given_up"), shared.until_state(people[1], "waiting")]
    assert [told["reason"] for told in states] == ["given_up", "no_contact"]
    for told in states:
        assert told["message"]
        assert told["state_since"]
    listed = shared.api.get("/v1/therapists", params={"state": "given_up"}).json()
    assert people[0] in str(listed)
    assert people[1] not in str(listed)
