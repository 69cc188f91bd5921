"""The API over real HTTP on a free loopback port, with a caller for each scope."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection, Table, func, select

from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.core.schedule import Policy
from credsync.operate.live import Live
from credsync.store.clock import SystemClock
from credsync.store.database import Database
from credsync.store.tables import metadata
from credsync.store.tokens import Scope, create_token
from credsync.web.api.app import build_api
from credsync.web.api.context import ApiContext

PUBLIC_URL = "https://credsync.example.org/base/"
SECRETS = ("new-client-secret", "client-secret-before-it")
"""Client secrets of HubSpot's app: alpha's is being changed, beta has none."""
AT = "2026-11-23T18:05:00Z"
DEMO = (Path(__file__).parents[2] / "portals" / "demo.toml").read_text(encoding="utf-8")
_CUSTOM = '\n[custom]\nshirt_size = { type = "string", class = "A" }\n'


class SetClock(SystemClock):
    """The machine's clock, moved by what a test adds."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class Service:
    """A running API; `as_` gives the client of a scope, and the service itself speaks as admin."""

    app: FastAPI
    database: Database
    clock: SetClock
    url: str
    tokens: dict[str, str]
    wakes: list[tuple[str, float]]
    clients: dict[str, httpx2.Client] = field(default_factory=dict)

    def as_(self, scope: str | None) -> httpx2.Client:
        """A client with the token of a scope, or with none."""
        name = scope or "nobody"
        if name not in self.clients:
            headers = {"Authorization": f"Bearer {self.tokens[name]}"} if scope else {}
            self.clients[name] = httpx2.Client(base_url=self.url, headers=headers, timeout=30)
        return self.clients[name]

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.as_("admin").get(path, **more)

    def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        return self.send("POST", path, json.dumps(body).encode(), **headers)

    def put(self, path: str, body: object) -> httpx2.Response:
        return self.send("PUT", path, json.dumps(body).encode())

    def send(
        self, method: str, path: str, content: bytes | Iterator[bytes], **headers: str
    ) -> httpx2.Response:
        named = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.as_("admin").request(method, path, content=content, headers=named)

    def therapist(self, **said: Any) -> str:
        """Make a therapist; gives the address."""
        address = new_address()
        answer = self.put(address, {"portal": "alpha", **said})
        assert answer.status_code == 201, answer.text
        return address

    def count(self, table: Table) -> int:
        """Rows of a table, read by a connection of its own."""
        with self.read() as connection:
            found = connection.execute(select(func.count()).select_from(table)).scalar_one()
        return int(found)

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table, as another connection reads them."""
        with self.read() as connection:
            return {
                table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
                for table in metadata.sorted_tables
            }

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Another opened database, so that only what is committed is seen."""
        other = Database(self.database.url.render_as_string(hide_password=False))
        try:
            with other.read() as connection:
                yield connection
        finally:
            other.close()


def portals() -> dict[str, Portal]:
    """Three portals; alpha has a field of its own, twofold tells licences apart by state and type."""
    twofold = DEMO.replace('each = "license_state"', 'each = ["license_state", "license_type"]')
    twofold = twofold.replace('key = "state"', 'key = ["state", "type"]')
    return {
        "alpha": parse_portal("alpha", DEMO + _CUSTOM),
        "beta": parse_portal("beta", DEMO),
        "twofold": parse_portal("twofold", twofold),
    }


def new_address() -> str:
    """The address of a therapist nobody knows yet."""
    return f"/v1/therapists/{uuid.uuid4()}"


def contact() -> str:
    """A contact id nobody has yet."""
    return str(uuid.uuid4().int)[:18]


@contextmanager
def serving(database_url: str, live: Callable[[Database], Live] | None = None) -> Iterator[Service]:
    """Serve on a database at the newest schema until the end of the block; `live` lets it ask HubSpot."""
    clock = SetClock()
    database = Database(database_url, clock)
    with database.write() as connection:
        tokens = {
            scope.value: create_token(connection, f"{scope.value}-token", [scope], clock.now())
            for scope in Scope
        }
    wakes: list[tuple[str, float]] = []
    app = build_api(
        ApiContext(
            database,
            portals(),
            Policy(),
            lambda name, after: wakes.append((name, after)),
            public_url=PUBLIC_URL,
            live=live(database) if live is not None else None,
            webhook_secrets=lambda name: {"alpha": SECRETS, "twofold": SECRETS[:1]}.get(name, ()),
        )
    )
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        service = Service(app, database, clock, f"http://127.0.0.1:{port}", tokens, wakes)
        try:
            yield service
        finally:
            for client in service.clients.values():
                client.close()
            server.should_exit = True
            thread.join(timeout=10)
            database.close()
            assert not thread.is_alive()
