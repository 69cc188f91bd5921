"""People whom an OpenID Connect provider knows: found by issuer and subject alone, never by an e-mail address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from credsync.core.audit import Deed
from credsync.core.people import Role
from credsync.store import audit
from credsync.store.database import insert_row
from credsync.store.people import EmailTaken, Person, email_of, person_by_id, person_of, whom
from credsync.store.people_tables import people

BY = "provider"
"""Who gave a role, in the audit, where a group did."""


def admit(
    connection: Connection, issuer: str, subject: str, email: str | None, role: Role, now: datetime
) -> Person | None:
    """Whoever the provider knows by this subject, made if new, with the role that the groups give now.

    None for somebody who was disabled here. Raises `BadEmail`, and `EmailTaken` where somebody else here has the
    address: an address is no proof of who it is, so nobody becomes another person by it.
    """
    mine = (people.c.issuer == issuer, people.c.subject == subject)
    found = connection.execute(select(people.c.id).where(*mine).with_for_update()).scalar_one_or_none()
    if found is None:
        return _made(connection, issuer, subject, email_of(email or ""), role, now)
    person = person_by_id(connection, found)
    assert person is not None
    if person.disabled_at is not None:
        return None
    if person.role is role:
        return person
    connection.execute(update(people).where(people.c.id == found).values(role=role.value))
    before, after = {"role": person.role.value}, {"role": role.value}
    audit.append(connection, now, BY, Deed.ROLE_CHANGED, whom(person), before=before, after=after)
    return person_by_id(connection, found)


def _made(
    connection: Connection, issuer: str, subject: str, email: str, role: Role, now: datetime
) -> Person | None:
    if person_of(connection, email) is not None:
        raise EmailTaken(email)
    row = {"email": email, "role": role.value, "created_at": now, "issuer": issuer, "subject": subject}
    person = person_by_id(connection, insert_row(connection, people, **row))
    assert person is not None
    audit.append(connection, now, BY, Deed.PERSON_ADDED, whom(person), after={"role": role.value})
    return person
