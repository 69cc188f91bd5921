"""Storms over real processes in the test run: a few blows each; `make storm-processes` deals hundreds."""

from __future__ import annotations

import pytest

from storm.real.storm import STORMS


@pytest.mark.parametrize(("name", "blows"), [("kills-sqlite", 2), ("everything", 3)])
def test_nothing_is_lost_and_nothing_wrong_is_written(name: str, blows: int) -> None:
    """Intake accepts or refuses; what it accepts is kept: over kill -9, SIGSTOP and a database that goes."""
    ended = STORMS[name](1, blows)
    assert not ended.wrongs
    assert ended.writes
