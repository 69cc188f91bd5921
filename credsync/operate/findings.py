"""What an examination finds: how bad it is, what it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    ADVICE = "advice"
    """It works, but somebody should look at it."""
    FAILING = "failing"
    """Something does not work until it is remedied."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined. `name` is what was looked at, `remedy` is empty when all is well."""

    name: str
    level: Level
    message: str
    remedy: str = ""


def ok(name: str, message: str) -> Finding:
    """All is well."""
    return Finding(name, Level.OK, message)


def advice(name: str, message: str, remedy: str) -> Finding:
    """It works, but somebody should look at it."""
    return Finding(name, Level.ADVICE, message, remedy)


def failing(name: str, message: str, remedy: str) -> Finding:
    """It does not work until the remedy is applied."""
    return Finding(name, Level.FAILING, message, remedy)
