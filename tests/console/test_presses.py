"""What is pressed: taken once, by whom and why; refused with what to do; and never from another site."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from credsync.store.tables import choices, events, syncs
from tests.api.service import contact
from tests.api.test_choosing import SLOT, ambiguous
from tests.console.service import CSRF, Console, text_of


def syncs_of(console: Console, page: str) -> list[tuple[str, str, bool]]:
    with console.api.read() as connection:
        query = select(syncs.c.requested_by, syncs.c.reason, syncs.c.include_held)
        rows = connection.execute(query.where(syncs.c.therapist_id == page.rpartition("/")[2])).all()
    return [tuple(row) for row in rows]


def test_sync_now_is_taken_with_who_and_why_and_wakes_the_worker(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    answer = console.press(f"{page}/sync", reason="on the phone", include_held="yes")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?pressed=sync")
    assert syncs_of(console, page) == [("success@example.org", "on the phone", True)]
    assert ("alpha", 0.0) in console.wakes
    assert "on its way" in text_of(console.get(answer.headers["location"]))


def test_two_people_at_once_press_one_sync_now(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    for role in ("success", "admin"):
        console.as_(role)
    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(lambda role: console.press(f"{page}/sync", role), ["success", "admin"] * 4))
    assert {each.status_code for each in answers} == {303}
    assert len(syncs_of(console, page)) == 1


def test_pressed_too_often_it_says_when_again_on_the_page_and_over_http(console: Console) -> None:
    """429: the page has the sentence, the call `Retry-After`; both say that nothing was changed."""
    page = console.therapist(contact_id=contact())
    who, now = page.rpartition("/")[2], console.api.database.clock.now()
    row = {"therapist_id": who, "reason": "", "include_held": False, "requested_by": "x", "requested_at": now}
    with console.api.database.write() as connection:
        connection.execute(syncs.insert(), [row | {"planned_at": now} for _ in range(10)])
    answer = console.press(f"{page}/sync", reason="again")
    assert answer.status_code == 429
    assert "Nothing was changed" in text_of(answer)
    assert "press again in" in text_of(answer)
    told = console.api.post(f"/v1{page}/sync", {"reason": "again"})
    assert (told.status_code, told.json()["type"]) == (429, "/docs#pressed-too-often")
    assert 590 <= int(told.headers["retry-after"]) <= 600
    assert len(syncs_of(console, page)) == 10


def test_a_record_is_chosen_with_how_one_knows(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    ambiguous(console.api, page, "801", "802")
    asked = console.get(f"{page}/links/{SLOT}")
    assert 'value="802"' in asked.text
    answer = console.press(f"{page}/links/{SLOT}", record_id="802", reason="has the newest address")
    assert answer.status_code == 303
    with console.api.read() as connection:
        query = select(choices).where(choices.c.therapist_id == page.rpartition("/")[2])
        row = connection.execute(query).one()
    assert (row.record_id, row.chosen_by, row.reason) == (
        "802",
        "success@example.org",
        "has the newest address",
    )


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"record_id": "802"}, 422, "how you know"),
        ({"record_id": "999", "reason": "a guess"}, 409, "choose one of 801, 802"),
        ({"record_id": "802", "reason": "x" * 2_001}, 422, "Shorten it"),
    ],
)
def test_a_choice_that_cannot_be_taken_says_what_to_do(
    console: Console, fields: dict[str, str], status: int, says: str
) -> None:
    page = console.therapist(contact_id=contact())
    ambiguous(console.api, page, "801", "802")
    answer = console.press(f"{page}/links/{SLOT}", **fields)
    assert answer.status_code == status
    assert says in text_of(answer)
    assert console.api.count(choices) == 0 or syncs_of(console, page) == []


def test_a_note_stands_on_the_timeline_and_is_no_fact(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    before = console.api.rows()
    assert console.press(f"{page}/notes", text="She called;\n sends the licence tomorrow").status_code == 303
    shown = text_of(console.get(page))
    assert "She called; sends the licence tomorrow" in shown
    after = console.api.rows()
    assert {name for name in before if before[name] != after[name]} == {"events", "audit", "audit_head"}


@pytest.mark.parametrize(
    ("origin", "csrf", "why"),
    [
        ("https://elsewhere.example", CSRF, "was not sent by a page of this service"),
        (None, "another", "in another session"),
        (None, "", "in another session"),
        ("null", CSRF, "was not sent by a page of this service"),
    ],
)
def test_a_form_of_another_site_changes_nothing(
    console: Console, origin: str | None, csrf: str, why: str
) -> None:
    page = console.therapist(contact_id=contact())
    before = console.api.rows()
    answer = console.as_("success").post(
        f"{page}/sync", data={"csrf": csrf}, headers={"Origin": origin or console.url}
    )
    assert answer.status_code == 403
    assert why in text_of(answer)
    assert console.api.rows() == before


def test_a_get_never_presses(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    console.as_("success").get(f"{page}/sync", params={"csrf": CSRF, "reason": "x"})
    assert syncs_of(console, page) == []


def test_who_may_not_is_told_who_can(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    answer = console.press(f"{page}/sync", "viewer")
    assert answer.status_code == 403
    assert "this needs success. An admin can give it to you." in text_of(answer)
    assert syncs_of(console, page) == []
    with console.api.read() as connection:
        mine = events.c.therapist_id == page.rpartition("/")[2]
        pressed = select(func.count()).where(mine, events.c.name == "sync.requested")
        assert connection.execute(pressed).scalar_one() == 0


def test_who_has_not_signed_in_is_asked_to_and_comes_back(console: Console) -> None:
    answer = console.get("/therapists?state=held", None)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=%2Ftherapists%3Fstate%3Dheld",
    )
