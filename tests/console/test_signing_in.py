"""Signing in over real HTTP: links, passwords, cookies, sessions, slowing down; on both databases."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from credsync.core.people import Role
from credsync.store import audit, people, set_up_links
from credsync.store.people_tables import people as people_table
from credsync.store.people_tables import sessions as sessions_table
from credsync.web.console.hashing import Hashing
from credsync.web.console.own_path import own_path
from credsync.web.console.session_door import SessionDoor
from tests.console.service import CHEAP, Console, serving_console, text_of

PASSWORD = "four plain words here"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def place(database_url: str) -> Iterator[Console]:
    """A console that nobody can sign in to yet."""
    with serving_console(database_url, door=SessionDoor) as console:
        yield console


@pytest.fixture
def one_place(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Console]:
    """The same on SQLite alone."""
    path = tmp_path / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    with serving_console(f"sqlite:///{path}", door=SessionDoor) as console:
        yield console


class Browser:
    """Somebody's browser: keeps cookies, and sends forms as pages do."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.http = httpx2.Client(base_url=console.url, headers={"Accept": "text/html"}, timeout=30)

    def get(self, path: str) -> httpx2.Response:
        return self.http.get(path)

    def press(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form with the token of the session, read from a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/sessions").text)
        csrf = {"csrf": found[1]} if found else {}
        return self.http.post(path, data={**csrf, **fields}, headers={"Origin": self.console.url})

    def sign_in(self, email: str, password: str = PASSWORD, back: str = "") -> httpx2.Response:
        fields = {"email": email, "password": password, "next": back}
        return self.http.post("/sign-in", data=fields, headers={"Origin": self.console.url})

    def set_up(self, secret: str, email: str = "", password: str = PASSWORD) -> httpx2.Response:
        fields = {"email": email, "password": password, "again": password}
        return self.http.post(f"/set-up/{secret}", data=fields, headers={"Origin": self.console.url})

    @property
    def signed_in(self) -> bool:
        return self.get("/sessions").status_code == 200


@pytest.fixture
def browsers() -> Iterator[list[Browser]]:
    """Those that are to be closed."""
    opened: list[Browser] = []
    yield opened
    for each in opened:
        each.http.close()


def somebody(console: Console, browsers: list[Browser]) -> Browser:
    browsers.append(Browser(console))
    return browsers[-1]


def first_link(console: Console) -> str:
    with console.api.database.write() as connection:
        secret = set_up_links.make_first_link(connection, console.api.clock.now())
    assert secret
    return secret


def let_in(console: Console, browsers: list[Browser], email: str, role: Role = Role.SUCCESS) -> Browser:
    """Somebody who has chosen a password by a link, and is signed in."""
    now = console.api.clock.now()
    with console.api.database.write() as connection:
        person = people.add_person(connection, email, role, "cli:test", now)
        secret = set_up_links.make_link(connection, person, "cli:test", now)
    browser = somebody(console, browsers)
    assert browser.set_up(secret).status_code == 303
    return browser


def acts(console: Console) -> list[str]:
    with console.api.read() as connection:
        assert audit.verify(connection).broken is None
        return [row.entry.act for row in reversed(audit.page(connection, limit=100))]


def test_the_first_link_makes_the_first_admin_once(place: Console, browsers: list[Browser]) -> None:
    """There is no default account: whoever has the link chooses address and password, and the link is used up."""
    secret, browser = first_link(place), somebody(place, browsers)
    assert browser.sign_in("admin@example.org", "admin").status_code == 403
    for _ in range(2):
        assert "first admin" in text_of(browser.get(f"/set-up/{secret}"))
    assert browser.set_up(secret, "Ada@Example.org").status_code == 303
    assert "admin" in text_of(browser.get("/people"))
    again = somebody(place, browsers)
    assert again.get(f"/set-up/{secret}").status_code == 410
    assert again.set_up(secret, "eve@example.org").status_code == 410
    with place.api.read() as connection:
        [only] = people.everybody(connection)
    assert (only.email, only.role) == ("ada@example.org", Role.ADMIN)
    assert acts(place) == ["person.added", "person.password_set", "session.opened"]
    assert PASSWORD not in str(place.api.rows())
    assert secret not in str(place.api.rows())


@pytest.mark.parametrize(
    ("email", "password", "again", "says"),
    [
        ("ada@example.org", "a" * 14, "a" * 14, "at least 15"),
        ("ada@example.org", "a" * 129, "a" * 129, "at most 128"),
        ("ada.example@example.org", "Ada.Example@example.org", None, "must not be the e-mail address"),
        ("ada@example.org", PASSWORD, "another of 15 letters", "not the same"),
        ("ada", PASSWORD, PASSWORD, "An e-mail address is expected"),
    ],
)
def test_a_password_that_cannot_be_taken_says_why_and_uses_nothing_up(
    one_place: Console, browsers: list[Browser], email: str, password: str, again: str | None, says: str
) -> None:
    """The link still holds, and the address need not be typed anew."""
    secret, browser = first_link(one_place), somebody(one_place, browsers)
    fields = {"email": email, "password": password, "again": password if again is None else again}
    answer = browser.http.post(f"/set-up/{secret}", data=fields, headers={"Origin": one_place.url})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert f'value="{email}"' in answer.text
    assert password not in answer.text
    assert browser.set_up(secret, "ada@example.org").status_code == 303


def test_a_session_is_one_cookie_that_no_script_reads(one_place: Console, browsers: list[Browser]) -> None:
    """HttpOnly, SameSite=Lax, for the whole address, and its text is nowhere in the database."""
    browser = let_in(one_place, browsers, "ada@example.org")
    answer = somebody(one_place, browsers).sign_in("ada@example.org")
    [cookie] = answer.headers.get_list("set-cookie")
    name, _, rest = cookie.partition("=")
    assert name == "credsync"
    assert {part.strip() for part in rest.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=lax"}
    assert rest.partition(";")[0] not in str(one_place.api.rows())
    assert len(rest.partition(";")[0]) >= 43, "256 bits"
    assert browser.signed_in


def test_over_tls_the_cookie_is_of_this_host_alone(migrated_sqlite: Path, tmp_path: Path) -> None:
    """`__Host-`, Secure; the one without the prefix is not taken."""
    path = tmp_path / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    public = "https://credsync.example.org"
    with serving_console(f"sqlite:///{path}", door=SessionDoor, public_url=public) as console:
        secret = first_link(console)
        with httpx2.Client(base_url=console.url) as http:
            fields = {"email": "ada@example.org", "password": PASSWORD, "again": PASSWORD}
            answer = http.post(f"/set-up/{secret}", data=fields, headers={"Origin": public})
            assert answer.status_code == 303, answer.text
            [cookie] = answer.headers.get_list("set-cookie")
            name, _, rest = cookie.partition("=")
            assert name == "__Host-credsync"
            assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in rest.split(";")}
            assert "Domain" not in rest
            value = rest.partition(";")[0]
            assert http.get("/sessions", headers={"Cookie": f"__Host-credsync={value}"}).status_code == 200
            assert http.get("/sessions", headers={"Cookie": f"credsync={value}"}).status_code == 303


def test_a_password_lets_its_person_in_and_no_other_does(place: Console, browsers: list[Browser]) -> None:
    """Whatever is wrong, the same sentence; then back to the page that was asked for."""
    let_in(place, browsers, "ada@example.org")
    browser = somebody(place, browsers)
    for email, password in (("ada@example.org", PASSWORD + "x"), ("bob@example.org", PASSWORD), ("", "")):
        answer = browser.sign_in(email, password)
        assert answer.status_code == 403
        assert "The e-mail address or the password is not right." in text_of(answer)
        assert "set-cookie" not in answer.headers
    assert not browser.signed_in
    answer = browser.sign_in(" ADA@example.org", back="/therapists?state=held")
    assert (answer.status_code, answer.headers["location"]) == (303, "/therapists?state=held")
    assert browser.signed_in
    assert browser.get("/sign-in?next=/alerts").headers["location"] == "/alerts"


def test_an_accent_typed_apart_is_the_same_password(one_place: Console, browsers: list[Browser]) -> None:
    """Another keyboard, another Unicode form."""
    secret = first_link(one_place)
    somebody(one_place, browsers).set_up(secret, "ada@example.org", "e\u0301le\u0300ve" * 3 + "abc")
    answer = somebody(one_place, browsers).sign_in("ada@example.org", "\u00e9l\u00e8ve" * 3 + "abc")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http:evil",
        "/ x\r\nSet-Cookie: a=b",
        "",
        "/sign-in",
        "therapists",
        "//[",
    ],
)
def test_nobody_is_sent_to_another_site(asked: str) -> None:
    """`next` is a path of this service, or it is the first page."""
    assert own_path(asked) == "/"
    assert own_path("/therapists/x?state=held&q=a%20b") == "/therapists/x?state=held&q=a%20b"


