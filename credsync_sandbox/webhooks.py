"""Signed webhooks to one address, as HubSpot sends them: an app's events (v3), and what workflows say (v2); retried."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, urlsplit

from credsync_sandbox.arrival import Arrivals, Manner, Message
from credsync_sandbox.signatures import signature_v2, signature_v3
from credsync_sandbox.world.tick import fire_due
from credsync_sandbox.world.world import World

MOST_ATTEMPTS = 10
_FIRST_AGAIN = 60.0
_LONGER = 2.3
"""Sandbox seconds until a body is sent a second time, and how much longer each further wait is: ten tries in 24 h."""
MOST_AT_ONCE = 10
"""Calls on their way where they are shuffled; else one follows the other."""
TIMEOUT = 5.0
PERIOD = 0.05
"""Wall seconds between looks for events to send."""


@dataclass(slots=True)
class Target:
    """Where events go. `subscriptions` None: every kind.

    `signed_as` is the address HubSpot would have called where it is not `url`: that of a proxy before the service.
    `drop` is the share of events that are never sent. What is None is as the settings `webhooks_…` say.
    """

    url: str
    secret: str
    subscriptions: frozenset[str] | None = None
    signed_as: str | None = None
    drop: float = 0.0
    shuffled: bool | None = None
    doubled: float | None = None
    late: float | None = None
    of_workflows: bool | None = None


class Webhooks:
    """Sends what happens in the world while a target is set."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._arrivals = Arrivals(Random(f"{world.seed} webhooks"))  # noqa: S311 (chance, no secret)
        self.target: Target | None = None
        self.delivered = 0
        self.failed = 0
        """Events given up after MOST_ATTEMPTS."""
        self._on_the_way = 0
        self._waiting: list[tuple[float, int, Message]] = []
        """Bodies to send again: not before this sandbox moment, attempts so far."""

    def set(self, target: Target | None) -> None:
        """Start or stop noting events."""
        self.target = target
        self._world.events = None if target is None else []
        self._world.finished = None if target is None else []
        self._waiting.clear()
        self._arrivals.clear()

    @property
    def waiting(self) -> int:
        """Events that were not taken yet, and are still to be."""
        noted = len(self._world.events or ()) + len(self._world.finished or ())
        later = sum(len(message) for _, _, message in self._waiting)
        return noted + later + len(self._arrivals) + self._on_the_way

    async def run(self) -> None:
        """The background task."""
        while True:
            await asyncio.sleep(PERIOD)
            if self.target is not None:
                fire_due(self._world)
                await self._send_all(self.target)

    async def _send_all(self, target: Target) -> None:
        manner, now = self._manner(target), self._world.clock.now()
        self._arrivals.happened(self._noted(target), manner, now)
        again = [body for body in self._waiting if body[0] <= now]
        self._waiting = [body for body in self._waiting if body[0] > now]
        bodies = [*again, *((now, 0, message) for message in self._arrivals.due(manner, now))]
        self._on_the_way = sum(len(message) for _, _, message in bodies)
        gate = asyncio.Semaphore(MOST_AT_ONCE if manner.shuffled else 1)

        async def send(message: Message, attempts: int) -> None:
            async with gate:
                taken = await asyncio.to_thread(_post, target, message, attempts)
            self._on_the_way -= len(message)
            if taken:
                self.delivered += len(message)
            elif attempts + 1 >= MOST_ATTEMPTS:
                self.failed += len(message)
            else:
                wait = _FIRST_AGAIN * _LONGER**attempts
                self._waiting.append((now + wait, attempts + 1, message))

        async with asyncio.TaskGroup() as sending:
            for _, attempts, message in bodies:
                sending.create_task(send(message, attempts))

    def _noted(self, target: Target) -> list[Message]:
        """What happened since the last time and is subscribed to, a message each."""
        world = self._world
        events, world.events = world.events or [], []
        finished, world.finished = world.finished or [], []
        wanted = target.subscriptions
        told = [
            Message((event,)) for event in events if wanted is None or event["subscriptionType"] in wanted
        ]
        usual = self._world.settings.webhooks_of_workflows
        if usual if target.of_workflows is None else target.of_workflows:
            told += [Message(({"hs_object_id": int(contact)},), slot) for slot, contact in finished]
        return told

    def _manner(self, target: Target) -> Manner:
        usual = self._world.settings
        return Manner(
            shuffled=usual.webhooks_shuffled if target.shuffled is None else target.shuffled,
            doubled=usual.webhooks_doubled if target.doubled is None else target.doubled,
            late=usual.webhooks_late if target.late is None else target.late,
            drop=target.drop,
        )


def _post(target: Target, message: Message, attempts: int) -> bool:
    """Whether the call was taken."""
    parts = urlsplit(target.url)
    query = parts.query
    signed_as = target.signed_as or target.url
    if message.workflow is not None:
        own = f"workflow={quote(message.workflow)}"
        query = f"{query}&{own}" if query else own
        signed_as += f"{'&' if '?' in signed_as else '?'}{own}"
    body = _body(message, attempts)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        path = (parts.path or "/") + (f"?{query}" if query else "")
        connection.request("POST", path, body, _headers(target.secret, signed_as, message, body))
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _body(message: Message, attempts: int) -> bytes:
    told: object = message.events[0]
    if message.workflow is None:
        told = [
            event | {"subscriptionId": 1, "appId": 1, "attemptNumber": attempts} for event in message.events
        ]
    return json.dumps(told, separators=(",", ":")).encode()


def _headers(secret: str, uri: str, message: Message, body: bytes) -> dict[str, str]:
    if message.workflow is not None:
        signature = signature_v2(secret, "POST", uri, body)
        signed = {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": "v2"}
    else:
        timestamp = str(int(time.time() * 1000))
        signature = signature_v3(secret, "POST", uri, body, timestamp)
        signed = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}
    return {"Content-Type": "application/json", **signed}
