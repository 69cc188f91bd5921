"""Keeps the people who may sign in: each with an e-mail address, a role, and a password or a provider's word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, or_, select, update

from credsync.core.audit import Deed
from credsync.core.people import Role
from credsync.core.phrases import phrase
from credsync.store import audit
from credsync.store.audit import Whom
from credsync.store.database import insert_row
from credsync.store.people_tables import people, sessions, set_up_links

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}")


class BadEmail(ValueError):
    """The text is no e-mail address; the message says what is expected."""


class EmailTaken(Exception):
    """Somebody has this address already."""


class LastAdmin(Exception):
    """Without this person nobody could manage people any more."""

    def __init__(self) -> None:
        super().__init__(phrase("This is the last admin: make somebody else admin first."))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in, as long as `disabled_at` is None."""

    id: int
    email: str
    role: Role
    set_up: bool
    """Whether there is a password, or a provider who knows the person."""
    created_at: datetime
    disabled_at: datetime | None = None
    language: str | None = None
    issuer: str | None = None


def email_of(text: str) -> str:
    """An e-mail address as it is kept: lower case, no blanks around. Raises `BadEmail`.

    >>> email_of(" Ada@Example.org ")
    'ada@example.org'
    """
    email = text.strip().lower()
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        raise BadEmail(phrase("an e-mail address is expected, such as ada@example.org"))
    return email


def add_person(connection: Connection, email: str, role: Role, by: str, now: datetime) -> Person:
    """Let somebody in who has yet to set up a password. Raises `BadEmail` or `EmailTaken`."""
    address = email_of(email)
    if person_of(connection, address) is not None:
        raise EmailTaken(address)
    person_id = insert_row(connection, people, email=address, role=role.value, created_at=now)
    person = Person(person_id, address, role, False, now)
    _note(connection, now, by, Deed.PERSON_ADDED, person, None, _standing(person))
    return person


def set_role(connection: Connection, person: Person, role: Role, by: str, now: datetime) -> bool:
    """Give a person another role; false if it is the same. Holds from the next request on. Raises `LastAdmin`."""
    person, another = _held(connection, person)
    if person.role is role:
        return False
    if person.role is Role.ADMIN and not another:
        raise LastAdmin
    connection.execute(update(people).where(people.c.id == person.id).values(role=role.value))
    after = {**_standing(person), "role": role.value}
    _note(connection, now, by, Deed.ROLE_CHANGED, person, _standing(person), after)
    return True


def disable(connection: Connection, person: Person, by: str, now: datetime, *, anyway: bool = False) -> bool:
    """Let a person in no more, sessions and links included; false if it was so already.

    Raises `LastAdmin`, unless `anyway`: on the command line nobody is ever shut out.
    """
    person, another = _held(connection, person)
    if person.disabled_at is not None:
        return False
    if person.role is Role.ADMIN and not another and not anyway:
        raise LastAdmin
    connection.execute(update(people).where(people.c.id == person.id).values(disabled_at=now))
    of_person = sessions.c.person_id == person.id
    connection.execute(update(sessions).where(of_person, sessions.c.ended_at.is_(None)).values(ended_at=now))
    connection.execute(delete(set_up_links).where(set_up_links.c.person_id == person.id))
    _note(
        connection, now, by, Deed.DISABLED, person, _standing(person), {**_standing(person), "disabled": True}
    )
    return True


def enable(connection: Connection, person: Person, by: str, now: datetime) -> bool:
    """Let a person in again; false if it was so already."""
    person, _ = _held(connection, person)
    if person.disabled_at is None:
        return False
    connection.execute(update(people).where(people.c.id == person.id).values(disabled_at=None))
    _note(
        connection, now, by, Deed.ENABLED, person, _standing(person), {**_standing(person), "disabled": False}
    )
    return True


def anybody(connection: Connection) -> bool:
    """Whether anybody was ever let in."""
    return connection.execute(select(people.c.id).limit(1)).first() is not None


def everybody(connection: Connection) -> list[Person]:
    """All who were ever let in, by address."""
    return [_person(row) for row in connection.execute(select(people).order_by(people.c.email))]


def person_of(connection: Connection, email: str) -> Person | None:
    """Who has this address; as `email_of` gives it."""
    row = connection.execute(select(people).where(people.c.email == email)).one_or_none()
    return None if row is None else _person(row)


def person_by_id(connection: Connection, person_id: int) -> Person | None:
    """One person."""
    row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
    return None if row is None else _person(row)


def password_hash_of(connection: Connection, email: str) -> tuple[Person, str] | None:
    """A person who may sign in by a password, with its hash; None for everybody else."""
    row = connection.execute(select(people).where(people.c.email == email)).one_or_none()
    if row is None or row.password_hash is None or row.disabled_at is not None:
        return None
    return _person(row), row.password_hash


def set_password_hash(connection: Connection, person_id: int, password_hash: str) -> None:
    """Keep what a password was hashed to."""
    connection.execute(update(people).where(people.c.id == person_id).values(password_hash=password_hash))


def set_language(connection: Connection, person_id: int, language: str | None) -> None:
    """Keep the language a person chose; None for the browser's."""
    connection.execute(update(people).where(people.c.id == person_id).values(language=language))


def whom(person: Person) -> Whom:
    """How the audit names a person something is done to."""
    return Whom("person", person.email)


def _person(row: Row[Any]) -> Person:
    return Person(
        row.id,
        row.email,
        Role(row.role),
        row.password_hash is not None or row.issuer is not None,
        row.created_at,
        row.disabled_at,
        row.language,
        row.issuer,
    )


def _held(connection: Connection, person: Person) -> tuple[Person, bool]:
    """The person as of now, and whether another admin could act in their place.

    Every admin's row is held with theirs, in one order, so that two do not take the role from each other at once.
    """
    able = and_(people.c.role == Role.ADMIN.value, people.c.disabled_at.is_(None))
    query = select(people).where(or_(people.c.id == person.id, able)).order_by(people.c.id).with_for_update()
    held = {row.id: _person(row) for row in connection.execute(query)}
    mine = held.pop(person.id)
    return mine, any(other.set_up for other in held.values())


def _standing(person: Person) -> dict[str, object]:
    return {"email": person.email, "role": person.role.value, "disabled": person.disabled_at is not None}


def _note(
    connection: Connection,
    now: datetime,
    by: str,
    act: Deed,
    person: Person,
    before: dict[str, object] | None,
    after: dict[str, object],
) -> None:
    audit.append(connection, now, by, act, whom(person), before=before, after=after)
