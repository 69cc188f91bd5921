"""API tokens: shown once, stored as a SHA-256 digest, each with its scopes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from credsync.store.tables import tokens

PREFIX = "credsync_"


class Scope(StrEnum):
    """What a token may do. `admin` may do everything."""

    INTAKE = "intake"
    READ = "read"
    SYNC = "sync"
    ADMIN = "admin"


class TokenNameTaken(Exception):
    """A token of that name exists already."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the token's name and what it may do."""

    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether this caller may do what needs `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def create_token(connection: Connection, name: str, scopes: Iterable[Scope], now: datetime) -> str:
    """Make a token of 256 random bits and give it back; only its digest is kept. Raises `TokenNameTaken`."""
    if connection.execute(select(tokens.c.name).where(tokens.c.name == name)).first() is not None:
        raise TokenNameTaken(name)
    token = PREFIX + secrets.token_urlsafe(32)
    row = {"name": name, "digest": _digest(token), "scopes": sorted(set(scopes)), "created_at": now}
    connection.execute(insert(tokens).values(**row))
    return token


@dataclass(frozen=True, slots=True)
class KeptToken:
    """What is known of a token; the token itself is not."""

    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime


def all_tokens(connection: Connection) -> list[KeptToken]:
    """Every token, by name."""
    rows = connection.execute(select(tokens).order_by(tokens.c.name))
    return [KeptToken(row.name, tuple(Scope(each) for each in row.scopes), row.created_at) for row in rows]


def revoke_token(connection: Connection, name: str) -> bool:
    """Forget a token; false if there was none of that name."""
    return connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount == 1


def caller_of(connection: Connection, token: str) -> Caller | None:
    """Who holds this token; None for nobody. Looked up by digest, so timing tells nothing about a token."""
    row = connection.execute(select(tokens).where(tokens.c.digest == _digest(token))).one_or_none()
    return None if row is None else Caller(row.name, frozenset(Scope(s) for s in row.scopes))


def any_token(connection: Connection) -> bool:
    """Whether any token exists."""
    return connection.execute(select(tokens.c.name).limit(1)).first() is not None
