"""One console for most tests, each with therapists of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.service import Console, serving_console


@pytest.fixture(scope="session")
def shared_console(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """On SQLite, started once."""
    path = tmp_path_factory.mktemp("console") / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    with serving_console(f"sqlite:///{path}") as console:
        yield console


@pytest.fixture
def console(shared_console: Console) -> Console:
    """The shared console."""
    shared_console.wakes.clear()
    return shared_console
