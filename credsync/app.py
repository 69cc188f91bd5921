"""The one place that wires settings, database, portals, HubSpot and clock together."""

from __future__ import annotations

import gc
import glob
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
import uvicorn

from credsync.core.phrases import phrase
from credsync.core.portal import Portal
from credsync.core.portal_file import PortalFileError, parse_portal
from credsync.hubspot.client import CallRecord, HubSpotClient
from credsync.hubspot.daily import Daily
from credsync.hubspot.edge import Edge
from credsync.hubspot.pacing import Pacing
from credsync.metrics import Metrics
from credsync.notices import BadNotifyUrl, Notices
from credsync.operate.live import Live
from credsync.reconcile.crew import POLL, Crew
from credsync.reconcile.worker import PortalWorker
from credsync.settings import Settings, SettingsError, secret
from credsync.store import schema
from credsync.store.database import Database
from credsync.store.live_reads import SEATS
from credsync.store.set_up_links import address as address_of_link
from credsync.store.set_up_links import make_first_link
from credsync.web.api.context import ApiContext
from credsync.web.api.webhook_secrets import WebhookSecrets

if TYPE_CHECKING:
    from credsync.web.console.provider import Oidc

_log = structlog.get_logger("credsync")

_WORKER_STOPS_WITHIN = 4.0
"""Seconds the worker has to end a call to the database, beside the 5 s of the API's last answers."""
_NOTICES_END_WITHIN = 1.0
"""Seconds that notices on their way have when the process is to stop."""


@dataclass(frozen=True, slots=True)
class App:
    """Everything a command needs, opened once."""

    settings: Settings
    portals: Mapping[str, Portal]
    database: Database
    speed: float = 1.0
    metrics: Metrics = field(default_factory=Metrics)

    def edge(self, portal: Portal) -> Edge:
        """A portal's edge to HubSpot at the app's speed. Raises `SettingsError` without a token."""
        return edge_to(portal, self.speed, partial(self.metrics.call, portal.name))

    def live(self) -> Live:
        """Where people's questions to HubSpot are asked."""
        return Live(self.database, self.portals, token_of, self.speed)


def token_of(portal: Portal) -> str:
    """A portal's token from the environment. Raises `SettingsError` that says what to set where there is none."""
    token = secret(f"HUBSPOT_TOKEN_{portal.name}")
    if token is None:
        variable = _token_variable(portal)
        raise SettingsError(
            phrase(
                "Portal {name} has no token: set {variable}, or {variable}_FILE to a file that holds it.",
                name=portal.name,
                variable=variable,
            )
        )
    return token


def _token_variable(portal: Portal) -> str:
    return f"CREDSYNC_HUBSPOT_TOKEN_{portal.name.upper().replace('-', '_')}"


def edge_to(portal: Portal, speed: float = 1.0, on_call: Callable[[CallRecord], None] | None = None) -> Edge:
    """A portal's edge to HubSpot, with its token. Raises `SettingsError` without a usable one.

    Of the calls that HubSpot allows it leaves alone those that are kept for people's questions.
    """
    token, account = token_of(portal), portal.hubspot
    pacing = Pacing(account.calls_per_10s, account.association_calls_per_10s, left_alone=SEATS, speed=speed)
    daily = Daily(account.daily_share, account.association_calls_per_day)
    try:
        client = HubSpotClient(
            account.base_url,
            token,
            account.api_version,
            pacing,
            daily=daily,
            speed=speed,
            on_call=on_call,
        )
    except ValueError as error:
        raise SettingsError(
            f"Portal {portal.name} cannot be reached: {error}. Correct {_token_variable(portal)}, or base_url in the "
            "portal's file."
        ) from None
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
    database = Database(settings.database_url, announces=settings.listen)
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


