"""The four cases, from the miss to the report, as somebody of Success meets them; in English and in Spanish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, update

from credsync.store.tables import events, links, therapists
from tests.api.service import contact
from tests.api.test_choosing import ambiguous
from tests.browser.visit import Visit
from tests.console.service import Console

ACTIVE, MOVE = "credentialing_active_attested", "credentialing_relocation"


@dataclass(frozen=True, slots=True)
class Case:
    """One of domain.md's: when was looked and nothing found, in which minute the record was created."""

    name: str
    missed: str
    created: str
    lateness: str


CASES = (
    Case("K", "2025-08-26T00:13:08.065521Z", "2025-08-26T00:14:00Z", "51 s|52 s"),
    Case("P", "2025-08-27T00:46:35.944573Z", "2025-08-27T00:47:00Z", "24 s"),
    Case("W", "2025-08-28T13:06:48.933469Z", "2025-08-28T13:08:00Z", "1 min 11 s"),
    Case("S", "2025-08-29T04:01:29.560179Z", "2025-08-29T04:02:00Z", "30 s"),
)


def missed(console: Console, case: Case) -> tuple[str, str, str]:
    """What rounds store of somebody whose records are not there: the page's address, the contact, a name."""
    who, name = contact(), f"{case.name} Example {contact()}"
    address = console.therapist(contact_id=who, name=name)
    at = datetime.fromisoformat(case.missed)
    row = {"therapist_id": address.rpartition("/")[2], "portal": "alpha", "awaited": True}
    row |= {"awaited_since": at, "first_missed_at": at, "last_looked_at": at, "looks": 1}
    with console.api.database.write() as connection:
        mine = therapists.c.id == row["therapist_id"]
        stands = {"state": "waiting", "reason": "record_awaited"}
        connection.execute(
            update(therapists).where(mine).values(**stands, settled_generation=therapists.c.generation)
        )
        for slot in (ACTIVE, MOVE):
            connection.execute(
                insert(links).values(
                    **row, slot=slot, state="awaited", reason="record_awaited", candidates=[]
                )
            )
        told = {"name": "lookup.missed", "portal": "alpha", "therapist_id": row["therapist_id"]}
        connection.execute(insert(events).values(**told, at=at, slot=ACTIVE, details={"looks": 1}))
    return address, who, name


def created(console: Console, address: str, case: Case) -> tuple[str, str]:
    """What a round stores once HubSpot has made both records; gives their ids."""
    records = contact(), contact()
    found_at = datetime.fromisoformat(case.created)
    with console.api.database.write() as connection:
        mine = links.c.therapist_id == address.rpartition("/")[2]
        for slot, record in zip((ACTIVE, MOVE), records, strict=True):
            found = {"state": "found", "reason": "", "record_id": record, "record_created_at": found_at}
            connection.execute(
                update(links).where(mine, links.c.slot == slot).values(**found, found_at=found_at)
            )
    return records


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_from_the_miss_to_the_report(visit: Visit, console: Console, case: Case) -> None:
    """Found by the contact's id, read whose turn it is, Sync now pressed, and all that was compiled by hand copied."""
    address, who, name = missed(console, case)
    page = visit.as_("success")
    page.goto("/")
    page.get_by_role("searchbox", name="Find a therapist").fill(who)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    expect(page.locator("#turn")).to_contain_text("HubSpot's turn")
    records = created(console, address, case)
    page.reload()
    for record in records:
        expect(page.locator("body")).to_contain_text(record)
    page.get_by_role("link", name="Sync now").click()
    page.get_by_role("button", name="Sync now", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    page.get_by_role("link", name="Help-desk report").click()
    page.get_by_role("button", name="Copy").click()
    report = page.locator("textarea#report").input_value()
    assert all(known in report for known in (who, *records, case.missed[:10], case.created[11:16]))
    assert any(late in report for late in case.lateness.split("|"))


def test_a_case_with_two_records_is_chosen(visit: Visit, console: Console) -> None:
    """Several records hold the slot: whose turn it is says so, and one is taken with how one knows."""
    address = console.therapist(contact_id=contact(), name="Two Example")
    ambiguous(console.api, address, "801", "802")
    with console.api.database.write() as connection:
        mine = therapists.c.id == address.rpartition("/")[2]
        stands = {"state": "ambiguous", "reason": "two_records_in_slot"}
        connection.execute(
            update(therapists).where(mine).values(**stands, settled_generation=therapists.c.generation)
        )
    page = visit.as_("success")
    page.goto(address)
    expect(page.locator("#turn")).to_contain_text("The Success team's turn")
    page.get_by_role("link", name="Choose").click()
    page.get_by_label("802").check()
    page.get_by_label("How do you know?").fill("it has the newest address")
    page.get_by_role("button", name="Take this record").click()
    expect(page.get_by_role("status")).to_contain_text("The choice is taken")


def test_two_people_press_sync_now_at_once(visit: Visit, console: Console) -> None:
    """Both open the confirming page and press: both are told it is on its way, and it is one press."""
    address = console.therapist(contact_id=contact(), name="Pressed Example")
    pages = [visit.as_("success"), visit.as_("admin")]
    for page in pages:
        page.goto(f"{address}/sync")
    for page in pages:
        page.get_by_role("button", name="Sync now", exact=True).click(no_wait_after=True)
    for page in pages:
        expect(page.get_by_role("status")).to_contain_text("on its way")
    with console.api.read() as connection:
        asked = "SELECT count(*) FROM syncs WHERE therapist_id = ?"
        found = connection.exec_driver_sql(asked, (address.rpartition("/")[2],))
        assert found.scalar_one() == 1


def test_the_language_is_chosen_on_the_page(visit: Visit, console: Console) -> None:
    """From English to Spanish and back, without JavaScript, on the page one reads."""
    address = console.therapist(contact_id=contact(), name="Ida Ejemplo")
    page = visit.as_("success", java_script_enabled=False)
    page.goto(address)
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", name="Qué pasa ahora")).to_be_visible()
    expect(page).to_have_url(f"{console.url}{address}")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
