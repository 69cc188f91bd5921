"""Crashes at every durable step; `python -m storm.steps` takes all of them, the test run each fifth."""

from __future__ import annotations

from storm.seeds import Fresh
from storm.steps import count, each_step


def test_a_process_killed_at_any_durable_step_costs_nothing(on_file: Fresh) -> None:
    """What was submitted is on its record in the end, once, whichever commit the process died before or after."""
    steps = count(on_file)
    outcomes = list(each_step(on_file, range(1, steps + 1, 5)))
    assert [(step, after, o.wrongs) for step, after, o in outcomes if o.wrongs] == []
    assert all(o.met["killed"] for _, _, o in outcomes), "each of them did die"
