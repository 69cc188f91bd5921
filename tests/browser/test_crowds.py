"""Every page that therapists change the look of, with none, with one and with 10,000 of them, on the narrowest screen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import insert, select

from credsync.core.states import TherapistState
from credsync.store.database import Database
from credsync.store.tables import links, therapists
from tests.api.service import AT, contact
from tests.api.test_choosing import SLOT, ambiguous
from tests.browser.visit import Visit, serious_findings
from tests.console.service import Console, serving_console

PAGES = (
    "/",
    "/therapists",
    f"/therapists?state=waiting&reason=overdue&slot={SLOT}&portal=alpha&longer_than=1h",
    "/therapists?q=example",
    "/workflows",
    f"/workflows/alpha/{SLOT}",
    "/alerts",
    "/settings",
    "/audit",
)
OTHERS = ("/alerts", "/settings", "/audit", "/workflows", "/therapists?q=example")
"""Judged elsewhere: how many there are adds nothing to them that is not on the pages before."""
NARROW = {"width": 320, "height": 640}


@pytest.fixture(scope="module", params=[0, 1, 10_000])
def crowded(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Console, list[str]]]:
    """A console over so many therapists, and its pages."""
    path = tmp_path_factory.mktemp("crowd") / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    with serving_console(f"sqlite:///{path}") as console:
        pages = list(PAGES)
        if request.param:
            address = console.therapist(contact_id=contact(), name="Ada Example")
            ambiguous(console.api, address, "801", "802")
            console.api.post(f"/v1{address}/sign-ups", {"kind": "first", "occurred_at": AT})
            fill(console.api.database, request.param - 1)
            pages.append(address)
        yield console, pages


def fill(database: Database, more: int) -> None:
    """So many like the one who is there, of every state, late and of long names."""
    if not more:
        return
    with database.write() as connection:
        one = connection.execute(select(therapists)).mappings().one()
        link = connection.execute(select(links)).mappings().first()
        assert link is not None
        states = [each.value for each in TherapistState]
        ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(more)]
        since = one["state_since"]
        people = [
            {
                "id": each,
                "contact_id": f"77{number}",
                "name": f"Bartholomew-Maximilian Featherstonehaugh-Example {number}",
                "state": states[number % len(states)],
                "reason": "overdue",
                "state_since": since - timedelta(minutes=number),
            }
            for number, each in enumerate(ids)
        ]
        late = {"state": "awaited", "reason": "overdue", "overdue_since": since, "candidates": []}
        connection.execute(insert(therapists), [{**one, **each} for each in people])
        connection.execute(insert(links), [{**link, **late, "therapist_id": each} for each in ids])


def test_pages_hold_whether_nobody_somebody_or_very_many_are_known(
    browser: Browser, crowded: tuple[Console, list[str]]
) -> None:
    """Each opens, fits 320 pixels, breaks no policy, and has no serious fault of accessibility."""
    console, pages = crowded
    visit = Visit(browser, console)
    narrow, judged = visit.as_("admin", viewport=NARROW), visit.as_("admin", viewport=NARROW, bypass_csp=True)
    for address in pages:
        opened = narrow.goto(address)
        assert opened is not None
        assert opened.status == 200, address
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 320, address
        if address in OTHERS:
            continue
        judged.goto(address)
        assert serious_findings(judged) == [], address
    visit.end()