def serve(
    app: App,
    *,
    api: bool = True,
    worker: bool = True,
    listener: socket.socket | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Run the API, the worker, or both, until SIGINT, SIGTERM or `stop`; over within 10 s of it.

    The API listens on `listener` if given, else on `bind`. A worker that breaks ends the API too, and its error is
    raised: what is left is still due in the database. Raises `SettingsError` naming every missing token, and
    `SecondWorker` where another process's worker runs on the same SQLite file.
    """
    policy = app.settings.policy.at_speed(app.speed)
    notices = _notices(app.settings)
    crew = Crew(app.database, app.settings.lease, listens=app.settings.listen)
    workers = _workers(app, crew, notices) if worker else {}
    hooks = _webhook_secrets(app) if api else WebhookSecrets(())
    stop = stop or threading.Event()
    broken: list[BaseException] = []

    def wake(portal: str, after: float) -> None:
        if portal in workers:
            workers[portal].wake.set(after)

    def work() -> None:
        try:
            crew.run(workers, stop)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that serves
            broken.append(error)
            stop.set()

    thread = threading.Thread(target=work, name="credsync-worker", daemon=True)
    with ExitStack() as at_the_end:
        at_the_end.callback(notices.close, _NOTICES_END_WITHIN)
        if worker:
            at_the_end.enter_context(crew.place())
            thread.start()
            at_the_end.callback(thread.join, _WORKER_STOPS_WITHIN)
        at_the_end.callback(stop.set)
        if api:
            context = ApiContext(
                app.database,
                app.portals,
                policy,
                wake,
                app.settings.public_url,
                app.live(),
                app.metrics,
                hooks,
            )
            _serve_api(app, context, listener, stop)
        while not api and thread.is_alive() and not stop.is_set():
            thread.join(0.2)
    if broken:
        raise broken[0]


def _webhook_secrets(app: App) -> WebhookSecrets:
    """The portals' secrets, read now and again when their files change. Raises `SettingsError`."""
    found = WebhookSecrets(app.portals)
    if found.used and app.settings.public_url is None:
        _log.warning(
            "webhooks.unusable",
            portals=found.used,
            remedy="set public_url to the address HubSpot calls: without it no signature can be judged",
        )
    return found


def _notices(settings: Settings) -> Notices:
    """Raises `SettingsError` for an address of no use."""
    try:
        return Notices(settings.notify_urls)
    except BadNotifyUrl as error:
        raise SettingsError(str(error)) from None


def _workers(app: App, crew: Crew, notices: Notices) -> dict[str, PortalWorker]:
    policy = app.settings.policy.at_speed(app.speed)
    workers: dict[str, PortalWorker] = {}
    faults: list[str] = []
    for name, portal in app.portals.items():
        try:
            edge = app.edge(portal)
        except SettingsError as error:
            faults.append(str(error))
        else:
            settings = app.settings
            workers[name] = PortalWorker(
                app.database,
                edge,
                policy,
                crew.name,
                settings.lease,
                app.speed,
                settings.public_url,
                partial(app.metrics.round, name),
                notices.tell,
                poll=POLL,
                spread=crew.spread,
            )
    if faults:
        raise SettingsError("\n".join(faults))
    return workers


def _keep_what_stays() -> None:
    """Take all that was made for the start out of the garbage collector's rounds, and let them come more rarely.

    Models, statements and routes stay as long as the process; looking them over again after every few hundred
    objects of a request costs intake a tenth of its throughput (`python -m bench intake`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _take_short_turns() -> None:
    """Let threads pass the interpreter on after half a millisecond, not five.

    SQLite gives it away at every statement, and whoever takes a fact in would wait for it as often, while a round's
    thread computes: beside rounds that halves both intake and its answers' p95 (`python -m bench intake`).
    """
    sys.setswitchinterval(0.0005)


class _Server(uvicorn.Server):
    """uvicorn's server, which `stop` ends too; a signal that ends it sets `stop`, so that all stops at once."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event) -> None:
        super().__init__(config)
        self._stop = stop

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; true ends the server."""
        if await super().on_tick(counter):
            self._stop.set()
        return self._stop.is_set()


def _serve_api(app: App, context: ApiContext, listener: socket.socket | None, stop: threading.Event) -> None:
    from credsync.web.site import build_site  # the commands that serve nothing start faster without it

    host, port = listener.getsockname()[:2] if listener else app.settings.address
    config = uvicorn.Config(
        build_site(context, _provider(app.settings)),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _keep_what_stays()
    _take_short_turns()
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    _log.info("service.started", address=address, portals=sorted(app.portals), docs="/docs")
    _invite_first_admin(app, app.settings.public_url or address)
    _Server(config, stop).run(sockets=[listener] if listener else None)


def _provider(settings: Settings) -> Oidc | None:
    """The OpenID Connect provider where people may sign in. Raises `SettingsError` without its client secret."""
    from credsync.web.console.provider import Oidc

    if settings.oidc_issuer is None:
        return None
    client_secret = secret("OIDC_CLIENT_SECRET")
    if client_secret is None:
        raise SettingsError(
            "oidc_issuer needs its client secret: set CREDSYNC_OIDC_CLIENT_SECRET, or CREDSYNC_OIDC_CLIENT_SECRET_FILE "
            "to a file that holds it."
        )
    client_id = settings.oidc_client_id or ""
    return Oidc(
        settings.oidc_issuer, client_id, client_secret, settings.oidc_groups, settings.oidc_groups_claim
    )


def _invite_first_admin(app: App, base: str) -> None:
    """While nobody is let in: one link, with which whoever runs the service becomes the first admin."""
    with app.database.write() as connection:
        secret = make_first_link(connection, app.database.clock.now())
    if secret is not None:
        _log.info(
            "people.set_up",
            link=address_of_link(base, secret),
            remedy="nobody can sign in to the console yet: open this link within 15 minutes and choose an e-mail address "
            "and a password; a start makes a new one, and so does `credsync user add EMAIL --role admin`",
        )
