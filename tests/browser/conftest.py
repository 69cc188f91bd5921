"""A real browser: Debian's Chromium, driven by Playwright; a page that breaks the policy or throws fails its test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.visit import Visit
from tests.console.service import Console, serving_console

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Of use where root runs it in a closed network; it visits this machine alone."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Started once for each test process."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert program, "no Chromium was found: make test installs it, or says how"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield started
        started.close()


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
