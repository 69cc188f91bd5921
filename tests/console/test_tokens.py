"""Tokens on their page: made and shown once, used, listed without their secret, revoked."""

from __future__ import annotations

import re
from uuid import uuid4

import httpx2
import pytest

from credsync.web.api.auth import REMEMBERED
from tests.console.service import Console, text_of


def made(console: Console, *scopes: str) -> tuple[str, str]:
    """A token's name, and the token."""
    name = f"backend {uuid4()}"
    answer = console.as_("admin").post(
        "/tokens",
        data={"csrf": console.csrf, "name": name, "scope": list(scopes)},
        headers={"Origin": console.url},
    )
    assert answer.status_code == 200
    shown = re.search(r'value="(credsync_[^"]+)"', answer.text)
    assert shown is not None
    return name, shown[1]


def test_a_token_is_shown_once_and_works_until_it_is_revoked(console: Console) -> None:
    """A token is shown once, when it is made, and works until it is revoked."""
    name, token = made(console, "read")
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{console.api.url}/v1/today"
    assert httpx2.get(address, headers=headers).status_code == 200
    listed = console.get("/tokens", "admin")
    assert name in listed.text
    assert token not in listed.text
    assert console.press("/tokens/revoke", "admin", name=name).status_code == 303
    console.api.clock.ahead += REMEMBERED
    assert httpx2.get(address, headers=headers).status_code == 401
    console.api.clock.ahead -= REMEMBERED
    assert name not in console.get("/tokens", "admin").text


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"name": "backend"}, 422, "one thing at least"),
        ({"name": "backend", "scope": "everything"}, 422, "one thing at least"),
        ({"name": "", "scope": "read"}, 422, "printable characters"),
        ({"name": "admin-token", "scope": "read"}, 409, "exists already"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(
    console: Console, fields: dict[str, str], status: int, says: str
) -> None:
    answer = console.press("/tokens", "admin", **fields)
    assert answer.status_code == status
    assert says in text_of(answer)


def test_revoking_what_there_is_not_says_where_to_look(console: Console) -> None:
    answer = console.press("/tokens/revoke", "admin", name="nobody's")
    assert answer.status_code == 404
    assert "Look at the list of tokens" in text_of(answer)
