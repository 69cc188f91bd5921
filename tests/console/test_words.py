"""Every text is there in every language, with the same names in it, and pages come in the language one reads."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import get_args

import anyio
import pytest
from starlette.requests import Request

from credsync.core.events import EventName
from credsync.core.forms import FormName
from credsync.core.links import LinkState
from credsync.core.people import Role
from credsync.core.portal import Awaited, Kind
from credsync.core.portal_file import parse_portal
from credsync.core.schedule import Policy
from credsync.core.states import TherapistState
from credsync.core.turn import Turn
from credsync.core.writes import WriteState
from credsync.operate.portal_standing import PortalState
from credsync.store.people import add_person, person_by_id, set_language
from credsync.store.sessions import open_session
from credsync.store.tokens import Scope
from credsync.web.console import words
from credsync.web.console.context import ConsoleContext
from credsync.web.console.session_door import SessionDoor
from credsync.web.console.words import ENGLISH, LANGUAGES, language_of
from tests.api.service import DEMO, contact
from tests.console.service import CSRF, Console, serving_console, text_of
from tests.console.words import messages, translations

OTHERS = sorted(LANGUAGES.keys() - {ENGLISH})
_NAMES = re.compile(r"%\(\w+\)s|\{\w*\}")


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_its_translation_and_no_other_is_kept(language: str) -> None:
    """`python -m tests.console.words` adds what is new to the catalogue; a person translates it."""
    asked = {(each, "") if isinstance(each, str) else each for each in messages()}
    kept = translations(language)
    assert kept.keys() == {one for one, _ in asked}
    for one, many in asked:
        assert all(kept[one]), one
        for english, told in zip((one, many or one), kept[one], strict=False):
            assert sorted(_NAMES.findall(told)) == sorted(_NAMES.findall(english)), english


def test_every_word_of_a_state_an_event_or_a_turn_has_its_text() -> None:
    """What a page looks up is there for every member: a therapist whose contact is gone has a page, too."""
    for table, members in (
        (words.STATES, TherapistState),
        (words.LINK_STATES, LinkState),
        (words.WRITE_STATES, WriteState),
        (words.EVENTS, EventName),
        (words.TURNS, Turn),
        (words.ROLES, Role),
        (words.PORTAL_STATES, PortalState),
        (words.AWAITED, Awaited),
        (words.KINDS, Kind),
        (words.SCOPES, Scope),
    ):
        assert set(table) == {each.value for each in members}
    assert set(words.FORMS) == set(get_args(FormName))


def test_a_page_comes_in_the_browsers_language_until_another_is_chosen(console: Console) -> None:
    page = console.therapist(contact_id=contact())
    success = console.as_("success")
    spanish = success.get(page, headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    assert '<html lang="es">' in spanish.text
    assert "Qué pasa ahora" in text_of(spanish)
    assert '<html lang="en">' in success.get(page, headers={"Accept-Language": "de"}).text
    answer = console.press("/language", language="es", next=page)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert "Qué pasa ahora" in text_of(success.get(page))
    success.cookies.delete("language")


def test_a_language_leads_back_to_this_service_alone(console: Console) -> None:
    for away in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        answer = console.press("/language", language="es", next=away)
        assert answer.headers["location"] == "/"
    console.as_("success").cookies.delete("language")


def test_an_unknown_language_changes_nothing(console: Console) -> None:
    answer = console.as_("success").post(
        "/language", data={"csrf": CSRF, "language": "xx"}, headers={"Origin": console.url}
    )
    assert "set-cookie" not in answer.headers


def test_whoever_has_signed_in_reads_the_language_they_chose_in_every_browser(console: Console) -> None:
    """Whoever has signed in reads the language they chose, in every browser."""
    with console.api.database.write() as connection:
        person = add_person(
            connection, f"{contact()}@example.org", Role.VIEWER, "a test", console.api.clock.now()
        )
    context = ConsoleContext(console.api.database, {}, Policy(), lambda *_: None)
    with console.api.database.write() as connection:
        secret = open_session(connection, person, "127.0.0.1", "a browser", console.api.clock.now())
    door = SessionDoor(context)
    headers = [(b"cookie", f"credsync={secret}".encode()), (b"accept-language", b"en")]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
    request.state.viewer = anyio.run(door.viewer_of, request)
    assert language_of(request) == "en", "who never chose reads the browser's"
    with console.api.database.write() as connection:
        set_language(connection, person.id, "es")
    request.state.viewer = anyio.run(door.viewer_of, request)
    assert language_of(request) == "es"


def test_choosing_a_language_keeps_it_with_the_person(console: Console) -> None:
    with console.api.database.write() as connection:
        person = add_person(
            connection, f"{contact()}@example.org", Role.VIEWER, "a test", console.api.clock.now()
        )
    answer = console.as_("viewer").post(
        "/language",
        data={"csrf": CSRF, "language": "es"},
        headers={"Origin": console.url, "X-Person": str(person.id)},
    )
    assert answer.status_code == 303
    with console.api.read() as connection:
        known = person_by_id(connection, person.id)
    assert known is not None
    assert known.language == "es"
    console.as_("viewer").cookies.delete("language")


def test_every_page_says_which_portals_it_is_about_and_of_what_kind(console: Console) -> None:
    """In words, never by colour alone; a HubSpot on loopback is the sandbox."""
    for address, role in (("/", "viewer"), ("/therapists", "success"), ("/sign-in", None)):
        shown = text_of(console.get(address, role))
        assert "alpha · sandbox" in shown
        assert "no real therapist is reached from here" in shown


def test_production_looks_and_reads_different(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Every page names its portals and what each is; production says so in words and looks different."""
    path = tmp_path / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    real = DEMO.replace("http://127.0.0.1:8090", "https://api.hubapi.com")
    live = {
        "alpha": parse_portal("alpha", real.replace("[hubspot]", '[hubspot]\nkind = "test"', 1)),
        "main": parse_portal("main", real),
    }
    with serving_console(f"sqlite:///{path}", served=live) as console:
        page = console.get("/")
    assert '<p class="portals production">' in page.text
    assert "alpha · test account" in text_of(page)
    assert "main · production" in text_of(page)
    assert "Real therapists" in text_of(page)
