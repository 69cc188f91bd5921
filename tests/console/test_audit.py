"""Every press leaves a line in the audit: who, what, to whom and why."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import delete

from credsync.core.people import Role
from credsync.store import audit, people
from credsync.store.database import insert_row
from credsync.store.people import Person
from credsync.store.tables import alerts, links
from credsync.web.console.pages import PAGES, Page
from tests.api.service import contact
from tests.api.test_alerts import SLOT as LATE
from tests.api.test_alerts import row_of
from tests.api.test_choosing import SLOT, ambiguous
from tests.console.service import CSRF, Console

_ELSEWHERE = ("/sign-in", "/sign-out", "/set-up/{token}", "/sessions/{id}/end", "/language")
"""Pressed in test_signing_in, by somebody with a session; the language is the browser's own affair."""
PRESSES = [page for page in PAGES if page.method == "POST" and page.path not in _ELSEWHERE]


def lines(console: Console) -> list[audit.Entry]:
    """Every line, oldest first; the chain holds."""
    with console.api.read() as connection:
        assert audit.verify(connection).broken is None
        return [row.entry for row in reversed(audit.page(connection, limit=10_000))]


def somebody(console: Console, *, disabled: bool) -> Person:
    """Somebody there is another admin beside."""
    now = console.api.clock.now()
    with console.api.database.write() as connection:
        made = people.add_person(connection, f"{uuid4()}@example.org", Role.VIEWER, "cli:test", now)
        if disabled:
            people.disable(connection, made, "cli:test", now)
    return made


def ready(console: Console, page: Page) -> tuple[str, str, dict[str, str]]:
    """The address of a press that changes something, to whom it is done, and the form."""
    now = console.api.clock.now()
    if "{uuid}" in page.path:
        address = console.therapist(contact_id=contact())
        record = contact()
        ambiguous(console.api, address, record, contact())
        who = address.rpartition("/")[2]
        fields = {"reason": "on the phone", "text": "words", "record_id": record}
        return page.path.replace("{uuid}", who).replace("{slot}", SLOT), who, fields
    if page.path.startswith("/tokens"):
        name = str(uuid4())
        if page.handler == "revoke_token":
            console.press("/tokens", "admin", name=name, scope="read")
        return page.path, name, {"name": name, "scope": "read"}
    if "{name}" in page.path:
        before = "resume" if page.handler == "pause" else "pause"
        console.press(page.path.replace("{name}", "beta").replace(page.handler, before), "admin", reason="x")
        return page.path.replace("{name}", "beta"), "beta", {"reason": "on the phone"}
    if page.path.startswith("/alerts"):
        therapist = console.therapist(contact_id=contact()).rpartition("/")[2]
        link = {
            "therapist_id": therapist,
            "slot": LATE,
            "portal": "alpha",
            "awaited": True,
            "awaited_since": now,
        }
        told = {
            "state": "awaited",
            "reason": "record_awaited",
            "candidates": [],
            "looks": 9,
            "overdue_since": now,
        }
        with console.api.database.write() as connection:
            connection.execute(links.insert(), {**link, **told})
            row = row_of(now, object="therapist_address", slot=LATE)
            alert = insert_row(connection, alerts, **row)
        whom = str(alert) if page.handler == "acknowledge" else therapist
        return page.path.replace("{id}", str(alert)), whom, {"therapist": therapist, "reason": "on the phone"}
    if "{id}" in page.path:
        made = somebody(console, disabled=page.handler == "enable_person")
        return page.path.replace("{id}", str(made.id)), made.email, {"role": "success"}
    email = f"{uuid4()}@example.org"
    return page.path, email, {"email": email, "role": "viewer"}


@pytest.fixture(autouse=True)
def nobody_late(console: Console) -> Iterator[None]:
    """Others find the console as they expect it."""
    yield
    with console.api.database.write() as connection:
        connection.execute(delete(alerts))
        connection.execute(delete(links).where(links.c.slot == LATE))


@pytest.mark.parametrize("page", PRESSES, ids=lambda p: p.path)
def test_each_press_leaves_a_line_with_who_to_whom_and_why(console: Console, page: Page) -> None:
    """In the act's own transaction; refused, it leaves none."""
    address, whom, fields = ready(console, page)
    before = len(lines(console))
    refused = console.as_("viewer").post(address, data=fields, headers={"Origin": console.url})
    assert refused.status_code == 403
    assert len(lines(console)) == before
    form = {"csrf": CSRF, **fields}
    answer = console.as_("admin").post(address, data=form, headers={"Origin": console.url})
    assert answer.status_code in (200, 303), answer.text
    new = lines(console)[before:]
    assert new
    assert {line.who for line in new} == {"person:admin@example.org"}
    assert {line.whom for line in new} == {whom}
    if page.handler in ("sync", "choose", "pause", "sync_all"):
        assert [line.why for line in new] == ["on the phone"]
