"""`credsync serve`: API, console and worker, until a signal."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from credsync.cli.opening import open_database, open_whole, settings_of, sqlite_file
from credsync.cli.refusals import Refusal, refusal_of

if TYPE_CHECKING:
    from credsync.app import App
    from credsync.error_tracker import ErrorTracker
    from credsync.settings import Settings


class Only(StrEnum):
    """The one half of the service to run."""

    API = "api"
    WORKER = "worker"


def serve(
    ctx: typer.Context,
    only: Annotated[Only | None, typer.Option(help="Run one half only, to spread over machines.")] = None,
    speed: Annotated[
        float, typer.Option(metavar="N", help="Schedule and pacing N times faster; HubSpot on loopback only.")
    ] = 1.0,
) -> None:
    """Run API and worker in one process, until SIGINT or SIGTERM.

    A SQLite database that does not exist yet is made; an existing database is never upgraded here.
    """
    if not 0 < speed < float("inf"):
        raise typer.BadParameter("is a number above zero.", param_hint="--speed")
    settings = settings_of(ctx)
    import structlog

    from credsync.app import load_portals
    from credsync.logs import configure_logs

    tracker = _tracker(settings)
    configure_logs(settings.log_format, [tracker.processor()] if tracker is not None else [])
    load_portals(settings.portals)
    _make_first_database(settings)
    with ExitStack() as at_the_end:
        if tracker is not None:
            at_the_end.callback(tracker.close)
        app = at_the_end.enter_context(open_whole(settings, speed=speed))
        try:
            _run(app, only)
        except Exception as error:
            if refusal_of(error) is not None:
                raise
            structlog.get_logger("credsync").error("service.failed", exc_info=error)
            raise Refusal(
                "The service ended by a fault of its own; the log says where. Start it again: nothing is lost."
            ) from None


def _tracker(settings: Settings) -> ErrorTracker | None:
    if settings.sentry_dsn is None:
        return None
    from importlib.metadata import version

    from credsync.error_tracker import BadDsn, ErrorTracker
    from credsync.settings import SettingsError

    try:
        return ErrorTracker(settings.sentry_dsn, version("credsync"))
    except BadDsn as error:
        raise SettingsError(f"{error}.") from None


def _run(app: App, only: Only | None) -> None:
    import structlog

    from credsync import app as service

    stop = threading.Event()
    with _signals_set(stop):
        if only is Only.WORKER:
            structlog.get_logger("credsync").info(
                "service.started", portals=sorted(app.portals), only="worker"
            )
            service.serve(app, api=False, stop=stop)
        else:
            with _listening(app) as listener:
                service.serve(app, worker=only is None, listener=listener, stop=stop)


def _make_first_database(settings: Settings) -> None:
    """The default's first start: SQLite where nothing is yet. What holds a table was made by somebody: left alone."""
    import structlog

    if sqlite_file(settings) is None:
        return
    from sqlalchemy import inspect

    from credsync.store import schema

    with open_database(settings, create=True, check=False) as database:
        if not inspect(database.engine).get_table_names():
            version = schema.upgrade(database)
            structlog.get_logger("credsync").info("database.created", schema_version=version)


@contextmanager
def _listening(app: App) -> Iterator[socket.socket]:
    """The API's socket, bound before anything starts, so that a taken port is one clear sentence."""
    settings = app.settings
    host, port = settings.address
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not _on_loopback(str(address[0])):
            _may_be_reached(app)
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise Refusal(
            f"Cannot listen on {settings.bind}: {_why(error)} Set `bind` to another address."
        ) from None
    with listener:
        yield listener


def _may_be_reached(app: App) -> None:
    """Raises `SettingsError` unless others may reach the service without danger: by TLS alone, and not before anybody."""
    from credsync.settings import SettingsError
    from credsync.store import people

    missing = []
    if not (app.settings.public_url or "").startswith("https://"):
        missing.append(
            "put a proxy with TLS in front and set `public_url` to its https:// address, since passwords and tokens "
            "must not travel unencrypted"
        )
    with app.database.read() as connection:
        if app.settings.oidc_issuer is None and not people.anybody(connection):
            missing.append(
                "let somebody in first, `credsync user add EMAIL --role admin`, since else the first who comes by the "
                "link of the first start would be admin"
            )
    if missing:
        raise SettingsError(
            f"bind is {app.settings.bind}, where others reach this service. To serve there {'; and '.join(missing)}. "
            "Or set `bind` to 127.0.0.1:8080."
        )


def _why(error: OSError | OverflowError) -> str:
    if not isinstance(error, OSError):
        return "a port is at most 65535."
    if error.errno == errno.EADDRINUSE:
        return "the port is in use, perhaps by another credsync."
    return f"{error.strerror or error}."


def _on_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.")


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop` wherever the start has come to; they end the command, not the interpreter."""

    def handler(*_: object) -> None:
        if not stop.is_set():
            stop.set()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)
