"""The one place that wires settings, database, portals, HubSpot and clock together."""

from __future__ import annotations

import glob
import os
import secrets
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import structlog
import uvicorn

from credsync.core.portal import Portal
from credsync.core.portal_file import PortalFileError, parse_portal
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import Pacing
from credsync.reconcile.worker import PortalWorker, run_workers
from credsync.settings import Settings, SettingsError, secret
from credsync.store import schema
from credsync.store.database import Database
from credsync.web.api.app import build_api
from credsync.web.api.context import ApiContext

_log = structlog.get_logger("credsync")


@dataclass(frozen=True, slots=True)
class App:
    """Everything a command needs, opened once."""

    settings: Settings
    portals: Mapping[str, Portal]
    database: Database
    speed: float = 1.0

    def edge(self, portal: Portal) -> Edge:
        """A portal's edge to HubSpot, with its token from the environment. Raises `SettingsError` without one."""
        name = f"HUBSPOT_TOKEN_{portal.name}"
        token = secret(name)
        if token is None:
            variable = f"CREDSYNC_{name.upper().replace('-', '_')}"
            raise SettingsError(
                f"Portal {portal.name} has no token: set {variable}, or {variable}_FILE to a file that holds it."
            )
        account = portal.hubspot
        pacing = Pacing(account.calls_per_10s, account.association_calls_per_10s, speed=self.speed)
        client = HubSpotClient(account.base_url, token, account.api_version, pacing, speed=self.speed)
        return Edge(portal, client)


def load_portals(pattern: str) -> dict[str, Portal]:
    """Every portal file that the pattern names, by name.

    Raises `SettingsError` naming every fault of every file, or that there is none.
    """
    portals: dict[str, Portal] = {}
    faults: list[str] = []
    for file in sorted(glob.glob(pattern)):
        path = Path(file)
        try:
            portals[path.stem] = parse_portal(path.stem, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"Portal file {file} cannot be read: {error}")
        except PortalFileError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    if not portals:
        raise SettingsError(
            f"No portal file matches {pattern!r}: write one (docs/configuration.md), or set `portals`."
        )
    return portals


@contextmanager
def open_app(settings: Settings, *, speed: float = 1.0, check_schema: bool = True) -> Iterator[App]:
    """Open what the settings name. Raises `SettingsError` or `SchemaMismatch`.

    A `speed` above 1 is for a rehearsal: it needs every portal's HubSpot on loopback.
    """
    portals = load_portals(settings.portals)
    if speed != 1.0:
        _require_loopback(portals.values(), speed)
    database = Database(settings.database_url)
    try:
        if check_schema:
            schema.check(database)
        yield App(settings, portals, database, speed)
    finally:
        database.close()


def _require_loopback(portals: Iterable[Portal], speed: float) -> None:
    if not speed > 0:
        raise SettingsError("--speed is a number above zero.")
    for portal in portals:
        host = urlsplit(portal.hubspot.base_url).hostname or ""
        if host not in ("localhost", "::1") and not host.startswith("127."):
            raise SettingsError(
                f"--speed is for a HubSpot on loopback; portal {portal.name} is at {portal.hubspot.base_url}."
            )


def serve(app: App, *, api: bool = True, worker: bool = True) -> None:
    """Run the API, the worker, or both, until SIGINT or SIGTERM."""
    policy = app.settings.policy.at_speed(app.speed)
    workers = _workers(app) if worker else {}

    def wake(portal: str, after: float) -> None:
        if portal in workers:
            workers[portal].wake.set(after)

    stop = threading.Event()
    if api:
        thread = threading.Thread(
            target=_run_workers, args=(workers, stop), name="credsync-worker", daemon=True
        )
        if workers:
            thread.start()
        context = ApiContext(app.database, app.portals, policy, wake, app.settings.public_url)
        try:
            _serve_api(app, context)
        finally:
            stop.set()
            if workers:
                thread.join(timeout=10)
    else:
        _run_workers(workers, stop)


def _workers(app: App) -> dict[str, PortalWorker]:
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    policy = app.settings.policy.at_speed(app.speed)
    return {
        name: PortalWorker(app.database, app.edge(portal), policy, owner, app.settings.lease, app.speed)
        for name, portal in app.portals.items()
    }


def _run_workers(workers: Mapping[str, PortalWorker], stop: threading.Event) -> None:
    async def until_stopped() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_workers, list(workers.values()))
            while not stop.is_set():
                await anyio.sleep(0.1)
            tasks.cancel_scope.cancel()

    anyio.run(until_stopped, backend_options={"use_uvloop": True})


def _serve_api(app: App, context: ApiContext) -> None:
    host, port = app.settings.address
    config = uvicorn.Config(
        build_api(context),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _log.info("service.started", address=f"http://{host}:{port}", portals=sorted(app.portals), docs="/docs")
    uvicorn.Server(config).run()
