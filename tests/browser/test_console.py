"""The console in a real browser: for everybody, on every screen, with and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from credsync.store.tables import therapists
from tests.api.service import AT, contact
from tests.api.test_choosing import SLOT, ambiguous
from tests.browser.visit import Visit, serious_findings
from tests.console.service import Console

PAGES = (
    "/",
    "/therapists",
    "/therapists?q=nobody-has-this-name",
    "/therapists/{id}",
    "/therapists/{id}/sync",
    "/therapists/{id}/report",
    "/therapists/{id}/links/" + SLOT,
    "/workflows",
    "/workflows/alpha/license",
    "/alerts",
    "/settings",
    "/people",
    "/audit",
    "/tokens",
    "/sessions",
    "/sign-in",
)
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def therapist(console: Console) -> str:
    """Somebody with two records in one slot, a sign-up and a submission; their id."""
    address = console.therapist(contact_id=contact(), name="Ada Example")
    ambiguous(console.api, address, "801", "802")
    console.api.post(f"/v1{address}/sign-ups", {"kind": "first", "occurred_at": AT})
    return address.rpartition("/")[2]


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_a_serious_fault_of_accessibility(visit: Visit, therapist: str, address: str) -> None:
    """axe-core finds nothing serious against WCAG 2.2 AA, in light and in dark."""
    page = visit.as_("admin", bypass_csp=True)
    page.goto(address.replace("{id}", therapist))
    assert serious_findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious_findings(page) == []


@pytest.mark.parametrize("address", PAGES)
def test_every_page_fits_a_screen_of_320_pixels_and_its_policy(
    visit: Visit, therapist: str, address: str
) -> None:
    """Nothing but a table's own scroll area is wider than the screen (WCAG 1.4.10); nothing breaks the policy."""
    page = visit.as_("admin", viewport={"width": 320, "height": 640})
    page.goto(address.replace("{id}", therapist))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_from_the_first_page_to_sync_now(visit: Visit, console: Console, script: bool) -> None:
    """Find a therapist, read whose turn it is, see what Sync now would do, press it: with and without JavaScript."""
    name = f"Grace Example {contact()}"
    address = console.therapist(contact_id=contact(), name=name)
    page = visit.as_("success", java_script_enabled=script)
    page.goto("/")
    page.get_by_role("searchbox", name="Find a therapist").fill(name)
    page.get_by_role("button", name="Find").click()
    expect(page).to_have_url(f"{console.url}{address}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.get_by_role("link", name="Sync now").click()
    page.get_by_label("Why").fill("on the phone")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")
    expect(page.get_by_text("“on the phone”")).to_be_visible()


def test_the_keyboard_alone_does_it(visit: Visit, console: Console) -> None:
    """Skip link, search, and Sync now, with Tab and Enter; what has the focus is seen."""
    name = f"Alan Example {contact()}"
    console.therapist(contact_id=contact(), name=name)
    page = visit.as_("success")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    search = page.get_by_role("searchbox", name="Find a therapist")
    for _ in range(20):
        page.keyboard.press("Tab")
        if search.evaluate("each => each === document.activeElement"):
            break
    expect(search).to_be_focused()
    assert search.evaluate("each => getComputedStyle(each).outlineStyle") != "none"
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    press = page.get_by_role("link", name="Sync now")
    for _ in range(30):
        page.keyboard.press("Tab")
        if press.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sync now")


def test_nothing_that_is_shown_runs(visit: Visit, console: Console) -> None:
    """Mark-up in a name, a note and a reason is read, never run."""
    address = console.therapist(contact_id=contact())
    with console.api.database.write() as connection:
        mine = therapists.c.id == address.rpartition("/")[2]
        connection.execute(update(therapists).where(mine).values(name=SCRIPT, email=SCRIPT))
    page = visit.as_("success")
    page.goto(address)
    page.get_by_label("Note for your colleagues").fill(SCRIPT)
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text(f"“{SCRIPT}”")).to_be_visible()
    for more in ("", "/sync", "/report"):
        page.goto(f"{address}{more}")
        expect(page.get_by_role("heading", level=1)).to_contain_text(SCRIPT)
    page.goto(f"/therapists?q={SCRIPT}")


def test_times_are_shown_in_the_viewers_zone_and_in_utc(visit: Visit, console: Console) -> None:
    address = console.therapist(contact_id=contact())
    console.api.post(f"/v1{address}/sign-ups", {"kind": "first", "occurred_at": AT})
    page = visit.as_("viewer", timezone_id="America/New_York")
    page.goto(address)
    shown = page.locator("time").first
    utc = shown.get_attribute("title") or ""
    assert utc.endswith("UTC")
    assert shown.inner_text() != utc
    plain = visit.as_("viewer", java_script_enabled=False)
    plain.goto(address)
    assert plain.locator("time").first.inner_text().endswith("UTC")


def test_the_report_is_copied_in_one_press_on_plain_http_too(visit: Visit, console: Console) -> None:
    address = console.therapist(contact_id=contact(), name="Mary Example")
    page = visit.as_("success")
    page.goto(f"{address}/report")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.addEventListener('copy', () => { window.copied = String(getSelection()) })")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copy ✓")).to_be_visible()
    assert page.evaluate("document.getElementById('report').selectionEnd") > 100