def test_signing_in_again_is_another_session_and_the_one_before_ends(
    place: Console, browsers: list[Browser]
) -> None:
    """What somebody else may have put into the browser is worth nothing after signing in."""
    let_in(place, browsers, "ada@example.org")
    browser = somebody(place, browsers)
    browser.sign_in("ada@example.org")
    first = browser.http.cookies["credsync"]
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get("/sessions").text)
    assert csrf
    fields = {"email": "ada@example.org", "password": PASSWORD, "csrf": csrf[1]}
    browser.http.post("/sign-in", data=fields, headers={"Origin": place.url})
    second = browser.http.cookies["credsync"]
    assert first != second
    assert browser.signed_in
    other = somebody(place, browsers)
    other.http.cookies.set("credsync", first)
    assert not other.signed_in
    planted = somebody(place, browsers)
    planted.http.cookies.set("credsync", "planted")
    planted.sign_in("ada@example.org")
    with place.api.read() as connection:
        assert "planted" not in str(connection.execute(select(sessions_table)).all())


def test_signing_out_ends_the_session_everywhere(place: Console, browsers: list[Browser]) -> None:
    """A copy of the cookie is worth nothing afterwards."""
    browser = let_in(place, browsers, "ada@example.org")
    thief = somebody(place, browsers)
    thief.http.cookies.set("credsync", browser.http.cookies["credsync"])
    assert thief.signed_in
    assert browser.press("/sign-out").headers["location"] == "/sign-in"
    assert not browser.signed_in
    assert not thief.signed_in
    assert acts(place)[-1] == "session.ended"


