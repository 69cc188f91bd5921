"""What every storm in the tests stands on: databases that are all alike, and a log that is searched, not shown."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from storm.seeds import Fresh, listen, on_postgres, on_sqlite
from tests.databases import PostgresServer


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """The service's log is searched for canaries while a storm lasts."""
    before = structlog.get_config()
    listen()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def on_file() -> Iterator[Fresh]:
    """Databases on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        yield on_sqlite(Path(folder))


@pytest.fixture(scope="module")
def on_server(postgres: PostgresServer) -> Fresh:
    """Databases on PostgreSQL."""
    return on_postgres(postgres)
