"""An opened database of each kind, with a clock the test sets where the kind lets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from credsync.store.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """At the newest schema."""
    opened = Database(database_url)
    yield opened
    opened.close()
