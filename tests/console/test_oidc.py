"""Signing in at an OpenID Connect provider: a real one on loopback, which a test lets lie in every way there is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from credsync.core.people import Role
from credsync.store import audit, people
from credsync.web.console.provider import Oidc
from credsync.web.console.session_door import SessionDoor
from tests.console.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, oidc_provider, secret_key
from tests.console.service import Console, serving_console, text_of

GROUPS = {"credsync-viewers": Role.VIEWER, "credsync-success": Role.SUCCESS, "credsync-admins": Role.ADMIN}


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider() as running:
        yield running


@pytest.fixture
def place(database_url: str, provider: OidcProvider) -> Iterator[Console]:
    """A console where one may sign in there."""
    oidc = Oidc(provider.url, CLIENT_ID, CLIENT_SECRET, GROUPS)
    with serving_console(database_url, door=SessionDoor, oidc=oidc) as console:
        yield console


@pytest.fixture
def browser(place: Console) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=place.url, headers={"Accept": "text/html"}, timeout=30) as http:
        yield http


def there(browser: httpx2.Client, back: str = "") -> httpx2.Response:
    """To the provider; gives its answer, which leads back."""
    answer = browser.get("/sign-in/elsewhere", params={"next": back})
    assert answer.status_code == 303, text_of(answer)
    return browser.get(answer.headers["location"])


def signed_in(browser: httpx2.Client, back: str = "") -> httpx2.Response:
    """There and back; gives the console's answer."""
    return browser.get(there(browser, back).headers["location"])


def person(place: Console, email: str = "ada@example.org") -> people.Person | None:
    with place.api.read() as connection:
        return people.person_of(connection, email)


