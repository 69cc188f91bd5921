"""`make bench`: every measure and one table; a measure's name runs that one alone. Exit 1 if a target was missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from bench import (
    crowd,
    faults,
    floor,
    hints,
    intake,
    lag,
    one_round,
    pages,
    poison,
    simulate,
    spread,
    throughput,
    whole_rounds,
)
from bench.processes import BenchFailed
from bench.report import Row, missed, show

SEEDS = 5
HINTED_SEEDS = 3
KILLS, SCALED, SUBMITS = 50, 10, 60
SPEED = 2.5
"""A second of the machine's counts as so many of the rule's: seeds abreast at a low speed distort less than one after
another at a high one, and take as long."""
_said = Console(stderr=True, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 every target met, 1 one missed or a measure failed, 2 usage."""
    options = _parser().parse_args(arguments)
    measures: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
        "floor": _floor,
        "lag": _lag,
        "hints": _hints,
        "intake": _intake,
        "poison": _poison,
        "round": _round,
        "crowd": _crowd,
        "pages": _pages,
        "throughput": _throughput,
        "faults": _faults,
        "spread": _spread,
    }
    if options.measure == "simulate":
        return _simulate(options)
    chosen = list(measures) if options.measure is None else [options.measure]
    rows: list[Row] = []
    try:
        for name in chosen:
            rows += measures[name](options)
    except BenchFailed as failure:
        _said.print(f"bench: {failure}")
        return 1
    show(rows)
    return 1 if missed(rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.set_defaults(
        kills=KILLS,
        submits=SUBMITS,
        only=[],
        therapists=1_000,
        seeds=SEEDS,
        first_seed=1,
        speed=SPEED,
        abreast=SEEDS,
        writes=2,
        settings={},
        seconds=10.0,
        crowd=100_000,
        on="sqlite",
        due=crowd.DUE,
        few=None,
        objects=throughput.OBJECTS_IN_ALL,
        each=faults.THERAPISTS,
    )
    measures = parser.add_subparsers(dest="measure", metavar="MEASURE")
    settings = argparse.ArgumentParser(add_help=False)
    settings.add_argument("--therapists", type=int, default=1_000)
    settings.add_argument(
        "--set",
        dest="settings",
        action=_Settings,
        default={},
        metavar="KEY=VALUE",
        help="a setting of the service, such as coalesce=2s; may be repeated",
    )
    measures.add_parser(
        "floor", parents=[settings], help="calls for 1,000 therapists whose records are there"
    )
    late = argparse.ArgumentParser(add_help=False, parents=[settings])
    late.add_argument("--seeds", type=int, default=SEEDS)
    late.add_argument("--first-seed", type=int, default=1)
    late.add_argument("--speed", type=_speed, default=SPEED, help="1 is real time, 10 the most")
    late.add_argument(
        "--abreast", type=int, default=SEEDS, help="seeds run at once, each on processes of its own"
    )
    late.add_argument("--writes", type=int, choices=(1, 2, 3), default=2, help="object types written")
    measures.add_parser("lag", parents=[late], help="from visible to written, and calls each")
    measures.add_parser("hints", parents=[late], help="the same with webhooks, and looks beside the fewest")
    full = measures.add_parser("intake", parents=[settings], help="applications taken in per second")
    full.add_argument("--seconds", type=float, default=10.0)
    full.add_argument("--notify", action="store_true", help="on PostgreSQL, with and without NOTIFY, alone")
    measures.add_parser(
        "poison", parents=[settings], help="calls where one record of a hundred holds a bad value"
    )
    measures.add_parser("round", parents=[settings], help="what a round costs: calls, statements, bytes")
    many = measures.add_parser("crowd", help="what it costs that 100,000 therapists wait: memory, a round")
    many.add_argument("--crowd", type=int, default=100_000)
    many.add_argument("--due", type=int, default=crowd.DUE, help="of the crowd")
    many.add_argument(
        "--few", type=int, help="all there are, to compare with; as many as are due if not said"
    )
    shown = measures.add_parser("pages", help="how long the console's pages take, and their weight")
    shown.add_argument("--crowd", type=int, default=100_000)
    shown.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite", help="the database")
    fast = measures.add_parser("throughput", help="objects written a second under HubSpot's real limits")
    fast.add_argument("--objects", type=int, default=throughput.OBJECTS_IN_ALL)
    hard = measures.add_parser(
        "faults", help="bad values, unknown ids, storms of 429: calls, and what is lost"
    )
    hard.add_argument(
        "--each", type=int, default=faults.THERAPISTS, help="therapists of each way and scenario"
    )
    many_processes = measures.add_parser(
        "spread", help="takeover, from fact to round, idling, 20 portals on 4 processes"
    )
    many_processes.add_argument("--kills", type=int, default=KILLS)
    many_processes.add_argument("--submits", type=int, default=SUBMITS)
    many_processes.add_argument(
        "--only", nargs="+", choices=("takeover", "wake", "idle", "fair"), default=[], help="some of them"
    )
    pure = measures.add_parser("simulate", help="the look-again rule alone, over a grid of its settings")
    pure.add_argument("--seeds", type=int, default=SEEDS)
    pure.add_argument("--writes", type=int, choices=(1, 2, 3), default=2)
    pure.add_argument("--round-seconds", type=float, default=0.3)
    pure.add_argument("--coalesce", type=float, nargs="+", default=[2, 3, 4])
    pure.add_argument("--min", type=float, nargs="+", default=[3, 4, 5])
    pure.add_argument("--share", type=float, nargs="+", default=[0.03, 0.05, 0.1])
    return parser


class _Settings(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        key, found, value = str(values).partition("=")
        if not found or not key:
            parser.error(f"{option_string} takes KEY=VALUE")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), key: value})


