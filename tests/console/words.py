"""Every text that pages show in English, and the catalogues that must have it: `python -m tests.console.words` updates them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

import credsync
from credsync.web.console import frame, reason_words, words

CONSOLE = Path(words.__file__).parent
CODE = Path(credsync.__file__).parent
_HEADER = "# The console's words in another language; `python -m tests.console.words` brings it up to date."
_OPTIONS = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}


def messages() -> Iterator[str | tuple[str, ...]]:
    """What is to be translated: one text, or singular and plural."""
    yield from written_in_templates()
    yield from phrases()
    for table in (
        words.STATES,
        words.LINK_STATES,
        words.WRITE_STATES,
        words.FORMS,
        words.TURNS,
        words.EVENTS,
        words.PROPERTY_STATES,
        words.ROLES,
        words.PORTAL_STATES,
        words.AWAITED,
        words.KINDS,
        words.SCOPES,
        words.DETAILS,
        reason_words.REASONS,
        reason_words.AGES,
    ):
        yield from table.values()
    yield from (word for _, word, _ in frame.WAYS)


def written_in_templates() -> Iterator[str | tuple[str, ...]]:
    """What pages themselves say."""
    for path in sorted((CONSOLE / "templates").iterdir()):
        with path.open("rb") as file:
            for _, _, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), _OPTIONS):
                if isinstance(message, str):
                    yield message
                elif message:
                    yield tuple(each for each in message if isinstance(each, str))


def phrases() -> Iterator[str | tuple[str, str]]:
    """What the rest of the service says, by the calls of `phrase` and `counted`."""
    for path in sorted(CODE.rglob("*.py")):
        if b"core.phrases import" not in path.read_bytes() and path.name != "phrases.py":
            continue
        with path.open("rb") as file:
            for line, name, given, _ in extract_python(file, ("phrase", "counted"), (), {}):
                first, *more = given if isinstance(given, tuple) else (given,)
                if name == "counted":
                    assert first is not None, (path, line)
                    assert more[0] is not None, (path, line)
                    yield first, more[0]
                elif first is not None:
                    yield first


def catalogue_file(language: str) -> Path:
    """Where a language's translations are."""
    return CONSOLE / "catalogues" / f"{language}.po"


def translations(language: str) -> dict[str, tuple[str, ...]]:
    """Each English text (of two the one for one) with what a language makes of it."""
    with catalogue_file(language).open("rb") as file:
        known = [each for each in read_po(file, locale=language) if each.id]
    return {
        each.id if isinstance(each.id, str) else each.id[0]: (each.string,)
        if isinstance(each.string, str)
        else tuple(each.string)
        for each in known
    }


def update(language: str) -> None:
    """Bring a catalogue in line with the pages: what is new stands empty, what is gone goes."""
    known = Catalog(locale=language)
    if catalogue_file(language).exists():
        with catalogue_file(language).open("rb") as file:
            known = read_po(file, locale=language)
    fresh = Catalog(locale=language, project="credsync", charset="utf-8", fuzzy=False, header_comment=_HEADER)
    for message in messages():
        before = known.get(message if isinstance(message, str) else message[0])
        if not fresh.get(message if isinstance(message, str) else message[0]):
            fresh.add(message, string=before.string if before is not None else None)
    fresh.creation_date = fresh.revision_date = known.creation_date
    with catalogue_file(language).open("wb") as file:
        write_po(file, fresh, width=110, omit_header=False, sort_output=True)


if __name__ == "__main__":
    for each in words.LANGUAGES.keys() - {words.ENGLISH}:
        update(each)
