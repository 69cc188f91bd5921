"""A real browser: Debian's Chromium, driven by Playwright; a page that breaks the policy or throws fails its test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import started
from tests.browser.visit import Visit
from tests.console.service import Console, serving_console

expect.set_options(timeout=20_000)
"""Milliseconds; a machine may be busy, and live pages take some seconds by design."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Gone with the last test of a file: while it runs, Playwright's event loop is the thread's, and no other may run."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def console(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One console for all visits, each with therapists of its own."""
    path = tmp_path_factory.mktemp("browser") / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    with serving_console(f"sqlite:///{path}") as served:
        yield served


@pytest.fixture
def visit(browser: Browser, console: Console) -> Iterator[Visit]:
    """Opens pages as somebody of a role."""
    visiting = Visit(browser, console)
    yield visiting
    visiting.end()


@pytest.fixture
def page(visit: Visit) -> Page:
    """A page that somebody of Success has in front of them."""
    return visit.as_("success")
