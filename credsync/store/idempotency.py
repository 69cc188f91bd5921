"""`Idempotency-Key`: the same key and body get the same answer, another body a refusal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from credsync.store.tables import idempotency_keys


class KeyReused(Exception):
    """The key was used before with another body."""


@dataclass(frozen=True, slots=True)
class Press:
    """One call with a key: whose, which, and what it asks (method, path and raw body, digested)."""

    token: str
    key: str
    digest: str

    @classmethod
    def of(cls, token: str, key: str, method: str, path: str, body: bytes) -> Press:
        """A press of `key` by the token of that name."""
        digest = hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).hexdigest()
        return cls(token, key, digest)


def answered_before(connection: Connection, press: Press) -> tuple[int, dict[str, Any]] | None:
    """The status and answer this press got before; None the first time. Raises `KeyReused`."""
    query = select(idempotency_keys).where(
        idempotency_keys.c.token == press.token, idempotency_keys.c.key == press.key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.digest != press.digest:
        raise KeyReused(press.key)
    return row.status, row.answer


def remember(
    connection: Connection, press: Press, status: int, answer: dict[str, Any], now: datetime
) -> None:
    """Keep the answer, in the transaction that made it true."""
    row = {"token": press.token, "key": press.key, "digest": press.digest, "status": status}
    connection.execute(insert(idempotency_keys).values(**row, answer=answer, created_at=now))
