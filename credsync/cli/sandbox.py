"""`credsync sandbox`: the stand-in for HubSpot, and `credsync demo`, which shows the service on it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from credsync.cli.refusals import Code, Refusal


def sandbox(
    portal: Annotated[Path, typer.Option(metavar="FILE", help="The portal file whose account to play.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 8090,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Types, options and labels of a real portal (JSON).")
    ] = None,
    delay: Annotated[
        str, typer.Option(help="How late workflows are: 90s, lognormal:90s:0.6, cases or never.")
    ] = "90s",
    speed: Annotated[
        float, typer.Option(min=0, metavar="N", help="Its time runs N times faster; 0 stands still.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of everything drawn by chance.")] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keeps the content over restarts.")
    ] = None,
    calls_per_10s: Annotated[
        int, typer.Option("--calls-per-10s", min=0, help="HubSpot's limit on calls in 10 s.")
    ] = 190,
    association_calls_per_10s: Annotated[
        int, typer.Option("--association-calls-per-10s", min=0, help="The same for association calls.")
    ] = 150,
    daily_calls: Annotated[int, typer.Option(min=0, help="HubSpot's limit on calls in a day.")] = 625_000,
    latency: Annotated[
        str, typer.Option(metavar="D", help="Each call takes at least so long, such as 200ms.")
    ] = "0",
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Faults to begin with (JSON, as POST /_sandbox/faults takes)."),
    ] = None,
    webhooks_shuffled: Annotated[
        bool,
        typer.Option(
            "--webhooks-shuffled", help="Webhooks come in no order, in bodies of any size, several at once."
        ),
    ] = False,
    webhooks_doubled: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="The share of events that come twice.")
    ] = 0.0,
    webhooks_late: Annotated[
        str, typer.Option(metavar="D", help="Each event is late by up to so long, such as 30s.")
    ] = "0",
    webhooks_of_workflows: Annotated[
        bool,
        typer.Option(
            "--webhooks-of-workflows", help="A workflow done with a record says so itself (signature v2)."
        ),
    ] = False,
) -> None:
    """Run the HubSpot stand-in, until SIGINT or SIGTERM."""
    from credsync_sandbox.main import run
    from credsync_sandbox.settings import Settings
    from credsync_sandbox.world.delays import parse_delay
    from credsync_sandbox.world.times import parse_duration

    try:
        option = "--delay"
        parse_delay(delay, seed)
        option = "--webhooks-late"
        late = parse_duration(webhooks_late)
        option = "--latency"
        settings = Settings(
            calls_per_10s=calls_per_10s,
            association_calls_per_10s=association_calls_per_10s,
            daily_calls=daily_calls,
            latency=parse_duration(latency),
            webhooks_shuffled=webhooks_shuffled,
            webhooks_doubled=webhooks_doubled,
            webhooks_late=late,
            webhooks_of_workflows=webhooks_of_workflows,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        run(port, portal, schema, delay, speed, seed, state, host, settings, faults)
    except ValueError as error:
        raise Refusal(f"The sandbox cannot start: {error}", Code.SETTINGS) from None
    except OSError as error:
        raise Refusal(
            f"The sandbox cannot listen on {host}:{port}: {error.strerror or error}. Choose another --port."
        ) from None


def _end(*_: object) -> None:
    """A signal before the sandbox serves; from then on it sees to signals itself."""
    raise typer.Exit


def demo(ctx: typer.Context) -> None:
    """Show the main job: sandbox and service, the four cases and 200 sign-ups."""
    from credsync.demo import main

    raise typer.Exit(main(ctx.args))
