"""Passwords are hashed by argon2id, in a thread, a few at a time: each takes 64 MiB and its share of a processor."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from credsync.core.passwords import normal

_T = TypeVar("_T")
_TOGETHER: Final = 2
_MOST_WAITING: Final = 50


class TooMany(Exception):
    """More passwords wait to be hashed than can be soon."""


class Hashing:
    """Hashes and compares. A comparison takes its time whether there is a password to compare with or not."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._limiter = CapacityLimiter(_TOGETHER)
        self._nobodys = _hash_of_nothing(hasher)

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises `TooMany`."""
        return await self._aside(lambda: self._hasher.hash(normal(password)))

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the password that was hashed; without one it is never, as slowly. Raises `TooMany`."""

        def compare() -> bool:
            try:
                return self._hasher.verify(kept or self._nobodys, normal(password))
            except VerificationError:
                return False

        return await self._aside(compare) and kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether it was hashed at less cost than is usual now."""
        return self._hasher.check_needs_rehash(kept)

    async def _aside(self, work: Callable[[], _T]) -> _T:
        if self._limiter.statistics().tasks_waiting >= _MOST_WAITING:
            raise TooMany
        return await to_thread.run_sync(work, limiter=self._limiter)


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A hash that no password has, at the same cost."""

    def part(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${part(hasher.salt_len)}${part(hasher.hash_len)}"