def test_a_session_lasts_while_it_is_used_and_twelve_hours_at_most(
    place: Console, browsers: list[Browser]
) -> None:
    """Half an hour unused ends it; that it is used is written once a minute at most."""
    browser = let_in(place, browsers, "ada@example.org")
    opened = place.api.clock.now()

    def seen() -> list[object]:
        with place.api.read() as connection:
            return list(connection.execute(select(sessions_table.c.seen_at)).scalars())

    before = seen()
    place.api.clock.ahead = timedelta(seconds=50)
    assert browser.signed_in
    assert seen() == before
    for minutes in range(29, 12 * 60, 29):
        place.api.clock.ahead = minutes * MINUTE
        assert browser.signed_in, minutes
    assert seen() != before
    place.api.clock.ahead = 12 * HOUR
    assert place.api.clock.now() - opened >= 12 * HOUR
    assert not browser.signed_in
    browser.sign_in("ada@example.org")
    assert browser.signed_in
    place.api.clock.ahead = 12 * HOUR + 31 * MINUTE
    assert not browser.signed_in


def test_guessing_is_slowed_down_and_the_owner_is_never_shut_out(
    place: Console, browsers: list[Browser]
) -> None:
    """After five failures one waits; who signed in from an address before is not held up by a stranger's guesses."""
    let_in(place, browsers, "ada@example.org")
    with place.api.database.write() as connection:
        connection.execute(update(sessions_table).values(address="192.0.2.9"))
    stranger = somebody(place, browsers)
    answers = [stranger.sign_in("ada@example.org", "a wrong password x") for _ in range(6)]
    assert [each.status_code for each in answers] == [403] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert "Wait 1 s" in text_of(answers[-1])
    assert stranger.sign_in("ada@example.org").status_code == 429, "the right one too, for a second"
    place.api.clock.ahead = timedelta(seconds=2)
    assert stranger.sign_in("ada@example.org", "a wrong password x").status_code == 403
    with place.api.database.write() as connection:
        connection.execute(update(sessions_table).values(address="127.0.0.1"))
    assert somebody(place, browsers).sign_in("ada@example.org").status_code == 303


def test_guessing_at_many_is_slowed_down_by_address(place: Console, browsers: list[Browser]) -> None:
    """One guess at each of thirty: from the twenty-first on one waits, whether they are known here or not."""
    stranger = somebody(place, browsers)
    answers = [stranger.sign_in(f"{n}@example.org") for n in range(22)]
    assert [each.status_code for each in answers] == [403] * 20 + [429] * 2


def test_a_disabled_person_is_out_at_once(place: Console, browsers: list[Browser]) -> None:
    """The session ends, the password is wrong, and a link of before is void."""
    admin = let_in(place, browsers, "admin@example.org", Role.ADMIN)
    ada = let_in(place, browsers, "ada@example.org")
    with place.api.read() as connection:
        person = people.person_of(connection, "ada@example.org")
    assert person
    shown = admin.press(f"/people/{person.id}/link")
    link = re.search(r"/set-up/([\w-]+)", shown.text)
    assert link
    assert admin.press(f"/people/{person.id}/disable").status_code == 303
    assert not ada.signed_in
    assert ada.sign_in("ada@example.org").status_code == 403
    assert ada.set_up(link[1]).status_code == 410
    assert admin.press(f"/people/{person.id}/link").status_code == 409
    assert admin.press(f"/people/{person.id}/enable").status_code == 303
    assert ada.sign_in("ada@example.org").status_code == 303


