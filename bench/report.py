"""Figures and the one table they end in."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

IN_A_PIPE = 180
"""Columns where no terminal says how many there are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `met` is None for a figure without a target."""

    what: str
    measured: str
    alternative: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


def percentile(values: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that at least this share of all values does not exceed.

    >>> percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.95)
    (2, 4)
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values, no percentile")
    if not 0 < share <= 1:
        raise ValueError("share is above 0 and at most 1")
    return ordered[math.ceil(share * len(ordered)) - 1]


def median(values: Iterable[float]) -> float:
    """The middle value; of an even number, the mean of the two in the middle."""
    return statistics.median(values)


def times(more: float, less: float) -> str:
    """How many times `less` is in `more`.

    >>> times(5000, 23), times(3, 2), times(1, 0)
    ('217 x', '1.5 x', '-')
    """
    if less == 0:
        return "-"
    ratio = more / less
    return f"{ratio:,.0f} x" if ratio >= 10 else f"{ratio:.1f} x"


def missed(rows: Iterable[Row]) -> list[Row]:
    """The rows whose target was not met."""
    return [row for row in rows if row.met is False]


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the table."""
    console = console or Console(width=None if sys.stdout.isatty() else IN_A_PIPE)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("measure", "measured", "alternative", "ratio", "target", "met"):
        table.add_column(name, justify="right" if name == "ratio" else "left")
    for row in rows:
        met = "" if row.met is None else "yes" if row.met else "[bold red]no[/]"
        table.add_row(row.what, row.measured, row.alternative, row.ratio, row.target, met)
    console.print(table)
