"""A world on SQLite for most tests; those about the database ask for `database_url` themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.world import World, world


@pytest.fixture
def here(tmp_path: Path, migrated_sqlite: Path) -> Iterator[World]:
    """A world whose records come 90 s (of sandbox time) after the sign-up."""
    database = tmp_path / "credsync.db"
    shutil.copyfile(migrated_sqlite, database)
    with world(tmp_path, f"sqlite:///{database}") as made:
        yield made
