"""What the demo shows: bars on a terminal and lines in a pipe while it runs, then the tables."""

from __future__ import annotations

import io
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from credsync.demo.old_way import CASES, LOOKED_AFTER
from credsync.demo.outcome import Fate, Outcome, share
from credsync.demo.processes import Stage, credsync
from credsync.demo.story import Progress
from credsync.demo.telling import Told, lines

LINE_EVERY = 5.0
PIPE_WIDTH = 118
_NAMES = {
    "signed_up": "signed up",
    "submitted": "application submitted",
    "records": "records in HubSpot",
    "written": "records written",
}


def console() -> Console:
    """Standard output; in a pipe wide enough for the tables."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


@contextmanager
def progress(out: Console, whole: Progress) -> Iterator[Callable[[Progress], None]]:
    """Shows how far a scene has come."""
    if not out.is_terminal:
        yield _Lines(out, asdict(whole))
        return
    columns = TextColumn("  {task.description:22}"), BarColumn(40), MofNCompleteColumn()
    with Bars(*columns, console=out, auto_refresh=False) as bars:
        tasks = {key: bars.add_task(name, total=asdict(whole)[key]) for key, name in _NAMES.items()}
        yield lambda now: _move(bars, tasks, now)


class _Lines:
    """A line now and then, and one when all is done."""

    def __init__(self, out: Console, totals: Mapping[str, int]) -> None:
        self._out = out
        self._totals = totals
        self._shown = dict.fromkeys(totals, 0)
        self._next = time.monotonic() + LINE_EVERY

    def __call__(self, now: Progress) -> None:
        done = asdict(now)
        if done == self._shown or (time.monotonic() < self._next and done != self._totals):
            return
        self._shown, self._next = done, time.monotonic() + LINE_EVERY
        self._out.print(
            "  " + ", ".join(f"{name} {done[key]}/{self._totals[key]}" for key, name in _NAMES.items())
        )


def _move(bars: Bars, tasks: Mapping[str, TaskID], now: Progress) -> None:
    for key, done in asdict(now).items():
        bars.update(tasks[key], completed=done)
    bars.refresh()


def cases_table(outcomes: Sequence[Outcome]) -> Table:
    """The four cases side by side with what the old way would have left of each."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("Case")
    for name in ("First\nlooked", "Record\ncreated", "Id\nfound", "\nWritten", "\nLag"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(f"Left by the old way,\none look {LOOKED_AFTER:g} s after sign-up")
    for each in outcomes:
        at = each.times
        lag = None if at.written is None or at.created is None else at.written - at.created
        cells = [_seconds(value) for value in (at.first_looked, at.created, at.found, at.written, lag)]
        table.add_row(each.label, *cells, _left(each))
    return table


def _seconds(value: float | None) -> str:
    return "not yet" if value is None else f"{value:.1f} s"


def _left(case: Outcome) -> str:
    if not case.old.lost:
        return "all of it"
    early = max(case.old.too_late.values())
    low, high = CASES[case.label].late
    kept = "a part" if case.old.written else "nothing"
    return f"{kept}: looked {early:.1f} s too early (in 2025: {low:.1f} to {high:.1f} s)"


def without_data(cases: Sequence[Outcome]) -> str:
    """Both ways' losses in a sentence."""
    before = sum(each.old.lost for each in cases)
    now = sum(each.fate is not Fate.WRITTEN for each in cases)
    return f"Without their data: {before} of {len(cases)} the old way, {now} of {len(cases)} this way."


_LONGEST_WORD = len("Credentialing,")


def stories_table(told: Sequence[Told]) -> Table:
    """Each story in its own line."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(min_width=_LONGEST_WORD)
    for name, number, text in lines(told):
        table.add_row(name, number, Text(text))
    return table


def totals_table(outcomes: Sequence[Outcome], told: Sequence[Told], calls: int, crowd_calls: float) -> Table:
    """What became of everybody; `crowd_calls` are the calls per therapist without the four cases."""
    fates = [each.fate for each in outcomes] + [each.fate for each in told]
    count = {fate: fates.count(fate) for fate in Fate}
    people, all_people = len(outcomes), len(outcomes) + len(told)
    lost = sum(each.old.lost for each in outcomes)
    first = sum(each.submitted_first for each in outcomes)
    lags = [lag for each in outcomes for lag in each.lags]
    records = len(lags) + sum(each.records for each in told if each.fate is Fate.WRITTEN)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    rows = (
        (
            "Accepted",
            f"{all_people}",
            f"therapists' data: {first} before their records were there, {people - first} after, "
            f"{len(told)} in the stories",
        ),
        ("Written", f"{count[Fate.WRITTEN]}", f"on {records} records, once each, every value as submitted"),
        ("Waiting", f"{count[Fate.WAITING]}", _below(count[Fate.WAITING])),
        ("Needs a person", f"{count[Fate.NEEDS_A_PERSON]}", _below(count[Fate.NEEDS_A_PERSON])),
        (
            "Lost",
            f"{count[Fate.LOST]}",
            f"the old way: {lost} of the {people} without the stories, and nobody told",
        ),
        (
            "HubSpot calls",
            f"{calls / all_people:.2f}",
            f"per therapist, all {calls} counted ({crowd_calls:.2f} without the four)",
        ),
        (
            "Lag",
            f"{share(lags, 0.5):.1f} s",
            f"median, p95 {share(lags, 0.95):.1f} s, longest {max(lags, default=0.0):.1f} s, without the stories",
        ),
    )
    for row in rows:
        table.add_row(*row)
    return table


def _below(number: int) -> str:
    return "each with why and what to run, below" if number else ""


def to_do(told: Sequence[Told], program: str) -> list[str]:
    """Who waits or needs a person, each with why and the one command to run."""
    found: list[str] = []
    for fate in (Fate.NEEDS_A_PERSON, Fate.WAITING):
        some = [each for each in told if each.fate is fate]
        if some:
            found += ["", f"{fate.capitalize()}:"]
        for each in some:
            found += [f"  {each.label} {each.name}: {each.why}", f"    {program} {each.command}"]
    return found


def faults(outcomes: Sequence[Outcome | Told], most: int = 10) -> list[str]:
    """What is wrong, a line for each therapist."""
    found = [
        f"{each.label}: {each.fate}: {'; '.join(each.faults)}"
        for each in outcomes
        if (not each.well if isinstance(each, Told) else each.fate is not Fate.WRITTEN)
    ]
    more = len(found) - most
    return found if more <= 0 else [*found[:most], f"and {more} more"]


def program_of(on: Stage) -> str:
    """How a person who stays calls the demo's own service."""
    return shlex.join([*credsync(), "--config", str(on.folder / "credsync.toml")])


def where_to_watch(out: Console, on: Stage) -> None:
    """For whoever stays: the console, from the first sign-up on."""
    out.print(
        "[bold]Watch it in the console:[/bold] choose a password there (any 15 letters) and you are in."
    )
    out.print(f"  {on.console}\n", markup=False, soft_wrap=True)


def what_to_open(out: Console, on: Stage, therapist: str) -> None:
    """For whoever stays: what can be looked at while it runs."""
    command = program_of(on)
    out.print("\n[bold]It still runs, until Ctrl-C.[/bold] Look around:")
    for line in (
        f"  {on.service.url}/  the console: who waits, why, and one press to mend it",
        f"  {on.service.url}/docs  the API, to be tried with this token:",
        f"  {on.token}",
        f"  {command} show {therapist}",
        f"  {command} list --state in_sync",
        f"  {on.sandbox.url}/_sandbox/truth?limit=4  what HubSpot holds",
        f"  {on.folder}/service.log  what the service logged",
    ):
        out.print(line, markup=False, soft_wrap=True)
