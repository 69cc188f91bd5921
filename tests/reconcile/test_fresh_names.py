"""Before what HubSpot calls things is the only reason to refuse a value, it is asked again, unless it just was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operate.scene import ACTIVE, Scene, edge_to, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


def options(sandbox: Driver, *values: str) -> None:
    """An administrator gives the property these options."""
    named = [{"label": value, "value": value} for value in values]
    medicare = {"name": "medicare", "type": "enumeration", "fieldType": "select", "options": named}
    sandbox.do("/schema", {"object": "credentialing", "property": medicare}, method="PUT")


def medicare(sandbox: Driver) -> str | None:
    records = sandbox.truth("101")["records"]
    value: str | None = next(r for r in records if ACTIVE in r["slots"])["properties"].get("medicare")
    return value


def form(status: str) -> dict[str, Any]:
    data = whole_form()
    data["npi_and_caqh"]["medicare_status"] = status
    return data


async def test_an_option_that_was_just_added_is_known_to_the_next_submission(
    scene: Scene, sandbox: Driver
) -> None:
    """Nobody has to press anything, and the names are not read in every round for it."""
    options(sandbox, "Yes", "No")
    sandbox.contact(id="101")
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up()
        await scene.round(edge)
        options(sandbox, "Yes", "No", "opted_out")
        scene.clock.wait(61)
        scene.submit(data=form("opted_out"))
        await scene.round(edge)
    assert medicare(sandbox) == "opted_out"


async def test_names_that_were_just_read_are_believed(scene: Scene, sandbox: Driver) -> None:
    """A bad value costs no more calls than a good one, however many of them come."""
    options(sandbox, "Yes", "No")
    sandbox.contact(id="101")
    edge = edge_to(sandbox.url)
    async with edge.client:
        scene.sign_up()
        await scene.round(edge)
        sandbox.do("/requests", method="DELETE")
        scene.clock.wait(30)
        scene.submit(data=form("opted_out"))
        await scene.round(edge)
    assert medicare(sandbox) is None
    assert scene.status()["state"] == "partial"
    assert "schema" not in sandbox.do("/requests/summary", method="GET")["by_kind"]
