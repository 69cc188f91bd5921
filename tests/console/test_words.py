"""Every text is there in every language, with the same names in it, and pages come in the language one reads."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from credsync.web.console.words import ENGLISH, LANGUAGES
from tests.api.service import contact
from tests.console.service import CSRF, Console, text_of
from tests.console.words import catalogue_file, messages

OTHERS = sorted(LANGUAGES.keys() - {ENGLISH})
_NAMES = re.compile(r"%\(\w+\)s|\{\}")


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_its_translation_and_no_other_is_kept(language: str) -> None:
    """`python -m tests.console.words` adds what is new to the catalogue; a person translates it."""
    with catalogue_file(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    asked = {message if isinstance(message, str) else message[0] for message in messages()}
    kept = {each.id if isinstance(each.id, str) else each.id[0]: each for each in catalogue if each.id}
    assert kept.keys() == asked
    for english, message in kept.items():
        given = [message.string] if isinstance(message.string, str) else list(message.string)
        assert all(given), english
        for each in given:
            assert sorted(_NAMES.findall(each)) == sorted(_NAMES.findall(english)), english


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
