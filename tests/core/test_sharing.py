"""Portals are shared out over workers evenly, whoever comes and goes, and none is given back for nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.sharing import may_take, to_give_back


@given(st.integers(1, 40), st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_workers_come_to_even_shares_and_stay_there(portals: int, start: list[int]) -> None:
    """However they begin: in a few turns all portals are owned, no worker has two more than another, nothing moves."""
    counts: list[int] = []
    for wanted in start:
        counts.append(min(wanted, portals - sum(counts)))
    for _ in range(20):
        before = list(counts)
        gives = [to_give_back(c, portals, _others(counts, n)) for n, c in enumerate(counts)]
        counts = [c - g for c, g in zip(counts, gives, strict=True)]
        assert min(counts) >= 0
        _take_all(counts, portals)
        assert sum(counts) == portals
        if counts == before and not any(gives):
            break
    else:
        raise AssertionError("it does not come to rest")
    assert max(counts) - min(counts) <= 1


def _take_all(counts: list[int], portals: int) -> None:
    """Whoever may take at once does, the first first; what nobody wants then goes to who waited."""
    while sum(counts) < portals:
        able = [
            n for n, c in enumerate(counts) if may_take(c, portals, _others(counts, n), nobody_else=False)
        ]
        counts[min(able, key=lambda n: counts[n])] += 1


def _others(counts: list[int], mine: int) -> list[int]:
    return [count for number, count in enumerate(counts) if number != mine]


def test_what_nobody_else_wants_is_taken_all_the_same() -> None:
    """A portal is never without an owner because its worker has its share already."""
    assert may_take(20, 20, [0, 0, 0], nobody_else=True)
    assert not may_take(5, 20, [0, 0, 0], nobody_else=False)
