"""`python -m tests.browser.pictures`: the pictures of docs/ and README, taken of a service that plays the demo's people."""

from __future__ import annotations

from pathlib import Path

import anyio
from playwright.sync_api import Browser, Page

from credsync.demo.calls import connected
from credsync.demo.plan import WORKFLOW, Kind, the_cases, the_crowd, the_stories
from credsync.demo.processes import Stage, stage
from credsync.demo.story import Story
from tests.browser.chromium import started

PLACE = Path(__file__).parents[2] / "docs" / "pictures"
SPEED, SEED, PEOPLE, MINUTES = 15.0, 1, 200, 5.0
PASSWORD = "a few made-up words"
SIZE = {"width": 1200, "height": 820}


def main() -> None:
    """Play, and take every picture in light and in dark."""
    PLACE.mkdir(exist_ok=True)
    with stage(SPEED, SEED, WORKFLOW) as on:
        anyio.run(_play, on)
        with started() as browser:
            page = _signed_in(browser, on)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                _take(page, on, scheme)


async def _play(on: Stage) -> None:
    async with connected(on) as (service, sandbox):
        story = Story(on, service, sandbox, SPEED)
        parts = [*the_cases(SEED), *the_crowd(PEOPLE, MINUTES, SEED), *the_stories(SEED)]
        await story.play(parts, lambda _: None)


def _signed_in(browser: Browser, on: Stage) -> Page:
    context = browser.new_context(
        base_url=on.service.url, viewport=SIZE, locale="en-US", timezone_id="America/New_York"
    )
    page = context.new_page()
    page.goto(on.console)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"{on.service.url}/")
    return page


def _take(page: Page, on: Stage, scheme: str) -> None:
    story = the_stories(SEED)
    for name, address in (
        ("today", "/"),
        ("therapists", "/therapists?state=partial"),
        ("therapist", f"/therapists/{next(each.person.id for each in story if each.kind is Kind.BAD_VALUE)}"),
        ("workflow", "/workflows/demo/credentialing_active_attested"),
        ("settings", "/settings"),
    ):
        page.goto(address)
        page.screenshot(path=PLACE / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
