"""The database's schema version: brought up by `credsync db upgrade`, checked at every start."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from credsync.store.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaMismatch(Exception):
    """The database is on another version of the schema; the message says what to do."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def wanted_version() -> str:
    """The version this program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def version_of(database: Database) -> str | None:
    """The version the database is on; None for an empty one."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> str:
    """Bring the database to this program's version, in one transaction, and give that version.

    Raises `SchemaMismatch` for a database that a newer program made.
    """
    _refuse_newer(database)
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return wanted_version()


def check(database: Database) -> None:
    """Raises `SchemaMismatch` unless the database is on this program's version."""
    _refuse_newer(database)
    found, wanted = version_of(database), wanted_version()
    if found != wanted:
        have = f"is on schema version {found}" if found else "is empty"
        raise SchemaMismatch(
            f"The database {have}, this program needs version {wanted}: run `credsync db upgrade`, then start again."
        )


def _refuse_newer(database: Database) -> None:
    found = version_of(database)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"The database is on schema version {found}, which this program does not know: a newer credsync made it. "
            "Start that version, or restore the backup taken before its upgrade."
        )
