"""The command: options, then serve until stopped."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from credsync_sandbox.app import App, build_app
from credsync_sandbox.control.faults import set_faults
from credsync_sandbox.control.reading import BadRequest
from credsync_sandbox.server import listen, serve
from credsync_sandbox.settings import Settings
from credsync_sandbox.world.times import parse_duration


def run(
    port: int,
    portal: Path,
    schema: Path | None = None,
    delay: str = "90s",
    speed: float = 1.0,
    seed: int = 1,
    state: Path | None = None,
    host: str = "127.0.0.1",
    settings: Settings | None = None,
    faults: Path | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Raises ValueError for an unusable file or option, OSError for a taken port."""
    app = build_app(portal, schema, delay, speed, seed, state, settings)
    if faults is not None:
        _set_faults(app, faults)
    serve(app, listen(host, port))


def _set_faults(app: App, path: Path) -> None:
    try:
        set_faults(app.sandbox, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from error
    except (BadRequest, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def parser() -> argparse.ArgumentParser:
    """The options, which are those of `credsync sandbox`."""
    usual = Settings()
    found = argparse.ArgumentParser(prog="credsync_sandbox", description="A stand-in for HubSpot.")
    found.add_argument("--port", type=int, default=8090, help="0 takes a free one (default 8090)")
    found.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    found.add_argument("--portal", type=Path, required=True, help="the portal file (TOML)")
    found.add_argument(
        "--schema", type=Path, help="what `credsync schema export` read from a real portal (JSON)"
    )
    found.add_argument("--delay", default="90s", help="90s, lognormal:90s:0.6, cases or never (default 90s)")
    found.add_argument(
        "--speed", type=float, default=1.0, help="time runs so many times faster; 0 stands still"
    )
    found.add_argument("--seed", type=int, default=1, help="of everything drawn by chance (default 1)")
    found.add_argument("--state", type=Path, help="a file that keeps the content over restarts")
    found.add_argument("--calls-per-10s", type=int, default=usual.calls_per_10s, help="default 190")
    found.add_argument(
        "--association-calls-per-10s", type=int, default=usual.association_calls_per_10s, help="default 150"
    )
    found.add_argument("--daily-calls", type=int, default=usual.daily_calls, help="default 625000")
    found.add_argument(
        "--latency", default="0", help="each call takes at least so long, such as 200ms (default 0)"
    )
    found.add_argument(
        "--faults", type=Path, help="faults to begin with (JSON, as POST /_sandbox/faults takes)"
    )
    found.add_argument(
        "--webhooks-shuffled",
        action="store_true",
        help="webhooks come in no order, in bodies of any size, several at once",
    )
    found.add_argument(
        "--webhooks-doubled", type=_share, default=0.0, help="the share of events that come twice (default 0)"
    )
    found.add_argument(
        "--webhooks-late", default="0", help="each event is late by up to so long, such as 30s (default 0)"
    )
    found.add_argument(
        "--webhooks-of-workflows",
        action="store_true",
        help="a workflow that is done with a record says so itself (signature v2)",
    )
    return found


def _share(given: str) -> float:
    value = float(given)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be a number from 0 to 1")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 failed, 2 usage, 4 an unusable file."""
    options = parser().parse_args(arguments)
    try:
        settings = Settings(
            calls_per_10s=options.calls_per_10s,
            association_calls_per_10s=options.association_calls_per_10s,
            daily_calls=options.daily_calls,
            latency=parse_duration(options.latency),
            webhooks_shuffled=options.webhooks_shuffled,
            webhooks_doubled=options.webhooks_doubled,
            webhooks_late=parse_duration(options.webhooks_late),
            webhooks_of_workflows=options.webhooks_of_workflows,
        )
        run(
            options.port,
            options.portal,
            options.schema,
            options.delay,
            options.speed,
            options.seed,
            options.state,
            options.host,
            settings,
            options.faults,
        )
    except ValueError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 4
    except OSError as error:
        sys.stderr.write(f"sandbox: {options.host}:{options.port}: {error.strerror or error}\n")
        return 1
    return 0
