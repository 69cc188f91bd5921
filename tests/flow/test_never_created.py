"""credsync creates nothing, end to end: whatever is missing in HubSpot is waited for, and read and updated is all it does."""

from __future__ import annotations

from tests.flow.forms import ca, npi
from tests.flow.world import ACTIVE, World, someone, until

WORLD = {"delay": "1s", "settings": {"overdue_after": "40s"}}


def test_nothing_is_created_in_hubspot_whatever_is_missing(shared: World) -> None:
    """credsync creates nothing in HubSpot."""
    never, lost = (someone(), shared.contact(slots=[])), (someone(), shared.contact())
    for therapist, contact in (never, lost):
        shared.sign_up(therapist, contact)
        shared.submit(therapist, ca(licenses=("NY",)))
    shared.leaves(never[0], "its workflows never fire")
    shared.leaves(lost[0], "its record was deleted for good")
    until(lambda: shared.writes(lost[0], ACTIVE) == [("written", "")], 10, "the write")
    shared.change("delete", id=shared.records(lost[1])[ACTIVE]["id"])
    shared.sync(lost[0])
    until(lambda: shared.link(lost[0], ACTIVE)["state"] == "awaited", 10, "the loss to be seen")
    for therapist, _ in (never, lost):
        shared.until_state(therapist, "overdue")
        shared.sync(therapist)
        shared.looked(therapist)
    assert shared.records(never[1]) == {}
    assert ACTIVE not in shared.records(lost[1])
    done = {(r["method"], r["call"]) for r in shared.requests() if r["method"] != "GET"}
    assert done == {
        ("POST", "associations batch/read"),
        ("POST", "objects batch/read"),
        ("POST", "objects batch/update"),
    }


def test_every_round_looks_before_it_writes(shared: World) -> None:
    """Every round looks before it writes; a stored id is a cache."""
    contact, therapist = shared.contact(), someone()
    shared.sign_up(therapist, contact)
    shared.submit(therapist, npi("1234567893"))
    shared.until_state(therapist, "in_sync")
    record = shared.records(contact)[ACTIVE]["id"]
    seen = len(shared.requests())
    shared.submit(therapist, npi("1000000004"))
    until(lambda: shared.record(contact, record)["writes"] == 2, 10, "the second write")
    since = [
        r["call"]
        for r in shared.requests()[seen:]
        if f'"{contact}"' in r["text"] or f'"{record}"' in r["text"]
    ]
    assert since.index("associations batch/read") < since.index("objects batch/update")
