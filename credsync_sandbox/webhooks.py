"""Signed webhooks (signature v3) to one address: JSON arrays of at most 100 events, retried, in no promised order."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import itertools
import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import urlsplit

from credsync_sandbox.world.tick import fire_due
from credsync_sandbox.world.world import World

MOST_EVENTS = 100
MOST_ATTEMPTS = 10
TIMEOUT = 5.0
PERIOD = 0.05
"""Wall seconds between looks for events to send."""
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}


def signature_v3(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """base64(HMAC-SHA256(secret, METHOD + URI + body + timestamp)), the URI with HubSpot's few characters decoded."""
    for code, char in _DECODED.items():
        uri = uri.replace(code, char).replace(code.lower(), char)
    text = f"{method}{uri}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Target:
    """Where events go. `subscriptions` None: every kind.

    `signed_as` is the address HubSpot would have called where it is not `url`: that of a proxy before the service.
    `drop` is the share of events that are never sent.
    """

    url: str
    secret: str
    subscriptions: frozenset[str] | None = None
    signed_as: str | None = None
    drop: float = 0.0


class Webhooks:
    """Sends what happens in the world while a target is set."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = Random(f"{world.seed} webhooks")  # noqa: S311 (chance, no secret)
        self._numbers = itertools.count(1)
        self.target: Target | None = None
        self.delivered = 0
        self.failed = 0
        """Events given up after MOST_ATTEMPTS."""
        self._on_the_way = 0
        self._waiting: list[tuple[float, int, list[dict[str, Any]]]] = []
        """Batches to send again: not before this wall moment, attempts so far, events."""

    def set(self, target: Target | None) -> None:
        """Start or stop noting events."""
        self.target = target
        self._world.events = None if target is None else []
        self._waiting.clear()

    @property
    def waiting(self) -> int:
        """Events that were not taken yet, and are still to be."""
        later = sum(len(batch) for _, _, batch in self._waiting)
        return len(self._world.events or ()) + later + self._on_the_way

    async def run(self) -> None:
        """The background task."""
        while True:
            await asyncio.sleep(PERIOD)
            if self.target is not None:
                fire_due(self._world)
                await self._send_all(self.target)

    async def _send_all(self, target: Target) -> None:
        events, self._world.events = self._world.events or [], []
        wanted = [
            event
            for event in events
            if (target.subscriptions is None or event["subscriptionType"] in target.subscriptions)
            and not (target.drop and self._chance.random() < target.drop)
        ]
        now = time.time()
        due = [batch for batch in self._waiting if batch[0] <= now]
        self._waiting = [batch for batch in self._waiting if batch[0] > now]
        fresh = [
            (now, 0, wanted[start : start + MOST_EVENTS]) for start in range(0, len(wanted), MOST_EVENTS)
        ]
        batches = [*due, *fresh]
        self._on_the_way = sum(len(batch) for _, _, batch in batches)
        for _, attempts, batch in batches:
            if await asyncio.to_thread(self._post, target, batch, attempts):
                self.delivered += len(batch)
            elif attempts + 1 >= MOST_ATTEMPTS:
                self.failed += len(batch)
            else:
                self._waiting.append((time.time() + 2.0**attempts, attempts + 1, batch))
            self._on_the_way -= len(batch)

    def _post(self, target: Target, events: list[dict[str, Any]], attempts: int) -> bool:
        told = []
        for event in events:
            event.setdefault("eventId", next(self._numbers))
            told.append(event | {"subscriptionId": 1, "appId": 1, "attemptNumber": attempts})
        body = json.dumps(told, separators=(",", ":")).encode()
        timestamp = str(int(time.time() * 1000))
        parts = urlsplit(target.url)
        maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = maker(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body,
                {
                    "Content-Type": "application/json",
                    "X-HubSpot-Signature-v3": signature_v3(
                        target.secret, "POST", target.signed_as or target.url, body, timestamp
                    ),
                    "X-HubSpot-Request-Timestamp": timestamp,
                },
            )
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
