"""How a command ends that cannot do what it was asked: an exit code, and on standard error what happened and the remedy.

Foreseeable errors of the rooms below become refusals here and nowhere else; anything unforeseen keeps its traceback.
"""

from __future__ import annotations

import sys
from enum import IntEnum

import typer


class Code(IntEnum):
    """Exit codes. 2, usage, is also what an unknown option or a missing argument ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    SETTINGS = 4
    NOT_ALLOWED = 5


class Refusal(Exception):
    """The command ends here: `code` for machines, the message for people."""

    def __init__(self, message: str, code: Code = Code.FAILED) -> None:
        self.code = code
        super().__init__(message)


def tell(message: str) -> None:
    """Say something to a person beside the command's output."""
    mark = typer.style("credsync:", bold=True)
    typer.echo(f"{mark} {message}", err=True)


def refusal_of(error: Exception) -> Refusal | None:
    """What a foreseeable error means for the command; None for an error nobody foresaw."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, PermissionError):
        return Refusal(
            f"{error.filename}: permission denied. Run as its owner, or let this user use it.",
            Code.NOT_ALLOWED,
        )
    return _of_settings(error) or _of_a_second_worker(error) or _of_database(error)


def _of_settings(error: Exception) -> Refusal | None:
    from credsync.settings import SettingsError

    if isinstance(error, SettingsError):
        return Refusal(str(error), Code.SETTINGS)
    schema = sys.modules.get("credsync.store.schema")
    if schema is not None and isinstance(error, schema.SchemaMismatch):
        return Refusal(str(error), Code.SETTINGS)
    return None


def _of_a_second_worker(error: Exception) -> Refusal | None:
    one_worker = sys.modules.get("credsync.store.one_worker")
    if one_worker is not None and isinstance(error, one_worker.SecondWorker):
        return Refusal(str(error))
    return None


def _of_database(error: Exception) -> Refusal | None:
    """A database that does not answer, is locked, read-only or no database at all; not an error of our own SQL."""
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy import exc

    away = isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError)
    if not away and type(error) is not exc.DatabaseError:
        return None
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return Refusal(
        f"The database cannot be used: {said[0] if said else type(error).__name__}\n"
        "Check `database_url` and that the database runs; `credsync doctor` looks at both."
    )