def _speed(text: str) -> float:
    speed = float(text)
    if not 1 <= speed <= 10:
        raise argparse.ArgumentTypeError("from 1 to 10")
    return speed


def _floor(options: argparse.Namespace) -> list[Row]:
    found = floor.measure(options.therapists, options.settings)
    ratio = f"{found.seconds:.1f} s from resumed to written" if found.seconds else ""
    _said.print(f"floor: {found.calls.by_call}; {ratio}; looked up at start: {found.start_up.by_call}")
    licences = floor.measure_licences(options.therapists, options.settings)
    _said.print(f"floor, licences told by a property: {licences.calls.by_call}")
    return floor.rows(found) + floor.licence_rows(licences)


def _lag(options: argparse.Namespace) -> list[Row]:
    plan = lag.Plan(
        therapists=options.therapists,
        speed=options.speed,
        writes=options.writes,
        settings=options.settings,
    )
    runs = []
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with ThreadPoolExecutor(options.abreast) as together:
        for run in together.map(lambda seed: lag.measure(plan, seed), seeds):
            _said.print(f"lag: {lag.say(run)}")
            runs.append(run)
    return lag.rows(runs)


def _hints(options: argparse.Namespace) -> list[Row]:
    """The crowd, and beside it a quiet hour, where every look is somebody's own."""
    plan = lag.Plan(options.therapists, speed=options.speed, writes=options.writes, settings=options.settings)
    plans = [plan] * min(options.seeds, HINTED_SEEDS) + [hints.quiet_plan(plan)]
    seeds = range(options.first_seed, options.first_seed + len(plans))
    with ThreadPoolExecutor(options.abreast) as together:
        runs = list(together.map(hints.measure, plans, seeds))
    for run in runs:
        _said.print(f"hints: {hints.say(run)}")
    return hints.rows(runs[:-1], runs[-1:])


def _intake(options: argparse.Namespace) -> list[Row]:
    if options.notify:
        return intake.notify_rows(*intake.with_and_without_notify(options.seconds))
    alone, beside_rounds = intake.measure(options.seconds, options.settings)
    _said.print(f"intake, alone: {intake.say(alone)}")
    _said.print(f"intake, beside rounds: {intake.say(beside_rounds)}")
    return intake.rows(alone, beside_rounds)


def _poison(options: argparse.Namespace) -> list[Row]:
    told = []
    for tells in ("nothing", "all"):
        found = poison.measure(options.therapists, options.settings, tells)
        _said.print(f"poison, refusals telling {tells}: {found.ours.calls.by_call}; {found.seconds:.1f} s")
        told += poison.rows(found)
    return told


def _round(options: argparse.Namespace) -> list[Row]:
    return one_round.rows(one_round.measure(options.therapists))


def _crowd(options: argparse.Namespace) -> list[Row]:
    return crowd.rows(crowd.measure(options.crowd, options.due, few=options.few))


def _pages(options: argparse.Namespace) -> list[Row]:
    return pages.rows(pages.measure(options.crowd, on=options.on))


def _throughput(options: argparse.Namespace) -> list[Row]:
    """The edge alone, and whole rounds."""
    alone = throughput.rows(throughput.measure(options.objects))
    return alone + throughput.rows(whole_rounds.measure(options.objects), whole_rounds.WHAT)


def _faults(options: argparse.Namespace) -> list[Row]:
    return faults.rows(faults.measure(options.each))


def _spread(options: argparse.Namespace) -> list[Row]:
    wanted = options.only or ("takeover", "wake", "idle", "fair")
    rows: list[Row] = []
    if "wake" in wanted:
        ways = {
            "SQLite, one process": ("sqlite", False, True),
            "SQLite, two processes": ("sqlite", True, True),
            "PostgreSQL, two processes": ("postgresql", True, True),
            "PostgreSQL, two processes, polling": ("postgresql", True, False),
        }
        rows += spread.round_rows(
            {
                what: spread.until_rounds(on, options.submits, apart=apart, listen=listen)
                for what, (on, apart, listen) in ways.items()
            }
        )
    if "idle" in wanted:
        for portals in (1, 5):
            rows += spread.idle_rows(portals, *spread.idle(portals))
    if "fair" in wanted:
        rows += spread.fair_rows(spread.fairness(20, 4, 5, 30.0))
    if "takeover" in wanted:
        for lease, kills in ((spread.TTL, options.kills), (2.0, min(options.kills, SCALED))):
            rows += spread.takeover_rows(spread.takeovers(kills, lease), lease)
    return rows


def _simulate(options: argparse.Namespace) -> int:
    world = simulate.World(writes=options.writes, round_seconds=options.round_seconds)
    seeds = range(1, options.seeds + 1)
    for figures in simulate.grid(world, options.coalesce, options.min, options.share, seeds):
        print(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
