"""Alerts, workflows and settings: the causes, whom they hit, and one press for all of one cause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select

from credsync.core.delays import Delay, Measure
from credsync.store.delays import count_delays
from credsync.store.portals import status_of
from credsync.store.tables import alerts, delays, links, syncs
from tests.api.service import contact
from tests.console.service import Console, text_of

SLOT = "therapist_address_current"


@pytest.fixture
def late(console: Console) -> Iterator[tuple[str, list[str]]]:
    """An open alert's address, and the ids of the three whom its cause hits."""
    now = console.api.clock.now()
    hit = sorted(console.therapist(contact_id=contact()).rpartition("/")[2] for _ in range(3))
    with console.api.database.write() as connection:
        waiting = {
            "slot": SLOT,
            "portal": "alpha",
            "awaited": True,
            "awaited_since": now,
            "overdue_since": now,
            "first_missed_at": now + timedelta(seconds=1),
            "last_looked_at": now + timedelta(seconds=9),
            "state": "awaited",
            "candidates": [],
            "reason": "record_awaited",
            "looks": 9,
        }
        connection.execute(insert(links), [{"therapist_id": each, **waiting} for each in hit])
        cause = {"portal": "alpha", "kind": "overdue", "object": "therapist_address", "slot": SLOT}
        seen = {"property": "", "verb": "", "therapists": 3, "details": {}}
        made = connection.execute(insert(alerts).values(**cause, **seen, first_seen_at=now, last_seen_at=now))
        (alert_id,) = made.inserted_primary_key or (0,)
    yield f"/alerts/{alert_id}", hit
    with console.api.database.write() as connection:
        connection.execute(delete(alerts))
        connection.execute(delete(links).where(links.c.slot == SLOT))


def pressed(console: Console) -> set[str]:
    with console.api.read() as connection:
        return {str(each) for each in connection.execute(select(syncs.c.therapist_id)).scalars()}


def test_an_alert_names_whom_it_hits_and_what_to_do(console: Console, late: tuple[str, list[str]]) -> None:
    address, hit = late
    assert address in console.get("/").text
    assert address in console.get("/alerts").text
    page = console.get(address)
    assert all(f"/therapists/{each}" in page.text for each in hit)
    assert "What to do" in text_of(page)


def test_somebody_takes_an_alert_and_it_stays_open(console: Console, late: tuple[str, list[str]]) -> None:
    address, _ = late
    answer = console.press(f"{address}/acknowledge", note="asked the admin of HubSpot")
    shown = text_of(console.get(answer.headers["location"]))
    assert "Taken by success@example.org" in shown
    assert "asked the admin of HubSpot" in shown
    assert address in console.get("/alerts").text


def test_sync_now_for_all_of_one_cause_never_goes_beyond_it(
    console: Console, late: tuple[str, list[str]]
) -> None:
    """Only those who were named, and of them only those whom the cause still hits."""
    address, hit = late
    asked = console.get(f"{address}/sync")
    assert all(f'value="{each}"' in asked.text for each in hit)
    other = console.therapist(contact_id=contact()).rpartition("/")[2]
    before = pressed(console)
    answer = console.as_("success").post(
        f"{address}/sync",
        data={"csrf": console.csrf, "therapist": [*hit[:2], other]},
        headers={"Origin": console.url},
    )
    assert answer.status_code == 303
    assert pressed(console) - before == set(hit[:2])


def test_a_press_for_more_than_a_hundred_is_refused(console: Console, late: tuple[str, list[str]]) -> None:
    address, _ = late
    answer = console.as_("success").post(
        f"{address}/sync",
        data={"csrf": console.csrf, "therapist": [f"t{n}" for n in range(101)]},
        headers={"Origin": console.url},
    )
    assert answer.status_code == 422
    assert "1 to 100 therapists" in text_of(answer)


def test_an_alert_that_nobody_knows_says_where_to_look(console: Console) -> None:
    for address in ("/alerts/999999", "/alerts/first", "/alerts/999999/sync"):
        answer = console.get(address)
        assert answer.status_code == 404
        assert "Look at the list of alerts" in text_of(answer)


def test_a_workflow_is_drawn_with_the_table_behind_it(console: Console) -> None:
    now = console.api.clock.now()
    spans = [timedelta(seconds=each) for each in [70] * 40 + [400] * 10]
    with console.api.database.write() as connection:
        count_delays(connection, "alpha", [Delay("license", Measure.FOUND, now, span) for span in spans])
    page = console.get("/workflows/alpha/license")
    shown = text_of(page)
    assert "1 min to 2 min 40" in shown
    assert "5 min to 10 min 10" in shown
    assert 'width="25.0"' in page.text
    assert "normally 1 to 7 min" in text_of(console.get("/workflows"))
    with console.api.database.write() as connection:
        connection.execute(delete(delays))


def test_contacts_to_enrol_again_are_copied_or_kept_as_a_file(
    console: Console, late: tuple[str, list[str]]
) -> None:
    _, hit = late
    page = console.get(f"/workflows/alpha/{SLOT}")
    file = console.get(f"/workflows/alpha/{SLOT}/enrol.csv")
    assert file.headers["content-type"].startswith("text/csv")
    for each in hit:
        assert f"/therapists/{each}" in page.text
        assert each in file.text
    assert console.get(f"/workflows/alpha/{SLOT}/enrol.csv", "viewer").status_code == 403


def test_a_workflow_that_nobody_knows_is_404(console: Console) -> None:
    assert console.get("/workflows/alpha/nothing").status_code == 404
    assert console.get("/workflows/nowhere/license").status_code == 404


def test_a_portal_is_paused_with_a_reason_and_resumed_by_an_admin_alone(console: Console) -> None:
    assert console.press("/settings/portals/beta/pause", "success", reason="x").status_code == 403
    assert console.press("/settings/portals/beta/pause", "admin").status_code == 422
    assert console.press("/settings/portals/nowhere/pause", "admin", reason="x").status_code == 404
    assert console.press("/settings/portals/beta/pause", "admin", reason="import at night").status_code == 303
    shown = text_of(console.get("/settings"))
    assert "import at night" in shown
    console.press("/settings/portals/beta/resume", "admin")
    with console.api.read() as connection:
        assert status_of(connection, "beta").paused_at is None


def test_the_mapping_is_drawn_from_contact_to_property(console: Console) -> None:
    shown = text_of(console.get("/settings"))
    assert "label “Active Attested”" in shown
    assert "medicare = npi_and_caqh.medicare_status" in shown
