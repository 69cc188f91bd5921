"""What pages show: found by whatever one has, in plain words, escaped, and nothing changed by looking."""

from __future__ import annotations

import csv
from io import StringIO
from uuid import uuid4

import pytest
from sqlalchemy import update

from credsync.core.people import Role
from credsync.store.names import renamed as indexed
from credsync.store.portals import set_account
from credsync.store.tables import therapists
from credsync.web.console.pages import PAGES, Page
from credsync.web.console.render import POLICY
from tests.api.service import AT, contact
from tests.api.test_choosing import SLOT, ambiguous
from tests.console.service import Console, text_of

SCRIPT = '<script>alert("run")</script>'


def renamed(console: Console, page: str, name: str) -> None:
    """A name that intake refuses, as one from before it did."""
    with console.api.database.write() as connection:
        who = page.rpartition("/")[2]
        connection.execute(update(therapists).where(therapists.c.id == who).values(name=name))
        indexed(connection, who, None, name)


def test_today_says_how_all_stand(console: Console) -> None:
    console.therapist(contact_id=contact())
    page = console.get("/")
    assert page.status_code == 200
    assert "How the therapists stand" in text_of(page)
    assert "Is HubSpot slower than usual?" in text_of(page)


@pytest.mark.parametrize("by", ["uuid", "contact", "name", "address"])
def test_one_box_finds_a_therapist_by_whatever_one_has(console: Console, by: str) -> None:
    """A UUID, a contact id, a name and a pasted HubSpot address each lead to the therapist's page."""
    with console.api.database.write() as connection:
        set_account(connection, "alpha", "1234567", "app.hubspot.example")
    number, name = contact(), f"Ada {uuid4()}"
    page = console.therapist(contact_id=number, name=name)
    sought = {
        "uuid": page.rpartition("/")[2],
        "contact": number,
        "name": name,
        "address": f"https://app.hubspot.example/contacts/1234567/record/0-1/{number}/?tab=about",
    }[by]
    answer = console.as_("viewer").get("/therapists", params={"q": sought})
    assert (answer.status_code, answer.headers.get("location")) == (303, page)


def test_a_filter_that_is_no_word_of_its_list_is_refused_with_the_words_there_are(console: Console) -> None:
    answer = console.get("/therapists?state=lost")
    assert answer.status_code == 400
    assert "Known are: refused" in text_of(answer)


def test_nobody_matching_says_what_to_try(console: Console) -> None:
    assert "Nobody matches" in text_of(console.get(f"/therapists?q={uuid4()}"))


def test_an_unknown_therapist_says_how_to_look(console: Console) -> None:
    for page in (f"/therapists/{uuid4()}", "/therapists/nobody"):
        answer = console.get(page)
        assert answer.status_code == 404
        assert "Look by name" in text_of(answer)


def test_a_file_for_a_spreadsheet_holds_no_formula(console: Console) -> None:
    """A name that a spreadsheet would run is text in the file."""
    mark = uuid4().hex
    for start in "=+-@":
        renamed(console, console.therapist(), f'{start}HYPERLINK("x") {mark}')
    answer = console.as_("success").get("/therapists.csv", params={"q": mark})
    rows = list(csv.DictReader(StringIO(answer.text)))
    assert len(rows) == 4
    assert all(row["name"].startswith("'") for row in rows)
    assert "attachment" in answer.headers["content-disposition"]


def test_what_is_shown_is_escaped_and_the_policy_runs_nothing_else(console: Console) -> None:
    """A script in a name, a note and a reason stands there as text."""
    page = console.therapist(contact_id=contact())
    renamed(console, page, SCRIPT)
    console.press(f"{page}/notes", text=SCRIPT)
    console.press(f"{page}/sync", reason=SCRIPT)
    for path in (page, f"{page}/sync", f"{page}/report", "/therapists?q=script"):
        answer = console.get(path)
        assert answer.status_code in (200, 303)
        assert SCRIPT not in answer.text
        assert answer.headers["content-security-policy"] == POLICY
    assert "&lt;script&gt;" in console.get(page).text
    assert "unsafe" not in POLICY


