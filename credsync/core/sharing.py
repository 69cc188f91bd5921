"""How portals are shared out over workers: nobody is idle beside one who is overloaded, and nothing is without an owner."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil


def may_take(mine: int, portals: int, others: Collection[int], *, nobody_else: bool) -> bool:
    """Whether a worker that has `mine` of `portals` takes a free one, beside workers that have so many.

    Up to its share, at once; more when nobody else wanted it for a while.

    >>> may_take(2, 20, [5, 5, 5], nobody_else=False), may_take(5, 20, [5, 5, 4], nobody_else=False)
    (True, False)
    """
    return nobody_else or mine < ceil(portals / (1 + len(others)))


def to_give_back(mine: int, portals: int, others: Collection[int]) -> int:
    """How many portals a worker gives back, so that others, who have so many, can take them.

    >>> to_give_back(20, 20, [0]), to_give_back(6, 21, [6, 6, 3]), to_give_back(5, 20, [5, 5, 5]), to_give_back(20, 20, [])
    (10, 1, 0, 0)
    """
    if not others or mine - min(others) < 2:
        return 0
    return max(mine - ceil(portals / (1 + len(others))), 1)