def test_whoever_the_provider_knows_is_signed_in_with_the_role_of_their_groups(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """There and back to the page that was asked for; the same person again, with the groups of now."""
    assert "/sign-in/elsewhere?next=/alerts" in browser.get("/sign-in?next=/alerts").text
    answer = signed_in(browser, "/alerts")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert "success" in text_of(browser.get("/sessions"))
    first = person(place)
    assert first is not None
    assert (first.role, first.issuer, first.set_up) == (Role.SUCCESS, provider.url, True)
    [asked] = provider.asked
    assert asked["redirect_uri"] == f"{place.url}/sign-in/back"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    provider.claims = {"groups": ["other", "credsync-viewers", "credsync-admins"], "email": "new@example.org"}
    assert signed_in(browser).status_code == 303
    again = person(place)
    assert again is not None
    assert (again.id, again.role) == (first.id, Role.ADMIN)
    assert person(place, "new@example.org") is None
    with place.api.read() as connection:
        assert audit.verify(connection).broken is None
        acts = [row.entry.act for row in reversed(audit.page(connection, limit=9))]
    assert acts == [
        "person.added",
        "session.opened",
        "person.role_changed",
        "session.ended",
        "session.opened",
    ]
    assert "Give this role" not in browser.get(f"/people/{again.id}").text


def test_by_the_form_where_the_provider_takes_no_other(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """`client_secret_post`."""
    provider.hidden_methods = ["client_secret_post"]
    assert signed_in(browser).status_code == 303
    assert person(place)


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "an issuer with a slash": lambda claims: {**claims, "iss": claims["iss"] + "/"},
    "no issuer": _without("iss"),
    "another client": lambda claims: {**claims, "aud": "another"},
    "another client beside, and by it": lambda claims: {**claims, "aud": [CLIENT_ID, "b"], "azp": "b"},
    "another audience, to our use": lambda claims: {**claims, "aud": ["a", "b"], "azp": CLIENT_ID},
    "no audience": _without("aud"),
    "too old": lambda claims: {**claims, "exp": int(time.time()) - 120},
    "no end": _without("exp"),
    "of the future": lambda claims: {**claims, "iat": int(time.time()) + 600},
    "another nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": _without("nonce"),
    "nobody": _without("sub"),
    "no name": lambda claims: {**claims, "sub": 7},
    "another access token": lambda claims: {**claims, "at_hash": "x" * 22},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(
    place: Console, provider: OidcProvider, browser: httpx2.Client, lie: str
) -> None:
    """Whatever of it is wrong."""
    provider.lie = LIES[lie]
    answer = signed_in(browser)
    assert answer.status_code == 502
    assert "Nobody was signed in" in text_of(answer)
    assert person(place) is None
    assert browser.get("/sessions").status_code == 303


def test_a_token_signed_by_another_lets_nobody_in(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """By another key of the same name, and by the secret that the client has too."""
    provider.signed_by = RSAKey.generate_key(2048, {"kid": "first"})
    assert signed_in(browser).status_code == 502
    provider.signed_by, provider.algorithm = secret_key(), "HS256"
    assert signed_in(browser).status_code == 502
    provider.signed_by, provider.algorithm = None, "RS256"
    assert signed_in(browser).status_code == 303


def test_a_new_key_of_the_provider_is_found(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """One attempt is refused at most."""
    assert signed_in(browser).status_code == 303
    provider.key = RSAKey.generate_key(2048, {"kid": "first"})
    signed_in(browser)
    assert signed_in(browser).status_code == 303


def test_a_provider_that_calls_itself_otherwise_is_not_asked(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """The issuer is the one that is set, to the letter."""
    provider.issuer = f"{provider.url}/"
    answer = browser.get("/sign-in/elsewhere")
    assert answer.status_code == 502
    assert provider.asked == []


def test_an_answer_counts_in_the_browser_that_asked_and_once(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """State and PKCE: neither another browser, nor another state, nor a code used before."""
    back = there(browser).headers["location"]
    with httpx2.Client(base_url=place.url) as other:
        assert other.get(back).status_code == 403
        assert other.get("/sign-in/elsewhere").status_code == 303
        assert other.get(back).status_code == 403, "its own state is another"
        other.cookies.clear()
    wrong = re.sub(r"state=[^&]+", "state=another", back)
    assert browser.get(wrong).status_code == 403
    assert browser.get(back.partition("&state")[0]).status_code == 403
    assert browser.get(f"{back}&iss=https://evil.example").status_code == 403
    assert person(place) is None
    with httpx2.Client(base_url=place.url) as thief:
        begun = thief.get("/sign-in/elsewhere")
        mine = re.search(r"state=([^&]+)", begun.headers["location"])
        assert mine
        stolen = re.sub(r"state=[^&]+", f"state={mine[1]}", back)
        assert thief.get(stolen).status_code == 502, "the code is bound to the first one's verifier"
    assert person(place) is None
    back = there(browser).headers["location"]
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403


@pytest.mark.parametrize(
    ("claims", "status", "says"),
    [
        ({"groups": ["other"]}, 403, "None of your groups"),
        ({"groups": None}, 403, "None of your groups"),
        ({"groups": [["credsync-admins"], {"a": 1}]}, 403, "None of your groups"),
        ({"email_verified": False}, 403, "no verified e-mail address"),
        ({"email": None}, 403, "no verified e-mail address"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    place: Console,
    provider: OidcProvider,
    browser: httpx2.Client,
    claims: dict[str, Any],
    status: int,
    says: str,
) -> None:
    """And what to do."""
    provider.claims = claims
    answer = signed_in(browser)
    assert answer.status_code == status
    assert says in text_of(answer)
    assert person(place) is None


def test_a_provider_that_says_no_is_told(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    provider.error = "access_denied"
    answer = signed_in(browser)
    assert answer.status_code == 403
    assert "did not let you in" in text_of(answer)


def test_nobody_becomes_another_person_by_an_address(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """A person is issuer and subject; one with a password, or another subject, keeps their address to themselves."""
    now = place.api.clock.now()
    with place.api.database.write() as connection:
        people.add_person(connection, "ada@example.org", Role.ADMIN, "cli:test", now)
    answer = signed_in(browser)
    assert answer.status_code == 403
    assert "by a password" in text_of(answer)
    provider.claims = {"email": "bob@example.org"}
    assert signed_in(browser).status_code == 303
    provider.subject = "sub-2"
    assert signed_in(browser).status_code == 403


def test_who_was_disabled_here_stays_out(
    place: Console, provider: OidcProvider, browser: httpx2.Client
) -> None:
    """Whatever the provider says."""
    assert signed_in(browser).status_code == 303
    known = person(place)
    assert known
    with place.api.database.write() as connection:
        people.disable(connection, known, "cli:test", place.api.clock.now(), anyway=True)
    answer = signed_in(browser)
    assert answer.status_code == 403
    assert "disabled you" in text_of(answer)
    assert browser.get("/sessions").status_code == 303


def test_without_a_provider_there_is_a_password_alone(console: Console) -> None:
    assert console.get("/sign-in/elsewhere", None).status_code == 404
    assert "/sign-in/elsewhere" not in console.get("/sign-in", None).text
