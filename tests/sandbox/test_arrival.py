"""How webhook events come: in no order, twice, late, and yet each of them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync_sandbox.arrival import MOST_EVENTS, REPEATED_WITHIN, Arrivals, Manner, Message
from tests.sandbox.driver import Driver


def happened(count: int) -> list[Message]:
    """So many events, and a word of a workflow."""
    return [*(Message(({"n": n},)) for n in range(count)), Message(({"hs_object_id": 7},), "license.NY")]


def told(bodies: list[Message]) -> list[Any]:
    """What the bodies hold, in order; a workflow's word by its name."""
    return [message.workflow or event["n"] for message in bodies for event in message.events]


@given(
    manner=st.builds(
        Manner,
        shuffled=st.booleans(),
        doubled=st.sampled_from([0.0, 0.3, 1.0]),
        late=st.sampled_from([0.0, 5.0, 90.0]),
    ),
    count=st.integers(0, 300),
    seed=st.integers(0, 9),
)
def test_each_event_comes_once_or_twice_and_in_time(manner: Manner, count: int, seed: int) -> None:
    """None is lost, none later than is set, and no body holds more than a hundred or mixes the two kinds."""
    arrivals = Arrivals(Random(seed))
    arrivals.happened(happened(count), manner, 100.0)
    first = arrivals.due(manner, 100.0 + manner.late)
    seen = Counter(told(first))
    assert set(seen) == {*range(count), "license.NY"}
    rest = arrivals.due(manner, 100.0 + max(manner.late, REPEATED_WITHIN))
    assert len(arrivals) == 0
    seen += Counter(told(rest))
    assert set(seen.values()) <= ({1} if not manner.doubled else {2} if manner.doubled == 1 else {1, 2})
    assert all(1 <= len(body) <= MOST_EVENTS for body in [*first, *rest])
    assert all(len(body) == 1 for body in [*first, *rest] if body.workflow)


def test_as_they_happened_unless_told_otherwise() -> None:
    """In order, in full bodies, at once; shuffled, in another order and other bodies, the same for a seed."""
    arrivals = Arrivals(Random(1))
    arrivals.happened(happened(250), Manner(), 0.0)
    bodies = arrivals.due(Manner(), 0.0)
    assert [len(body) for body in bodies] == [1, 100, 100, 50]
    assert told(bodies)[1:] == list(range(250))
    mixed = Manner(shuffled=True)
    orders = []
    for _ in range(2):
        arrivals = Arrivals(Random(1))
        arrivals.happened(happened(250), mixed, 0.0)
        orders.append(told(arrivals.due(mixed, 0.0)))
    assert orders[0] == orders[1]
    assert orders[0][1:] != list(range(250))


def test_late_ones_overtake_each_other_and_dropped_ones_never_come() -> None:
    """Each event is late by itself; an event that comes twice has one id, and ids go round."""
    arrivals, late = Arrivals(Random(1)), Manner(late=60.0, doubled=1.0)
    arrivals.happened(happened(50), late, 0.0)
    assert arrivals.due(late, 0.0) == []
    half = told(arrivals.due(late, 30.0))
    assert 0 < len(half) < 102
    assert half != sorted(half, key=str)
    arrivals.clear()
    arrivals.happened(happened(1_001), Manner(doubled=1.0), 0.0)
    bodies = arrivals.due(Manner(), REPEATED_WITHIN)
    ids: dict[int, set[int]] = {}
    for event in (event for body in bodies if not body.workflow for event in body.events):
        ids.setdefault(event["n"], set()).add(event["eventId"])
    assert all(len(each) == 1 for each in ids.values())
    assert ids[0] == ids[1_000]
    arrivals.happened(happened(10), Manner(drop=1.0), 0.0)
    assert len(arrivals) == 0


@pytest.mark.parametrize(
    "wrong", [{"doubled": 2}, {"late": "soon"}, {"shuffled": 1}, {"of_workflows": "yes"}, {"drop": True}]
)
def test_a_manner_that_cannot_be_is_refused(sandbox: Driver, wrong: dict[str, Any]) -> None:
    """By its name, and nothing is set."""
    body = {"url": "http://127.0.0.1:9/", "secret": "s", **wrong}
    assert next(iter(wrong)) in sandbox.do("/webhooks", body, status=400)["error"]
    assert sandbox.do("/webhooks", method="GET")["url"] is None
    sandbox.do("/settings", {"webhooks_doubled": 2}, method="PUT", status=400)
    sandbox.do("/settings", {"webhooks_late": 30, "webhooks_shuffled": True}, method="PUT", status=200)
