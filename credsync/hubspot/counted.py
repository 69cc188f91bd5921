"""Counts the calls that some work makes, wherever in it they are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Calls:
    """How many calls were sent so far, every try by itself."""

    made: int = 0


_counting: ContextVar[Calls | None] = ContextVar("counting", default=None)


@contextmanager
def calls_counted() -> Iterator[Calls]:
    """Count every call made within, in tasks started within too."""
    calls = Calls()
    before = _counting.set(calls)
    try:
        yield calls
    finally:
        _counting.reset(before)


def count_call() -> None:
    """A call is sent."""
    calls = _counting.get()
    if calls is not None:
        calls.made += 1
