"""What every test may ask for: a database of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import cast

import pytest
from hypothesis import settings

from tests.databases import GIVEN, LEFT_OUT, PostgresServer, postgres_server

BOTH = ["sqlite", "postgresql"]
WITHOUT = f"{GIVEN}={LEFT_OUT}: nothing was run on PostgreSQL"

# Two cores and a busy neighbour must not fail a property; a failure prints how to repeat it.
settings.register_profile("credsync", deadline=None, print_blob=True)
settings.load_profile("credsync")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A run without PostgreSQL proves nothing of it, and its last lines say so."""
    if os.environ.get(GIVEN) == LEFT_OUT:
        terminalreporter.write_sep("=", WITHOUT, yellow=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL per test process, started by the first test that asks.

    Where none can be had, tests fail with the remedy; only a person who says so leaves it out, and sees it said.
    """
    if os.environ.get(GIVEN) == LEFT_OUT:
        pytest.skip(WITHOUT)
    with postgres_server() as server:
        yield server


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, once per kind."""
    if request.param == "sqlite":
        yield _sqlite_url(tmp_path / "credsync.db")
    else:
        yield from _postgres_database(request.getfixturevalue("postgres"))


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database at the newest schema, once per kind: one suite holds for both."""
    if request.param == "sqlite":
        path = tmp_path / "credsync.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield _sqlite_url(path)
    else:
        server = cast(PostgresServer, request.getfixturevalue("postgres"))
        yield from _postgres_database(server, request.getfixturevalue("migrated_postgres"))


Copies = Callable[[Path], AbstractContextManager[str]]
"""Gives a database at the newest schema for the length of a block; a file is put into the folder."""


@pytest.fixture(scope="session", params=BOTH)
def copies(request: pytest.FixtureRequest) -> Copies:
    """What several tests share is made once per kind of database, and all of them run on each."""
    if request.param == "sqlite":
        template = cast(Path, request.getfixturevalue("migrated_sqlite"))

        @contextmanager
        def copied(folder: Path) -> Iterator[str]:
            path = folder / "credsync.db"
            shutil.copyfile(template, path)
            yield _sqlite_url(path)

        return copied
    server = cast(PostgresServer, request.getfixturevalue("postgres"))
    name = cast(str, request.getfixturevalue("migrated_postgres"))
    return lambda _folder: contextmanager(_postgres_database)(server, name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file each SQLite test copies: migrating once is enough."""
    path = tmp_path_factory.mktemp("template") / "credsync.db"
    migrate(_sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> str:
    """The database each PostgreSQL test copies."""
    name = postgres.create_database()
    migrate(postgres.url(name))
    return name


def migrate(url: str) -> None:
    """Bring a database to the newest schema.

    Imported here, so that a broken store fails the tests that stand on it and no others."""
    from credsync.store.database import Database
    from credsync.store.schema import upgrade

    database = Database(url)
    upgrade(database)
    database.close()


def _postgres_database(server: PostgresServer, template: str = "template1") -> Iterator[str]:
    name = server.create_database(template)
    yield server.url(name)
    server.drop_database(name)


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"