LOOKED_AT = [each for each in PAGES if each.method == "GET" and each.path != "/live"]
"""Live pages listen without end."""


@pytest.mark.parametrize("page", LOOKED_AT, ids=lambda page: page.path)
def test_looking_changes_nothing(console: Console, page: Page) -> None:
    """No page changes a row of any table but what is kept of the session itself."""
    address = console.therapist(contact_id=contact())
    ambiguous(console.api, address, "801", "802")
    names = {"uuid": address.rpartition("/")[2], "slot": SLOT, "portal": "alpha", "id": "1"}
    names |= {"name": "alpha", "token": "nobodys"}
    path = page.path.format_map(names)
    before = console.api.rows()
    answer = console.get(path, "admin")
    assert answer.status_code < 500, answer.text
    after = console.api.rows()
    assert {name for name in before if before[name] != after[name]} <= {"sessions"}


def test_the_page_says_whose_turn_it_is(console: Console) -> None:
    page = console.therapist(name="Ada Example")
    console.api.post(f"/v1{page}/sign-ups", {"kind": "first", "occurred_at": AT})
    assert "administrator's turn" in text_of(console.get(page)).replace("&#39;", "'"), "no contact id yet"
    page = console.therapist(contact_id=contact())
    ambiguous(console.api, page, "801", "802")
    shown = text_of(console.get(page))
    assert "801" in shown
    assert "Choose …" in shown
    assert "Choose …" not in text_of(console.get(page, Role.VIEWER))


def test_no_page_at_an_address_is_told_as_the_asker_reads(console: Console) -> None:
    assert "There is no such page" in text_of(console.get("/nothing"))
    told = console.as_("success").get("/nothing", headers={"Accept": "application/json"})
    assert told.headers["content-type"] == "application/problem+json"


def test_the_list_is_narrowed_by_all_choices_and_the_counts_follow(console: Console) -> None:
    """Each choice says how many there would be within the others; the file has whom the page has."""
    mark = uuid4().hex[:8]
    for number in range(3):
        console.therapist(contact_id=contact(), name=f"Ada {mark} {number}")
    asked = f"q={mark}&state=waiting&reason=not_looked_yet&portal=alpha"
    page = console.get(f"/therapists?{asked}")
    assert "Therapists found: 3" in text_of(page)
    assert '<option value="waiting" selected>Waiting as usual (3)</option>' in page.text
    assert '<option value="not_looked_yet" selected>not looked yet (3)</option>' in page.text
    assert '<option value="refused">Refused by HubSpot (0)</option>' in page.text
    assert '<option value="7d">7 days (0)</option>' in page.text
    rows = list(csv.DictReader(StringIO(console.get(f"/therapists.csv?{asked}").text)))
    assert {row["reason"] for row in rows} == {"not_looked_yet"}
    assert len(rows) == 3
    assert list(csv.DictReader(StringIO(console.get(f"/therapists.csv?{asked}&longer_than=1h").text))) == []


def test_an_empty_list_says_what_to_leave_out(console: Console) -> None:
    """Each choice without which somebody is left is a link to the list without it."""
    mark = uuid4().hex[:8]
    for number in range(2):
        console.therapist(name=f"Ada {mark} {number}")
    page = console.get(f"/therapists?q={mark}&longer_than=7d&portal=alpha")
    assert "Nobody matches all of it at once" in text_of(page)
    assert f'<a href="/therapists?q={mark}&amp;portal=alpha">' in page.text
    assert "Without “In this state for longer than” there are 2" in text_of(page)
    assert "Without “Portal”" not in text_of(page), "that alone would leave nobody, too"


@pytest.mark.parametrize("asked", ["longer_than=2h", "reason=because", "slot=nothing", "portal=omega"])
def test_every_filter_takes_its_own_words_only(console: Console, asked: str) -> None:
    answer = console.get(f"/therapists?{asked}")
    assert answer.status_code == 400
    assert "Known are" in text_of(answer)
