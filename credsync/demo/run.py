"""`credsync demo`: from its options to its exit code."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

import anyio
from rich.console import Console

from credsync.demo import screen
from credsync.demo.calls import Json, Sandbox, connected
from credsync.demo.outcome import Fate, judge
from credsync.demo.plan import WORKFLOW, Kind, Part, the_cases, the_crowd, the_stories
from credsync.demo.processes import DemoFailed, Stage, stage
from credsync.demo.story import Played, Story, whole
from credsync.demo.telling import ENDS, tell


def main(argv: Sequence[str]) -> int:
    """0 when everything is as it should be, 1 when not, 2 for wrong options."""
    options = _options(argv)
    out = screen.console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _like_ctrl_c)
    code = 1
    try:
        out.print("Starting the HubSpot stand-in and the service: two processes, on loopback ...")
        with stage(options.speed, options.seed, WORKFLOW) as on:
            if _stays(options):
                screen.where_to_watch(out, on)
            code = _play(options, out, on)
            if _stays(options):
                _stay(out, on, options.seed)
    except DemoFailed as failed:
        code = 1
        out.print(f"The demo failed. {failed}", style="red", markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        out.print("\nStopped: both processes have ended, and their folder is gone.")
    return code


def _stays(options: argparse.Namespace) -> bool:
    return not options.no_wait and sys.stdin.isatty() and sys.stdout.isatty()


def _play(options: argparse.Namespace, out: Console, on: Stage) -> int:
    try:
        return anyio.run(_show, options, out, on)
    except (DemoFailed, ExceptionGroup) as error:
        on.check()  # a process that ended is why a call to it failed
        raise _first(error) from None


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="credsync demo", description="Show the main job, live.")
    parser.add_argument("--people", type=int, default=200, help="sign-ups beside the four cases (200)")
    parser.add_argument(
        "--minutes", type=float, default=5.0, help="... within these minutes of HubSpot's time (5)"
    )
    parser.add_argument(
        "--speed", type=float, default=15.0, help="HubSpot's time runs so many times faster (15)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything left to chance (1)")
    parser.add_argument("--no-wait", action="store_true", help="end after the tables, on a terminal too")
    options = parser.parse_args(argv)
    for name, most in (("people", 1_000), ("minutes", 60), ("speed", 100)):
        if not 1 <= getattr(options, name) <= most:
            parser.error(f"--{name} is from 1 to {most}")
    return options


def _like_ctrl_c(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


async def _show(options: argparse.Namespace, out: Console, on: Stage) -> int:
    """Both scenes, each with its tables, and what they come to."""
    speed, began = options.speed, time.monotonic()
    out.print(
        f"HubSpot's time runs {speed:g} times faster here: a second on your clock is {speed:g} there. All times "
        f"below are HubSpot's; a millisecond this machine takes counts as {speed:g}, so the lags are rather too long.\n"
    )
    async with connected(on) as (service, sandbox):
        story = Story(on, service, sandbox, speed)
        out.print(
            "[bold]The four cases[/bold] sign up; each one's records come as late as they did in 2025. "
            "In seconds after the sign-up:"
        )
        cases = [judge(*each, speed) for each in await _scene(out, story, sandbox, the_cases(options.seed))]
        out.print()
        out.print(screen.cases_table(cases))
        out.print(f"\n{screen.without_data(cases)}")
        crowd = the_crowd(options.people, options.minutes, options.seed)
        others = the_stories(options.seed)
        out.print(
            f"\n[bold]{options.people} more[/bold] sign up within {options.minutes:g} min; their records come "
            f"after 90 s in the middle (lognormal, sigma 0.6). With them {len(others)} more, for {len(ENDS)} stories."
        )
        before = await sandbox.calls()
        played = await _scene(out, story, sandbox, [*crowd, *others])
        calls = await sandbox.calls()
    everybody = [*cases, *(judge(*each, speed) for each in played if each[0].part.kind is Kind.PLAIN)]
    told = [tell(*each, speed) for each in played if each[0].part.kind is not Kind.PLAIN]
    out.print()
    out.print("[bold]The stories[/bold]")
    out.print(screen.stories_table(told))
    out.print()
    out.print(screen.totals_table(everybody, told, calls, (calls - before) / len(played)))
    out.print("Lag: from when a record was there and its data submitted, until it was written.")
    program = screen.program_of(on) if _stays(options) else "credsync"
    for line in (*screen.to_do(told, program), *screen.faults([*everybody, *told])):
        out.print(line, markup=False, soft_wrap=True)
    well = all(each.fate is Fate.WRITTEN for each in everybody) and all(each.well for each in told)
    end = "Everything is as it should be." if well else "Not everything is as it should be."
    out.print(f"\n{end} That took {time.monotonic() - began:.0f} s.")
    return 0 if well else 1


async def _scene(
    out: Console, story: Story, sandbox: Sandbox, parts: Sequence[Part]
) -> list[tuple[Played, Json, Json]]:
    """Each with HubSpot's truth and the service's status at the end."""
    with screen.progress(out, whole(parts)) as show:
        played = await story.play(parts, show)
    truth = await sandbox.contacts()
    return [(each, truth[each.contact_id], status) for each, status in played]


def _stay(out: Console, on: Stage, seed: int) -> None:
    """Until Ctrl-C. Raises `DemoFailed` if a process ends meanwhile."""
    screen.what_to_open(out, on, the_cases(seed)[0].person.id)
    never = threading.Event()
    while not never.wait(1.0):
        on.check()


def _first(failed: Exception) -> Exception:
    """The one error at the bottom of nested groups."""
    while isinstance(failed, ExceptionGroup):
        failed = failed.exceptions[0]
    return failed
