"""The console in Spanish, with everything the matter at once: no sentence is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import escape

from tests.console.lively import OTHERS_WORDS, SLOT, serving_lively_console
from tests.console.service import Console, text_of
from tests.console.words import messages, translations

_PLACE = re.compile(r"\{\w+\}|%\(\w+\)s")
_WORDS = 3
"""Words of its own that make a text a sentence: of fewer one cannot say which language they are."""


@pytest.fixture(scope="module")
def lively(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Console, list[str]]]:
    """The console, and the therapists' pages."""
    with serving_lively_console(migrated_sqlite, tmp_path_factory.mktemp("spanish")) as made:
        yield made


@pytest.fixture(scope="module")
def sentences() -> list[list[str]]:
    """Every sentence that is another in Spanish, as the parts between its places."""
    spanish = translations("es")
    texts = [text for message in messages() for text in ([message] if isinstance(message, str) else message)]
    return [
        [part for part in _PLACE.split(text) if part]
        for text in dict.fromkeys(texts)
        if len(re.findall(r"[A-Za-z]{2,}", _PLACE.sub("", text))) >= _WORDS
        and text not in spanish.get(text, ())
    ]


PAGES = (
    "/",
    "/therapists",
    "/workflows",
    f"/workflows/alpha/{SLOT}",
    "/alerts",
    "/settings",
    "/people",
    "/audit",
    "/tokens",
    "/sessions",
)


def english_in(page: str, sentences: list[list[str]]) -> list[str]:
    return ["…".join(parts) for parts in sentences if all(part in page for part in parts)]


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_an_english_sentence(
    lively: tuple[Console, list[str]], sentences: list[list[str]], address: str
) -> None:
    console, _ = lively
    page = console.as_("admin").get(address, headers={"Accept-Language": "es"})
    assert page.status_code == 200
    assert english_in(text_of(page), sentences) == []


def test_no_therapists_page_has_one_whatever_is_the_matter(
    lively: tuple[Console, list[str]], sentences: list[list[str]]
) -> None:
    """Whatever is the matter with a therapist, no sentence of the Spanish page is in English."""
    console, therapists = lively
    for address in therapists:
        page = console.as_("success").get(address, headers={"Accept-Language": "es"})
        assert page.status_code == 200, address
        assert english_in(text_of(page), sentences) == [], address


def test_no_alerts_page_has_one(lively: tuple[Console, list[str]], sentences: list[list[str]]) -> None:
    console, _ = lively
    with console.api.read() as connection:
        numbers = [row.id for row in connection.exec_driver_sql("SELECT id FROM alerts")]
    for number in numbers:
        page = console.as_("success").get(f"/alerts/{number}", headers={"Accept-Language": "es"})
        assert english_in(text_of(page), sentences) == [], number


@pytest.mark.parametrize(
    ("role", "method", "address"),
    [
        ("viewer", "POST", "/therapists/{id}/sync"),
        ("viewer", "GET", "/people"),
        ("success", "POST", "/settings/portals/alpha/pause"),
        ("admin", "POST", "/settings/portals/alpha/pause"),
        ("success", "POST", "/therapists/{id}/notes"),
        ("success", "POST", "/therapists/{id}/links/" + SLOT),
        ("success", "GET", "/therapists/0"),
        ("success", "GET", "/nowhere"),
        ("success", "GET", "/alerts/999999"),
        ("success", "GET", "/therapists?state=unheard-of"),
        ("admin", "POST", "/people"),
    ],
)
def test_no_refusal_is_in_english(
    lively: tuple[Console, list[str]],
    sentences: list[list[str]],
    role: str,
    method: str,
    address: str,
) -> None:
    console, therapists = lively
    answer = console.as_(role).request(
        method,
        address.replace("{id}", therapists[0].rpartition("/")[2]),
        data={"csrf": console.csrf} if method == "POST" else None,
        headers={"Accept-Language": "es", "Origin": console.url},
    )
    assert answer.status_code >= 400
    assert english_in(text_of(answer), sentences) == []


def test_the_words_of_others_are_shown_as_they_are(lively: tuple[Console, list[str]]) -> None:
    """Mark-up is escaped and no sign in them is read as a place to fill, in any language."""
    console, therapists = lively
    for language in ("en", "es"):
        page = console.as_("success").get(therapists[5], headers={"Accept-Language": language})
        assert escape(OTHERS_WORDS) in page.text


def test_plural_forms_are_those_of_the_language(lively: tuple[Console, list[str]]) -> None:
    """One therapist waits, several wait: each in its own form, with the number as the language writes it."""
    console, _ = lively
    shown = text_of(console.as_("success").get("/alerts", headers={"Accept-Language": "es"}))
    assert re.search(r"\b2 terapeutas l[oa] esperan", shown) or "terapeutas esperan" in shown
    assert "Un terapeuta lo espera más de lo habitual" in shown
