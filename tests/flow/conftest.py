"""A world on each kind of database.

`here` is a test's own world, `shared` one for all tests of a file, as the file's `WORLD` describes it. After every
test the oracle judges.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from credsync.store.database import Database
from credsync.store.tokens import Scope, create_token
from tests.conftest import BOTH
from tests.databases import PostgresServer
from tests.flow.world import World, world


@dataclass(frozen=True)
class Fresh:
    """Makes databases of one kind, at the newest schema and with `token` in them; each takes a folder and is gone
    after its block.
    """

    token: str
    database: Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(scope="session", params=BOTH)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Databases of each kind: every test that has a world runs on both."""
    if request.param == "sqlite":
        return on_sqlite(request.getfixturevalue("migrated_sqlite"), tmp_path_factory.mktemp("flow"))
    server = cast(PostgresServer, request.getfixturevalue("postgres"))
    return on_postgres(server, request.getfixturevalue("migrated_postgres"))


def on_sqlite(migrated: Path, folder: Path) -> Fresh:
    """Copies of one file, each with the token too."""
    template = folder / "template.db"
    shutil.copyfile(migrated, template)

    @contextmanager
    def copied(folder: Path) -> Iterator[str]:
        path = folder / "credsync.db"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"

    return Fresh(_token(f"sqlite:///{template}"), copied)


def on_postgres(server: PostgresServer, template: str) -> Fresh:
    """Copies of one database, each with the token too."""
    template = server.create_database(template)

    @contextmanager
    def copied(_folder: Path) -> Iterator[str]:
        name = server.create_database(template)
        try:
            yield server.url(name)
        finally:
            server.drop_database(name)

    return Fresh(_token(server.url(template)), copied)


def _token(url: str) -> str:
    database = Database(url)
    with database.write() as connection:
        made = create_token(connection, "test", [Scope.ADMIN], datetime.now(UTC))
    database.close()
    return made


@pytest.fixture
def here(tmp_path: Path, fresh: Fresh) -> Iterator[World]:
    """A world whose records come 90 s (of sandbox time) after the sign-up."""
    with fresh.database(tmp_path) as url, world(tmp_path, url, token=fresh.token) as made:
        yield made


@pytest.fixture(scope="module")
def of_the_file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fresh: Fresh
) -> Iterator[World]:
    """The world that the tests of one file share."""
    folder = tmp_path_factory.mktemp("world")
    options = request.module.WORLD
    with fresh.database(folder) as url, world(folder, url, token=fresh.token, **options) as made:
        yield made


@pytest.fixture
def shared(of_the_file: World) -> Iterator[World]:
    """The file's world; each test has its own therapists and contacts in it."""
    yield of_the_file
    of_the_file.hubspot.delete("/_sandbox/faults")
    of_the_file.judge()
