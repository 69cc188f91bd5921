"""A visit to the console with a browser, and what nobody must meet on one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.console.service import Console

_AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")


class Visit:
    """One test's visits. `end` fails the test where a page broke the policy, threw, or asked for something not there."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser = browser
        self._console = console
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def as_(self, role: str, **options: Any) -> Page:
        """A page of somebody of this role; options are those of a browser context (`java_script_enabled`, `viewport`)."""
        context = self._browser.new_context(
            base_url=self._console.url, locale=options.pop("locale", "en-US"), **options
        )
        context.set_extra_http_headers({"X-Role": role})
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "dialog", lambda dialog: (self.faults.append(f"a dialog: {dialog.message}"), dialog.dismiss())
        )
        return page

    def end(self) -> None:
        """Close everything."""
        for context in self._contexts:
            context.close()
        assert self.faults == []

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)


def serious_findings(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA on a page as it stands, as far as it is serious.

    The page is of a context with `bypass_csp`: axe-core is a script that the policy would not run.
    """
    page.add_script_tag(path=_AXE)
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{each['id']}: {node['html']}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]
