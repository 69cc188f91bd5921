"""A real HTTP server on loopback that says what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
import anyio.lowlevel
import httpx2

from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.pacing import Pacing

_TLS = ssl.create_default_context()
"""Shared, since to make one per client would cost more than the tests themselves."""
TOKEN = "pat-na1-this-is-the-secret"
CORRELATION = "5a1b2c3d-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Reply:
    """One answer; `raw` replaces the whole of it, an empty one just hangs up."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    raw: bytes | None = None

    def content(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.body["inputs"]]


Handler = Callable[[Asked], Reply]


class ScriptedServer:
    """Replies in turn, the last one for ever; or by a function of the request."""

    def __init__(self, replies: Iterable[Reply] | Handler) -> None:
        self._handler = replies if callable(replies) else None
        self._replies = [] if callable(replies) else list(replies)
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self._heard = anyio.Event()

    def reply(self, asked: Asked) -> Reply:
        if self._handler is not None:
            return self._handler(asked)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    async def was_asked(self, times: int) -> None:
        """It was asked just so often; a client that gave up may be ahead of what the server has read."""
        with anyio.fail_after(10):
            while len(self.asked) < times:
                self._heard = anyio.Event()
                await self._heard.wait()
        assert len(self.asked) == times

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(method, path, headers, json.loads(raw) if raw else None)
        self.asked.append(asked)
        self._heard.set()
        reply = self.reply(asked)
        await asyncio.sleep(reply.delay)
        if reply.raw is not None:
            writer.write(reply.raw)
            await writer.drain()
            return False
        content = reply.content()
        told = {"content-length": str(len(content)), "x-hubspot-correlation-id": CORRELATION} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} Told", *(f"{key}: {value}" for key, value in told.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for byte in content if reply.drip else [content]:
            writer.write(bytes([byte]) if isinstance(byte, int) else byte)
            await writer.drain()
            await asyncio.sleep(reply.drip)
        return True


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await anyio.lowlevel.checkpoint()


@dataclass
class Scene:
    server: ScriptedServer
    client: HubSpotClient
    time: FakeTime


@asynccontextmanager
async def scene(
    replies: Iterable[Reply] | Handler, *, speed: float = 1.0, **settings: Any
) -> AsyncIterator[Scene]:
    """A scripted server, and a client that talks to it in fake time."""
    server, fake = ScriptedServer(replies), FakeTime()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**24)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    pool = httpx2.AsyncClient(verify=_TLS, trust_env=False)
    pacing = settings.pop("pacing", None) or Pacing(speed=speed, clock=fake.clock, sleep=fake.sleep)
    settings = {
        "rng": Random(1),
        "clock": fake.clock,
        "sleep": fake.sleep,
        "speed": speed,
        "http": pool,
    } | settings
    try:
        async with HubSpotClient(
            server.url, TOKEN, settings.pop("version", "2026-09"), pacing, **settings
        ) as client:
            yield Scene(server, client, fake)
    finally:
        await pool.aclose()
        listener.close()


def error(status: int, category: str = "VALIDATION_ERROR", **more: Any) -> Reply:
    """An error as HubSpot writes them."""
    body = {
        "status": "error",
        "category": category,
        "message": "said secret-value-42",
        "correlationId": CORRELATION,
    }
    return Reply(status, body | more)


def run_in_virtual_time(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run on an event loop whose clock jumps to the next timer instead of waiting for it."""
    import selectors

    class Jumping(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
        now = 0.0

        def select(self, timeout: float | None = None) -> Any:
            ready = super().select(0)
            if not ready and timeout is not None:
                Jumping.now += timeout
            return ready

    def new_loop() -> asyncio.AbstractEventLoop:
        loop = asyncio.SelectorEventLoop(Jumping())
        loop.time = lambda: Jumping.now  # type: ignore[method-assign]
        return loop

    return anyio.run(work, backend="asyncio", backend_options={"loop_factory": new_loop})
