"""Debian's Chromium, started by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Of use where root runs it in a closed network; it visits this machine alone."""


@contextmanager
def started() -> Iterator[Browser]:
    """A browser until the end of the block."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    assert program, "no Chromium was found: make test installs it, or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()