def test_an_admin_lets_people_in_and_changes_what_they_may(place: Console, browsers: list[Browser]) -> None:
    """The link is shown once; a role holds from the next click on; everything is in the audit, whole."""
    admin = let_in(place, browsers, "admin@example.org", Role.ADMIN)
    shown = admin.press("/people", email="Bob@example.org", role="viewer")
    link = re.search(rf'value="{place.url}/set-up/([\w-]+)"', shown.text)
    assert link, shown.text
    assert admin.press("/people", email="bob@example.org", role="viewer").status_code == 409
    assert admin.press("/people", email="bob", role="viewer").status_code == 422
    assert admin.press("/people", email="eve@example.org", role="king").status_code == 422
    bob = somebody(place, browsers)
    assert bob.set_up(link[1]).status_code == 303
    assert bob.get("/people").status_code == 403
    with place.api.read() as connection:
        person = people.person_of(connection, "bob@example.org")
        me = people.person_of(connection, "admin@example.org")
    assert person
    assert me
    assert link[1] not in admin.get(f"/people/{person.id}").text
    refused = admin.press(f"/people/{me.id}/role", role="viewer")
    assert refused.status_code == 409
    assert "last admin" in text_of(refused)
    assert admin.press(f"/people/{me.id}/disable").status_code == 409
    assert admin.press(f"/people/{person.id}/role", role="admin").status_code == 303
    assert bob.get("/people").status_code == 200
    assert admin.press(f"/people/{me.id}/role", role="viewer").status_code == 303
    assert admin.get("/people").status_code == 403
    with place.api.read() as connection:
        rows = audit.page(connection, limit=2)
    assert [(row.entry.who, row.entry.act, row.entry.whom) for row in rows] == [
        ("person:admin@example.org", "person.role_changed", "admin@example.org"),
        ("person:admin@example.org", "person.role_changed", "bob@example.org"),
    ]
    assert "bob@example.org" in text_of(bob.get("/audit"))
    assert "lines hold" in text_of(bob.get("/audit?verify=yes"))
    assert bob.get("/audit?before=x").status_code == 400
    only = text_of(bob.get("/audit?kind=person&whom=bob@example.org"))
    assert "person.password_set" in only
    assert only.count("person.added") == 1


def test_sessions_are_listed_and_each_can_be_ended(place: Console, browsers: list[Browser]) -> None:
    """One's own by everybody, others' by an admin alone."""
    admin = let_in(place, browsers, "admin@example.org", Role.ADMIN)
    ada, elsewhere = let_in(place, browsers, "ada@example.org"), somebody(place, browsers)
    bob = let_in(place, browsers, "bob@example.org")
    elsewhere.http.headers["user-agent"] = "Elsewhere <b>1.0</b>"
    elsewhere.sign_in("ada@example.org")
    listed = ada.get("/sessions").text
    assert "Elsewhere &lt;b&gt;1.0" in listed
    ids = re.findall(r"/sessions/(\d+)/end", listed)
    assert len(ids) == 2
    assert bob.press(f"/sessions/{ids[0]}/end").status_code == 404
    assert elsewhere.signed_in
    assert ada.press(f"/sessions/{ids[0]}/end").headers["location"] == "/sessions"
    assert not elsewhere.signed_in
    assert ada.signed_in
    assert ada.press(f"/sessions/{ids[0]}/end").status_code == 404
    assert admin.press(f"/sessions/{ids[1]}/end").headers["location"].startswith("/people/")
    assert not ada.signed_in
    assert acts(place)[-2:] == ["session.revoked", "session.revoked"]


def test_a_password_hashed_at_another_cost_is_hashed_anew(place: Console, browsers: list[Browser]) -> None:
    """When it is next typed."""
    let_in(place, browsers, "ada@example.org")
    other = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    with place.api.database.write() as connection:
        connection.execute(update(people_table).values(password_hash=other.hash(PASSWORD)))
    assert somebody(place, browsers).sign_in("ada@example.org").status_code == 303
    with place.api.read() as connection:
        kept = connection.execute(select(people_table.c.password_hash)).scalar_one()
    assert not CHEAP.check_needs_rehash(kept)
    assert somebody(place, browsers).sign_in("ada@example.org").status_code == 303


@pytest.mark.anyio
async def test_without_a_password_the_comparison_is_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unknown address takes as long as a known one: the same work at the same cost, and never fits."""
    hashing = Hashing(CHEAP)
    kept = await hashing.hash(PASSWORD)
    compared: list[str] = []
    verify = type(CHEAP).verify

    def counting(self: object, hashed: str, password: str) -> bool:
        compared.append(hashed)
        return bool(verify(CHEAP, hashed, password))

    monkeypatch.setattr(type(CHEAP), "verify", counting)
    assert await hashing.fits(kept, PASSWORD)
    assert not await hashing.fits(None, PASSWORD)
    known, nobodys = compared
    assert nobodys.split("$")[:4] == known.split("$")[:4]
    assert [len(part) for part in nobodys.split("$")] == [len(part) for part in known.split("$")]
