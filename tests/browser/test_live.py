"""Live pages: what is new is shown by itself, never under somebody's hand, and its age always."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.api.service import contact
from tests.browser.visit import Visit
from tests.console.service import Console


def live(page: Page) -> None:
    """Press Live and wait until the page listens."""
    page.get_by_role("button", name="Live").click()
    expect(page.locator(".live[data-listening]")).to_be_visible()


def test_what_is_new_comes_by_itself_where_somebody_asked_for_it(visit: Visit, console: Console) -> None:
    address = console.therapist(contact_id=contact(), name="Ada Example")
    page = visit.as_("success")
    page.goto(address)
    live(page)
    expect(page.locator("[data-age]")).to_contain_text("as of")
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Live").blur()
    console.press(f"{address}/notes", text="from a colleague")
    expect(page.get_by_text("“from a colleague”")).to_be_visible()


def test_nothing_moves_while_somebody_is_at_it(visit: Visit, console: Console) -> None:
    """With a note half written what is new waits for a press, and the note stays."""
    address = console.therapist(contact_id=contact(), name="Ada Example")
    page = visit.as_("success")
    page.goto(address)
    live(page)
    newer = page.get_by_role("button", name="Show what is new")
    expect(newer).to_be_hidden()
    page.get_by_label("Note for your colleagues").fill("half a sentence")
    console.press(f"{address}/notes", text="from a colleague")
    expect(newer).to_be_visible()
    expect(page.get_by_text("“from a colleague”")).to_have_count(0)
    assert page.get_by_label("Note for your colleagues").input_value() == "half a sentence"
    newer.click()
    expect(page.get_by_text("“from a colleague”")).to_be_visible()


def test_without_javascript_nothing_offers_to_be_live(visit: Visit, console: Console) -> None:
    page = visit.as_("success", java_script_enabled=False)
    page.goto(console.therapist(contact_id=contact()))
    expect(page.get_by_role("button", name="Live")).to_have_count(0)
