"""One sandbox per test, its time standing still, its contacts' records 90 s late unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from credsync_sandbox.server import in_thread
from tests.sandbox.driver import Driver, Switch, app_of, driving


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Switch, str]]:
    """One real server for all tests that need nothing special of it."""
    switch = Switch()
    with in_thread(switch) as running:
        yield switch, running.url


@pytest.fixture
def sandbox(server: tuple[Switch, str], tmp_path: Path) -> Iterator[Driver]:
    """A fresh one."""
    switch, url = server
    switch.app = app_of(tmp_path)
    with driving(switch.app, url) as driver:
        yield driver
