"""Links by which a person chooses a password: valid for a quarter of an hour, and once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from credsync.core.audit import Deed
from credsync.core.people import Role
from credsync.core.sign_in import LINK_LASTS
from credsync.store import audit, people, sessions
from credsync.store.digests import digest, new_secret
from credsync.store.people import Person
from credsync.store.people_tables import set_up_links


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a link is for: a person's password, or with `person` None the first admin's address and password."""

    person: Person | None
    until: datetime


def make_link(connection: Connection, person: Person, by: str, now: datetime) -> str:
    """A new secret for a person's link; those before it hold no more. Nothing of it is kept but its digest."""
    secret = _made(connection, person.id, now)
    audit.append(connection, now, by, Deed.LINK_MADE, people.whom(person))
    return secret


def address(base: str, secret: str) -> str:
    """What is given to the person: the page of the console at `base` where the link is used."""
    return f"{base.rstrip('/')}/set-up/{secret}"


def make_first_link(connection: Connection, now: datetime) -> str | None:
    """The secret of a link to become the first admin; None where somebody was let in already."""
    return None if people.anybody(connection) else _made(connection, None, now)


def set_up_of(connection: Connection, secret: str, now: datetime) -> SetUp | None:
    """What a link is for; None for one that is unknown, used or too old. Opening it changes nothing."""
    query = select(set_up_links).where(
        set_up_links.c.digest == digest(secret),
        set_up_links.c.used_at.is_(None),
        set_up_links.c.until > now,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _set_up(connection, row)


def use_link(
    connection: Connection, secret: str, email: str | None, password_hash: str, now: datetime
) -> Person | None:
    """Set the password a link is for, and end the person's sessions and other links; None if it does not hold any more.

    `email` is the first admin's. Raises `BadEmail`.
    """
    set_up = set_up_of(connection, secret, now)
    if set_up is None or not _taken(connection, secret, now):
        return None
    person = set_up.person
    if person is None:
        if people.anybody(connection):
            return None
        chosen = people.email_of(email or "")
        person = people.add_person(connection, chosen, Role.ADMIN, audit.by_person(chosen), now)
    people.set_password_hash(connection, person.id, password_hash)
    sessions.end_all(connection, person.id, now)
    by = audit.by_person(person.email)
    audit.append(connection, now, by, Deed.PASSWORD_SET, people.whom(person))
    return person


def _made(connection: Connection, person_id: int | None, now: datetime) -> str:
    for old in (set_up_links.c.until < now - LINK_LASTS, _of(person_id)):
        connection.execute(delete(set_up_links).where(old))
    secret = new_secret()
    row = {"digest": digest(secret), "person_id": person_id, "until": now + LINK_LASTS, "created_at": now}
    connection.execute(set_up_links.insert(), row)
    return secret


def _taken(connection: Connection, secret: str, now: datetime) -> bool:
    """Whether this transaction is the one that uses it. All links of the person are used up with it."""
    mine = select(set_up_links.c.person_id).where(set_up_links.c.digest == digest(secret))
    person_id = connection.execute(mine).scalar_one_or_none()
    used = (
        update(set_up_links)
        .where(_of(person_id), set_up_links.c.used_at.is_(None))
        .values(used_at=now)
        .returning(set_up_links.c.digest)
    )
    return digest(secret) in connection.execute(used).scalars().all()


def _of(person_id: int | None) -> Any:
    column = set_up_links.c.person_id
    return column.is_(None) if person_id is None else column == person_id


def _set_up(connection: Connection, row: Row[Any]) -> SetUp | None:
    if row.person_id is None:
        return None if people.anybody(connection) else SetUp(None, row.until)
    person = people.person_by_id(connection, row.person_id)
    if person is None or person.disabled_at is not None:
        return None
    return SetUp(person, row.until)
