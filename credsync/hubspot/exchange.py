"""One request and its answer, over the one shared pool: bounded in time and size, never redirected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2

from credsync.hubspot import translate
from credsync.hubspot.paths import Route

MOST_BYTES = 64 * 1024 * 1024
CONNECTIONS = 48
"""As many as three object types have under way at once: whoever has a seat does not wait for a connection."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Real seconds, whatever the speed. `total` bounds an answer that drips."""

    connect: float = 5.0
    read: float = 20.0
    write: float = 20.0
    pool: float = 20.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx with a JSON object in it."""

    status: int
    body: dict[str, Any]
    correlation_id: str
    headers: Mapping[str, str]


class Exchange:
    """Where requests go and what they carry. The pool is made here unless one is given; only an own one is closed."""

    def __init__(
        self,
        base_url: str,
        token: str,
        http: httpx2.AsyncClient | None = None,
        timeouts: Timeouts | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.base_url = _checked_url(base_url)
        limits = timeouts or Timeouts()
        self._timeout = httpx2.Timeout(
            connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool
        )
        self._total = limits.total
        self._auth = _Bearer(token)
        self._http = http or _own_pool(self.base_url)
        self._owned = http is None
        self._most_bytes = most_bytes

    async def aclose(self) -> None:
        if self._owned:
            await self._http.aclose()

    async def send(
        self,
        route: Route,
        content: bytes | None,
        params: Mapping[str, str] | None,
        heard: Callable[[Mapping[str, str]], None],
    ) -> Answer:
        """One attempt. Raises HubSpotError for anything but a 2xx with a JSON object.

        `heard` gets the headers of any answer as soon as they are there, before its body.
        """
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            with anyio.fail_after(self._total):
                async with self._http.stream(
                    route.method,
                    self.base_url + route.path,
                    params=params,
                    content=content,
                    headers=headers,
                    auth=self._auth,
                    follow_redirects=False,
                    timeout=self._timeout,
                ) as response:
                    heard(response.headers)
                    raw = await self._read(response)
        except (httpx2.HTTPError, TimeoutError) as fault:
            raise translate.of_exception(fault, writes=route.writes) from None
        return _judge(response.status_code, response.headers, raw, writes=route.writes)

    async def _read(self, response: httpx2.Response) -> bytes | None:
        """The body, or None when it is larger than anything HubSpot has to say."""
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._most_bytes:
                return None
            parts.append(part)
        return b"".join(parts)


class _Bearer(httpx2.Auth):
    """Holds the token where no repr, header dump or exception shows it."""

    def __init__(self, token: str) -> None:
        if not re.fullmatch(r"[!-~]+", token):
            raise ValueError("the HubSpot token is empty or holds a character that no token has")
        self._token = token

    def __repr__(self) -> str:
        return "_Bearer(…)"

    def auth_flow(self, request: httpx2.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _judge(status: int, headers: Mapping[str, str], raw: bytes | None, *, writes: bool) -> Answer:
    good = 200 <= status < 300
    if raw is None and good:
        raise translate.of_nonsense(status, headers, "too_large", writes=writes, what="is too large")
    body = _object(raw or b"")
    if not good:
        raise translate.of_answer(status, headers, body, writes=writes)
    if not (raw or b"").strip():
        raise translate.of_nonsense(status, headers, "empty_answer", writes=writes, what="is empty")
    if body is None:
        raise translate.of_nonsense(
            status, headers, "garbled_answer", writes=writes, what="is no JSON object"
        )
    return Answer(status, body, translate.correlation_id(headers, body), headers)


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _checked_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("HubSpot's base URL is http(s)://host, without a user, a password or a query")
    return base_url.rstrip("/")


def _own_pool(base_url: str) -> httpx2.AsyncClient:
    """A HubSpot on this machine is never asked through a proxy."""
    loopback = (urlsplit(base_url).hostname or "") in ("localhost", "127.0.0.1", "::1")
    limits = httpx2.Limits(
        max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=30.0
    )
    return httpx2.AsyncClient(limits=limits, trust_env=not loopback)


def _version() -> str:
    try:
        return version("credsync")
    except PackageNotFoundError:
        return "0"


USER_AGENT = f"credsync/{_version()}"
