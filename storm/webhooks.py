"""HubSpot's webhooks on their way: dropped, doubled, shuffled, late, and some that HubSpot never sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import anyio

from credsync.core.hints import hints_of
from credsync.core.portal import Portal
from credsync.core.schedule import Policy
from credsync.core.webhook_events import read_events, webhook_path
from credsync.hubspot.signature import FARTHEST_AHEAD, OLDEST, Signed, flaw_of, signature_v3
from credsync.store import portals
from credsync.store.database import Database
from credsync.store.hints import keep_hints
from credsync.store.webhooks import note_received, note_refused, note_replayed, use_signature
from credsync_sandbox.world.world import World
from storm.loop import VirtualTime

SECRET, STRANGERS = "a-client-secret", "a-strangers-secret"
URI = "https://credsync.example.org"


class Webhooks:
    """Carries what happens in the sandbox to the service's door, which judges and keeps it as the API does."""

    def __init__(
        self,
        world: World,
        database: Database,
        portal: Portal,
        policy: Policy,
        time: VirtualTime,
        chance: Random,
        met: Counter[str],
        wake: Callable[[float], None],
    ) -> None:
        self._world = world
        self._database = database
        self._portal = portal
        self._policy = policy
        self._time = time
        self._chance = chance
        self._met = met
        self._wake = wake
        self.drop = chance.choice((0.0, 0.2, 0.6))

    async def run(self) -> None:
        """As long as HubSpot sends any."""
        self._world.events = []
        while True:
            await anyio.sleep(self._chance.uniform(0.2, 6))
            events, self._world.events = self._world.events, []
            sent = [each for each in events if self._chance.random() >= self.drop]
            self._met["hooks_dropped"] += len(events) - len(sent)
            if sent:
                self._chance.shuffle(sent)
                self._deliver(sent)
            if self._chance.random() < 0.02:
                self._forge()

    def _deliver(self, events: list[dict[str, Any]]) -> None:
        body = json.dumps([{**each, "eventId": 1, "attemptNumber": 0} for each in events]).encode()
        made = self._time.now() - timedelta(seconds=self._chance.choice((0, 0, 3, 200)))
        stamp = str(int(made.timestamp() * 1000))
        signature = signature_v3(SECRET, "POST", URI + webhook_path(self._portal.name), body, stamp)
        self._met["hooks"] += len(events)
        for _ in range(2 if self._chance.random() < 0.1 else 1):
            assert self._taken(body, stamp, signature), "HubSpot's own webhook was refused"

    def _forge(self) -> None:
        """A stranger names every record there is."""
        self._met["hooks_forged"] += 1
        ids = [int(record.id) for record in self._world.records.everything()]
        events = [{"subscriptionType": "object.deletion", "objectId": each} for each in ids[:100]]
        body, stamp = json.dumps(events).encode(), str(int(self._time.timestamp() * 1000))
        signature = signature_v3(STRANGERS, "POST", URI + webhook_path(self._portal.name), body, stamp)
        assert not self._taken(body, stamp, signature), "a stranger's webhook was taken"

    def _taken(self, body: bytes, stamp: str, signature: str) -> bool:
        now, name = self._time.now(), self._portal.name
        signed = Signed("POST", URI + webhook_path(name), body, stamp, signature)
        flaw = flaw_of(signed, (SECRET,), now)
        with self._database.write() as connection:
            if flaw is not None:
                note_refused(connection, name, 1, flaw.value, now)
                return False
            if not use_signature(connection, name, signature, now, now + OLDEST + FARTHEST_AHEAD):
                self._met["hooks_replayed"] += 1
                note_replayed(connection, name)
                return True
            events, faults = read_events(json.loads(body))
            assert not faults, faults
            known = portals.status_of(connection, name)
            hints = hints_of(self._portal, known.types, known.portal_id, events)
            due = now + self._policy.hint_coalesce
            meant = keep_hints(connection, name, hints.touches, hints.woken, due)
            note_received(connection, name, len(events), meant, hints.associated, now)
        self._wake(self._policy.hint_coalesce.total_seconds())
        return True
