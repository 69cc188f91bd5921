"""A scene on either database, and a sandbox whose time stands still."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from credsync.store.database import Database
from credsync.store.tables import metadata
from credsync_sandbox.server import in_thread
from tests.conftest import BOTH
from tests.databases import PostgresServer
from tests.operate.scene import PORTAL_TOML, Scene, SetClock
from tests.sandbox.driver import Driver, Switch, app_of, driving


@pytest.fixture(scope="session")
def one_postgres(postgres: PostgresServer, migrated_postgres: str) -> str:
    """One database for every scene on PostgreSQL: emptying it is faster than making another."""
    return postgres.url(postgres.create_database(migrated_postgres))


@pytest.fixture(params=BOTH)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """An empty scene, once per kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "credsync.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        url = request.getfixturevalue("one_postgres")
    clock = SetClock()
    database = Database(url, clock)
    yield Scene(database, clock)
    if not database.is_sqlite:
        tables = ", ".join(table.name for table in metadata.sorted_tables if table.name != "audit")
        with database.write() as connection:
            connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    database.close()


@pytest.fixture(scope="session")
def hubspot() -> Iterator[tuple[Switch, str]]:
    """One real server for every sandbox here."""
    switch = Switch()
    with in_thread(switch) as server:
        yield switch, server.url


@pytest.fixture
def sandbox(hubspot: tuple[Switch, str], tmp_path: Path) -> Iterator[Driver]:
    """HubSpot's stand-in, made for the scene's portal."""
    switch, url = hubspot
    switch.app = app_of(tmp_path, PORTAL_TOML.format(url="http://127.0.0.1:9", mode="write"))
    with driving(switch.app, url) as driver:
        yield driver
