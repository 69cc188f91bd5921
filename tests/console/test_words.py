"""Every text is there in every language, with the same names in it, and pages come in the language one reads."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from credsync.core.events import EventName
from credsync.core.forms import FormName
from credsync.core.links import LinkState
from credsync.core.people import Role
from credsync.core.portal import Awaited
from credsync.core.states import TherapistState
from credsync.core.turn import Turn
from credsync.core.writes import WriteState
from credsync.operate.portal_standing import PortalState
from credsync.web.console import words
from credsync.web.console.words import ENGLISH, LANGUAGES
from tests.api.service import contact
from tests.console.service import CSRF, Console, text_of
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
