"""A world on SQLite for most tests; those about the database ask for `database_url` themselves.

`here` is a test's own world, `shared` one for all tests of a file, as the file's `WORLD` describes it. After every
test the oracle judges.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import World, world


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> tuple[Path, str]:
    """The database each world copies, and the token that is in it."""
    path = tmp_path_factory.mktemp("flow") / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    made = subprocess.run(
        [sys.executable, "-m", "credsync", "token", "create", "test", "--scope", "admin"],
        env={**os.environ, "CREDSYNC_DATABASE_URL": f"sqlite:///{path}"},
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return path, made.stdout.strip()


@pytest.fixture
def here(tmp_path: Path, template: tuple[Path, str]) -> Iterator[World]:
    """A world whose records come 90 s (of sandbox time) after the sign-up."""
    database = tmp_path / "credsync.db"
    shutil.copyfile(template[0], database)
    with world(tmp_path, f"sqlite:///{database}", token=template[1]) as made:
        yield made


@pytest.fixture(scope="module")
def of_the_file(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, template: tuple[Path, str]
) -> Iterator[World]:
    """The world that the tests of one file share."""
    folder = tmp_path_factory.mktemp("world")
    database = folder / "credsync.db"
    shutil.copyfile(template[0], database)
    options = request.module.WORLD
    with world(folder, f"sqlite:///{database}", token=template[1], **options) as made:
        yield made


@pytest.fixture
def shared(of_the_file: World) -> Iterator[World]:
    """The file's world; each test has its own therapists and contacts in it."""
    yield of_the_file
    of_the_file.hubspot.delete("/_sandbox/faults")
    of_the_file.judge()
