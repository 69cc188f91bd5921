"""Opens what a command needs, and no more: settings, the database, or the whole app."""

from __future__ import annotations

import getpass
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from credsync.app import App
    from credsync.settings import Settings
    from credsync.store.acts import Actor
    from credsync.store.database import Database


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command's name."""

    config: Path | None = None


def settings_of(ctx: typer.Context) -> Settings:
    """The settings of `--config`, or of `credsync.toml` if it is there. Raises `SettingsError`."""
    from credsync.settings import load_settings

    return load_settings(ctx.ensure_object(Options).config)


@contextmanager
def open_database(settings: Settings, *, create: bool = False, check: bool = True) -> Iterator[Database]:
    """The database alone. One that does not exist is only made where `create` says so.

    Raises `SettingsError`, or with `check` `SchemaMismatch`.
    """
    from credsync.store import schema
    from credsync.store.database import Database

    require_database(settings, may_be_missing=create)
    database = Database(settings.database_url, announces=settings.listen)
    try:
        if check:
            schema.check(database)
        yield database
    finally:
        database.close()


@contextmanager
def open_whole(settings: Settings, *, speed: float = 1.0) -> Iterator[App]:
    """Database and portals. Raises `SettingsError` or `SchemaMismatch`."""
    from credsync.app import open_app

    require_database(settings)
    with open_app(settings, speed=speed) as app:
        yield app


def require_database(settings: Settings, *, may_be_missing: bool = False) -> None:
    """Raises `SettingsError` for a URL of no use, or a SQLite file that does not exist: looking must not make one."""
    from credsync.settings import SettingsError

    file = sqlite_file(settings)
    if file is not None and not may_be_missing and not file.exists():
        raise SettingsError(
            f"There is no database at {file}: run `credsync db upgrade` to make it, or set `database_url`."
        )


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite database; None for PostgreSQL. Raises `SettingsError`, which never repeats the URL."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from credsync.settings import SettingsError

    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "database_url is no database URL: write sqlite:///credsync.db or postgresql://user@host/name."
        ) from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return None
    if backend != "sqlite":
        raise SettingsError(f"database_url is for {backend}: credsync works with sqlite and postgresql.")
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "database_url names no file: what is accepted must survive, write sqlite:///credsync.db."
        )
    return Path(url.database)


def portal_names(settings: Settings) -> list[str]:
    """The portals by their files' names, readable or not: a pause must not wait for a file to be mended."""
    return sorted(Path(file).stem for file in glob.glob(settings.portals))


def actor() -> Actor:
    """Who acts at the command line."""
    from credsync.store.acts import Actor

    return Actor.shell(person())


def person() -> str:
    """Who is at the command line, as the timeline names them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"cli:{name}"[:100]
