"""By which a therapist is found by a part of the name: every ending of it, in order, so that a part is where one begins.

`docs/decisions/0002-names-are-found-by-their-endings.md` says why. What is kept of a name here is written, and goes, in
the transaction that changes the name.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, String, Table, Text, and_, bindparam, delete, select

from credsync.store.metadata import metadata

FEW: Final = 1_000
"""How many may be found by a name before it is taken for one that everybody has."""
_LAST: Final = "\U0010ffff"

name_endings = Table(
    "name_endings",
    metadata,
    Column("ending", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    Column("therapist_id", String(36), primary_key=True),
    comment="each ending of each therapist's name, its case folded, by which a part of the name is found",
    sqlite_with_rowid=False,
)

_ADD = name_endings.insert()
_DROP = delete(name_endings).where(
    name_endings.c.ending == bindparam("dropped"), name_endings.c.therapist_id == bindparam("of")
)


def folded(text: str) -> str:
    """A text as names are compared: composed, whatever its case.

    >>> folded("JOSÉ Straße")
    'josé strasse'
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def endings(name: str | None) -> frozenset[str]:
    """Every ending of a name that a search may begin with.

    >>> sorted(endings("Al Ng"))
    ['al ng', 'g', 'l ng', 'ng']
    """
    whole = folded(name or "")
    return frozenset(whole[start:] for start, letter in enumerate(whole) if not letter.isspace())


def renamed(connection: Connection, therapist_id: str, before: str | None, after: str | None) -> None:
    """Keep what a therapist is found by in step with the name; None forgets it."""
    old, new = endings(before), endings(after)
    if gone := sorted(old - new):
        connection.execute(_DROP, [{"dropped": each, "of": therapist_id} for each in gone])
    if come := sorted(new - old):
        connection.execute(_ADD, [{"ending": each, "therapist_id": therapist_id} for each in come])


def found_by_name(connection: Connection, text: str) -> list[str] | None:
    """Whose name holds this text, in the order of the ids; None where more than `FEW` may be meant."""
    found, whole = some_found_by_name(connection, text)
    return found if whole else None


def some_found_by_name(connection: Connection, text: str) -> tuple[list[str], bool]:
    """Some of those whose name holds this text, in the order of the ids, and whether they are all."""
    part = folded(text.strip())
    if not part or "\x00" in part:
        return [], True
    begins = and_(name_endings.c.ending >= part, name_endings.c.ending < part + _LAST)
    rows = connection.execute(select(name_endings.c.therapist_id).where(begins).limit(FEW + 1)).scalars()
    found = list(rows)
    return sorted(set(found)), len(found) <= FEW


def in_many_names(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether a name holds a text that many hold, read name by name; its own `%` and `_` are letters like others.

    Databases fold the case of ASCII alone for sure, so a text with other letters is tried in each case.
    """
    part = unicodedata.normalize("NFC", text.strip())
    spellings = (
        [part] if part.isascii() else list(dict.fromkeys([part, part.lower(), part.upper(), part.title()]))
    )
    found: ColumnElement[bool] = column.icontains(spellings[0], autoescape=True)
    for each in spellings[1:]:
        found = found | column.icontains(each, autoescape=True)
    return found
