"""Every page, by everybody: each role and nobody, generated from the list of pages."""

from __future__ import annotations

from typing import Final

import httpx2
import pytest

from credsync.core.people import Role, may, role_for
from credsync.store.tables import metadata
from credsync.web.console.pages import PAGES, Page
from tests.console.service import CSRF, Console, text_of

NOBODY: Final = None
EVERYBODY: Final = (*Role, NOBODY)
_IN_ADDRESSES: Final = {
    "uuid": "11111111-1111-4111-8111-111111111111",
    "slot": "credentialing_active_attested",
    "portal": "alpha",
    "name": "alpha",
    "id": "987654321",
    "token": "no-such-link",
}
"""Somebody and something that there is not: whether one may is told before that."""


def asked(console: Console, page: Page, role: Role | None, **form: str) -> httpx2.Response:
    """The page, asked for by somebody of a role, as a page of the console would."""
    client = console.as_(role.value if role else None)
    address = page.path.format(**_IN_ADDRESSES)
    if page.method == "GET":
        with client.stream("GET", address) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
        return answer
    return client.post(address, data={"csrf": CSRF, **form}, headers={"Origin": console.url})


def rows(console: Console) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: console.api.count(table) for table in metadata.sorted_tables}


def named(page: Page) -> str:
    return f"{page.method} {page.path}"


@pytest.mark.parametrize("role", EVERYBODY, ids=lambda r: r.value if r else "nobody")
@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_page_is_for_those_who_may_and_for_nobody_else(
    console: Console, page: Page, role: Role | None
) -> None:
    """Each route, each role and no login: let in, told who can, or asked to sign in; the refused change nothing."""
    before = rows(console)
    answer = asked(console, page, role)
    if page.act is None or (role is not None and may(role, page.act)):
        assert answer.status_code != 403 or "this needs" not in text_of(answer)
        assert not answer.headers.get("location", "").startswith("/sign-in?next=")
        assert answer.status_code < 500, answer.text
        return
    if role is None:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    else:
        assert answer.status_code == 403
        assert f"this needs {role_for(page.act).value}" in text_of(answer)
    assert rows(console) == before


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=named)
def test_no_press_is_taken_from_another_site_or_without_the_sessions_token(
    console: Console, page: Page
) -> None:
    """Whoever presses, also before anybody has signed in."""
    before = rows(console)
    address = page.path.format(**_IN_ADDRESSES)
    for role in (Role.ADMIN.value, None):
        for headers, token in (
            ({"Origin": "https://elsewhere.example"}, CSRF),
            ({"Origin": "null"}, CSRF),
            ({"Sec-Fetch-Site": "cross-site"}, CSRF),
            ({"Origin": console.url}, "another" if role else None),
        ):
            if token is None:
                continue
            answer = console.as_(role).post(address, data={"csrf": token}, headers=headers)
            assert answer.status_code == 403, (role, headers)
    assert rows(console) == before


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_each_answer_has_the_headers_that_keep_it_to_itself(console: Console, page: Page) -> None:
    """Nothing is kept by anybody in between, framed, sniffed, or told to other sites."""
    for role in EVERYBODY:
        headers = asked(console, page, role).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
