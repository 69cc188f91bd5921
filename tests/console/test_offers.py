"""What pages offer: each role sees every button it may press, and none it may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.routing import compile_path

from credsync.core.people import Role, may
from credsync.store.people import add_person
from credsync.web.console.pages import PAGES, Page
from tests.api.service import contact
from tests.api.test_choosing import SLOT, ambiguous
from tests.console.lively import serving_lively_console
from tests.console.service import Console

Offer = tuple[str, str]
"""Method and path."""
_ROUTES = [(page, compile_path(page.path)[0]) for page in PAGES]
_NOT_OF_ROLES = {"sign_in", "sign_in_page", "sign_in_elsewhere", "come_back", "set_up", "set_up_page"}


class Offers(HTMLParser):
    """Every form and every link of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[Offer] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in a form or a link."""
        told = dict(attrs)
        if tag == "form":
            self.found.add(((told.get("method") or "get").upper(), told.get("action") or ""))
        elif tag == "a" and (told.get("href") or "").startswith("/"):
            self.found.add(("GET", re.split(r"[?#]", told["href"] or "")[0]))


@pytest.fixture(scope="module")
def places(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Console, list[str]]]:
    """A lively console, and the addresses of every page of it that holds buttons."""
    with serving_lively_console(migrated_sqlite, tmp_path_factory.mktemp("offers")) as (console, therapists):
        torn = console.therapist(contact_id=contact())
        ambiguous(console.api, torn, "801", "802")
        now = console.api.clock.now()
        with console.api.database.write() as connection:
            people = [add_person(connection, f"{n}@example.org", Role.VIEWER, "a test", now) for n in "ab"]
            connection.exec_driver_sql("UPDATE people SET disabled_at = created_at WHERE id = 2")
            alerts = [row.id for row in connection.exec_driver_sql("SELECT id FROM alerts")]
        addresses = ["/", "/therapists", "/workflows", f"/workflows/alpha/{SLOT}", "/alerts", "/settings"]
        addresses += ["/people", "/tokens", "/audit", "/sessions", torn, f"{torn}/sync", f"{torn}/report"]
        addresses += [f"{torn}/links/{SLOT}", therapists[0], *(f"/people/{each.id}" for each in people)]
        addresses += [f"/alerts/{each}{more}" for each in alerts for more in ("", "/sync")]
        yield console, addresses


def offered(places: tuple[Console, list[str]], role: Role) -> set[Offer]:
    """Everything that any page which the role may open offers."""
    console, addresses = places
    offers = Offers()
    for address in addresses:
        page = console.get(address, role.value)
        assert page.status_code < 500, address
        offers.feed(page.text)
    return offers.found


def page_of(offer: Offer) -> Page | None:
    method, path = offer
    return next((page for page, found in _ROUTES if page.method == method and found.match(path)), None)


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_the_buttons_it_may_press_and_no_other(
    places: tuple[Console, list[str]], role: Role
) -> None:
    """Nobody is offered what would be refused, and nothing one may do is without its button."""
    offers = offered(places, role)
    assert {offer for offer in offers if page_of(offer) is None} <= {("GET", "/docs")}
    pages = {page for offer in offers if (page := page_of(offer)) is not None}
    assert [page.path for page in pages if page.act is not None and not may(role, page.act)] == []
    pressable = {
        page
        for page in PAGES
        if page.method == "POST"
        and page.handler not in _NOT_OF_ROLES
        and (page.act is None or may(role, page.act))
    }
    shown_to_sessions_alone = {"end_session"}
    assert {page.handler for page in pressable - pages} <= shown_to_sessions_alone
