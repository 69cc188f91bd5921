"""A therapist's e-mail address: whole for those who may see it, masked for a viewer, and nowhere else."""

from __future__ import annotations

import pytest

from tests.api.service import AT, contact
from tests.console.service import Console

EMAIL, PHONE = "grace.example@example.org", "+12125550123"


@pytest.fixture(scope="module")
def page(shared_console: Console) -> str:
    """Somebody whose backend gave an address, and who signed up with another and a telephone number."""
    address = shared_console.therapist(contact_id=contact(), name="Grace Example", email=EMAIL)
    data = {"first_name": "Grace", "email": "other@example.org", "phone": PHONE}
    answer = shared_console.api.post(
        f"/v1{address}/sign-ups", {"kind": "first", "occurred_at": AT, "data": data}
    )
    assert answer.status_code == 202, answer.text
    return address


@pytest.mark.parametrize("role", ["viewer", "success", "admin"])
def test_a_viewer_reads_an_address_masked_and_others_whole(console: Console, page: str, role: str) -> None:
    """A viewer reads a therapist's e-mail address masked; success and admin read it whole."""
    shown = console.get(page, role).text
    assert (EMAIL in shown) == (role != "viewer")
    assert ("g…@example.org" in shown) == (role == "viewer")


@pytest.mark.parametrize("role", ["viewer", "success", "admin"])
def test_no_other_page_or_file_holds_an_address_or_a_telephone_number(
    console: Console, page: str, role: str
) -> None:
    """No list, file, report or other page of the console holds an e-mail address or a telephone number of a therapist's."""
    for address in (
        "/",
        "/therapists",
        "/therapists?q=Grace",
        "/therapists.csv",
        f"{page}/report",
        f"{page}/report?format=json",
        f"{page}/report?format=md",
        "/audit",
    ):
        shown = console.get(address, role).text
        assert EMAIL not in shown, address
        assert "other@example.org" not in shown, address
        assert PHONE not in shown, address
    assert "other@example.org" not in console.get(page, role).text
    assert PHONE not in console.get(page, role).text


def test_no_answer_of_the_api_holds_them(console: Console, page: str) -> None:
    for address in (f"/v1{page}", f"/v1{page}/packet", f"/v1{page}/timeline", "/v1/therapists", "/v1/events"):
        shown = console.api.get(address).text
        assert EMAIL not in shown
        assert PHONE not in shown
