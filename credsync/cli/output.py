"""What a command prints: tables and pairs for people, JSON for machines.

In a pipe a table is plain aligned text, however wide: no id is ever cut or wrapped, and no colour is sent.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from shutil import get_terminal_size
from textwrap import wrap
from typing import Annotated, Any, TypeVar

import typer

_T = TypeVar("_T")
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

TOGETHER = 500
GAP = "  "
NARROWEST = 24
"""A column narrower than this is left to the terminal to wrap."""
COLOURS = {
    **dict.fromkeys(("ok", "in_sync", "found", "written"), "green"),
    **dict.fromkeys(("advice", "waiting", "awaited", "due", "unknown"), "yellow"),
    **dict.fromkeys(("failing", "refused", "ambiguous", "partial", "held", "given_up", "overdue"), "red"),
}
"""Of a word that says how something stands, on a terminal."""


def say(text: str = "") -> None:
    """One line for a person on standard output."""
    typer.echo(text)


def say_text(text: str) -> None:
    """Lines as they are, but for what would steer the terminal."""
    for line in text.rstrip("\n").split("\n"):
        typer.echo(_harmless(line))


def say_json(value: Any) -> None:
    """A value as JSON on standard output; what would steer the terminal is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    typer.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def say_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under their headings. The last is for prose: its lines stay, and wrap on a terminal; no other wraps."""
    cells = [[*map(_cell, row[:-1]), _lines(row[-1])] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(head, *cells, strict=True)][:-1]
    before = sum(width + len(GAP) for width in widths)
    room = _width() - before
    for number, row in enumerate([list(head), *cells]):
        first, *more = _wrapped(row[-1], room)
        parts = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        line = [_coloured(part) if number else typer.style(part, bold=True) for part in [*parts, first]]
        typer.echo(GAP.join(line).rstrip())
        for rest in more:
            typer.echo(" " * before + rest)


def say_pairs(pairs: Mapping[str, object]) -> None:
    """Names and values, one a line; what is None is left out."""
    known = {name: _lines(value) for name, value in pairs.items() if value is not None}
    width = max((len(name) for name in known), default=0)
    for name, value in known.items():
        first, *more = _wrapped(value, _width() - width - len(GAP))
        typer.echo(f"{typer.style(name.ljust(width), dim=True)}{GAP}{_coloured(first)}")
        for rest in more:
            typer.echo(" " * (width + len(GAP)) + rest)


def in_parts(items: Sequence[_T]) -> list[Sequence[_T]]:
    """As many at a time as go into one transaction: intake gets its turn between two of them."""
    return [items[start : start + TOGETHER] for start in range(0, len(items), TOGETHER)]


def progress(steps: Sequence[_T], what: str) -> Iterator[_T]:
    """The steps one by one, with a bar on standard error while somebody watches; none in a pipe."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(steps, what, console=Console(stderr=True), transient=True)


def moment(value: datetime | str | None) -> str:
    """A moment for people: UTC, to the second; a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _cell(value: object) -> str:
    """One line of text in which nothing steers the terminal; a dash for nothing."""
    return _harmless("-" if value is None or value == "" else str(value))


def _harmless(line: str) -> str:
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in line)


def _lines(value: object) -> str:
    return "\n".join(map(_cell, str(value).split("\n"))) if value else _cell(value)


def _coloured(cell: str) -> str:
    colour = None if "NO_COLOR" in os.environ else COLOURS.get(cell.strip())
    return typer.style(cell, fg=colour) if colour else cell


def _width() -> int:
    """The terminal's width; in a pipe nothing is too wide."""
    return get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _wrapped(text: str, room: int) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= room or room < NARROWEST:
            lines.append(line)
        else:
            lines += wrap(line, room, break_long_words=False, break_on_hyphens=False)
    return lines
