"""The console over real HTTP beside the API, as the service serves both, with somebody of each role."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx2
import uvicorn
from argon2 import PasswordHasher
from starlette.requests import Request

from credsync.core.people import Role
from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.operate.live import Live
from credsync.store.database import Database
from credsync.web.console.app import build_console
from credsync.web.console.context import ConsoleContext
from credsync.web.console.door import Door
from credsync.web.console.provider import Oidc
from credsync.web.console.viewer import Viewer
from credsync.web.site import site
from tests.api.service import Service, portals, serving

CSRF = "the-token-of-this-session"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class ByHeader:
    """Takes the role that a header names for whoever has signed in."""

    async def viewer_of(self, request: Request) -> Viewer | None:
        """Who the header says, None without it."""
        role = request.headers.get("x-role")
        if role is None:
            return None
        return Viewer(int(request.headers.get("x-person", "0")), f"{role}@example.org", Role(role), 0, CSRF)


@dataclass
class Console:
    """A running console; `api` is the API over the same database."""

    api: Service
    url: str
    wakes: list[tuple[str, float]]
    csrf: str = CSRF
    clients: dict[str, httpx2.Client] = field(default_factory=dict)

    def as_(self, role: str | None) -> httpx2.Client:
        """Somebody of a role, or nobody."""
        name = role or "nobody"
        if name not in self.clients:
            headers = {"Accept": "text/html"} | ({"X-Role": role} if role else {})
            self.clients[name] = httpx2.Client(base_url=self.url, headers=headers, timeout=30)
        return self.clients[name]

    def get(self, path: str, role: str | None = "success") -> httpx2.Response:
        return self.as_(role).get(path)

    def press(self, path: str, role: str = "success", **fields: str) -> httpx2.Response:
        """Send a form as the page of it would."""
        return self.as_(role).post(path, data={"csrf": CSRF, **fields}, headers={"Origin": self.url})

    def therapist(self, **said: object) -> str:
        """Make a therapist; gives the page's address."""
        return f"/therapists/{self.api.therapist(**said).rpartition('/')[2]}"


def text_of(page: httpx2.Response) -> str:
    """What a page says, without its mark-up, in one line."""
    body = page.text.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


@contextmanager
def serving_console(
    database_url: str,
    live: Callable[[Database], Live] | None = None,
    *,
    door: Callable[[ConsoleContext], Door] = lambda _: ByHeader(),
    public_url: str | None = None,
    oidc: Oidc | None = None,
    served: Mapping[str, Portal] | None = None,
) -> Iterator[Console]:
    """Serve on a database at the newest schema until the end of the block; passwords are hashed at least cost."""
    with serving(database_url) as api, closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        wakes: list[tuple[str, float]] = []
        context = ConsoleContext(
            api.database,
            served or portals(),
            Policy(),
            lambda name, after: wakes.append((name, after)),
            public_url=public_url,
            live=live(api.database) if live is not None else None,
            oidc=oidc,
            hasher=CHEAP,
        )
        both = site(api.app, build_console(context, door(context)))
        server = uvicorn.Server(
            uvicorn.Config(both, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        console = Console(api, url, wakes)
        try:
            yield console
        finally:
            for client in console.clients.values():
                client.close()
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()
