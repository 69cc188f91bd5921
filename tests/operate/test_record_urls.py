"""Addresses of HubSpot's pages, made and read."""

from __future__ import annotations

import pytest

from credsync.operate.record_urls import Pages, parse_record_url

PAGES = Pages("1234567", "app-eu1.hubspot.com", {"license": "2-102"})


def test_a_page_has_the_accounts_own_domain() -> None:
    assert PAGES.contact("101") == "https://app-eu1.hubspot.com/contacts/1234567/record/0-1/101"
    assert PAGES.record("license", "77") == "https://app-eu1.hubspot.com/contacts/1234567/record/2-102/77"


@pytest.mark.parametrize(
    ("pages", "key", "record"),
    [
        (Pages(None, None, {}), "license", "77"),
        (Pages("1234567", "app.hubspot.com", {}), "license", "77"),
        (PAGES, None, "77"),
        (PAGES, "license", None),
        (Pages("1234567", "evil.example/x?", {"license": "2-102"}), "license", "77"),
        (Pages("1234567", "app.hubspot.com", {"license": "2-102)"}), "license", "77"),
    ],
)
def test_what_is_not_known_or_not_sound_makes_no_address(
    pages: Pages, key: str | None, record: str | None
) -> None:
    assert pages.record(key, record) is None


@pytest.mark.parametrize(
    ("text", "type_id", "record_id"),
    [
        ("https://app.hubspot.com/contacts/1234567/record/2-102/77", "2-102", "77"),
        (" https://app-eu1.hubspot.com/contacts/1234567/record/0-1/101/view/1?x=y ", "0-1", "101"),
        ("https://app.hubspot.com/contacts/1234567/contact/101#note", "0-1", "101"),
    ],
)
def test_an_address_is_read_whatever_follows_it(text: str, type_id: str, record_id: str) -> None:
    assert parse_record_url(text) == ("1234567", type_id, record_id)


@pytest.mark.parametrize(
    "text",
    [
        "77",
        "Ada",
        "https://app.hubspot.com/contacts/1234567/objects/2-102/views/all/list",
        "https://app.hubspot.com/contacts/1234567/record/2-102/77x",
        "javascript://app.hubspot.com/contacts/1234567/record/2-102/77",
        "https://app.hubspot.com/contacts/1234567/record/2-102/77 and more",
    ],
)
def test_another_text_is_no_address(text: str) -> None:
    assert parse_record_url(text) is None
