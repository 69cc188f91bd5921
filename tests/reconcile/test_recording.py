"""How a round's outcome gets into the database: in parts, and whole for each therapist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from credsync.reconcile import round as rounds
from credsync.store.rounds import Turn, record_turns
from tests.operate.scene import ACTIVE, Scene, edge_to, whole_form
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
CA = whole_form()
CA.pop("education_and_training")


async def test_a_round_is_recorded_in_parts(
    scene: Scene, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time here, so that the one writer is free for a fact in between; everybody is written and in sync."""
    parts: list[int] = []

    def counting(connection: Any, lease: Any, portal: str, turns: Sequence[Turn], *rest: Any) -> set[str]:
        parts.append(len(turns))
        return record_turns(connection, lease, portal, turns, *rest)

    monkeypatch.setattr(rounds, "record_turns", counting)
    monkeypatch.setattr(rounds, "_RECORDED_TOGETHER", 2)
    people = range(1, 6)
    for number in people:
        sandbox.contact(id=f"10{number}")
        scene.sign_up(number, f"10{number}")
        scene.submit(number, data=CA)
    scene.clock.wait(5)
    async with (edge := edge_to(sandbox.url)).client:
        await scene.round(edge)
    assert parts == [2, 2, 1] * 2, "before sending, and after"
    assert {scene.status(number)["state"] for number in people} == {"in_sync"}
    assert {sandbox.records(f"10{number}")[ACTIVE]["writes"] for number in people} == {1}
