"""What befalls a whole portal for a while: a refused token, a missing scope, the day's calls used up, a rule that
nobody published, an outage, a person's pause, observe-only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import anyio

from credsync.core.portal import Mode
from credsync.store import portals
from tests.oracle import Told

if TYPE_CHECKING:
    from storm.scene import Scene

ZONE = "Pacific/Kiritimati"
"""Where midnight is at 10:00 UTC, soon after a storm of the day's last calls begins."""
RULES: tuple[tuple[str, str, str], ...] = (
    ("therapist_address", "street", "[13].*"),
    ("credentialing", "npi", "12.*"),
    ("license", "license_number", ".*[1-4]"),
)
"""Object, property and what its values must be like, so that some of those submitted are refused."""


class Spells:
    """One seed has none, one or two of them, each once."""

    def __init__(self, scene: Scene, chance: Random) -> None:
        self._scene = scene
        self._chance = chance
        self.observed: list[tuple[datetime, datetime]] = []
        """Since and until when the portal only observed."""
        self.ruled: frozenset[str] = frozenset()
        """Properties of which HubSpot refuses some values."""
        kinds: Mapping[str, Callable[[float], Awaitable[None]]] = {
            "observe_only": self._observe_only,
            "outage": self._outage,
            "pause": self._pause,
            "rule": self._rule,
            "scope": self._scope,
            "token": self._token,
        }
        chosen = chance.sample(sorted(kinds), chance.choice((0, 1, 2, 2)))
        self._chosen = [(name, kinds[name]) for name in chosen]

    @property
    def names(self) -> tuple[str, ...]:
        """Those of this seed."""
        return tuple(name for name, _ in self._chosen)

    async def cast(self, ends: float) -> None:
        """All of them, each over before the storm is."""
        async with anyio.create_task_group() as tasks:
            for name, spell in self._chosen:
                tasks.start_soon(self._one, name, spell, ends)

    async def _one(self, name: str, spell: Callable[[float], Awaitable[None]], ends: float) -> None:
        begins = self._chance.uniform(5, ends - 60)
        lasts = self._chance.uniform(5, ends - begins - 20)
        await anyio.sleep(begins)
        self._scene.outcome.met[f"spell_{name}"] += 1
        await spell(lasts)

    async def _token(self, lasts: float) -> None:
        await self._fault(lasts, answer={"shape": "revoked_token"})

    async def _scope(self, lasts: float) -> None:
        path = self._chance.choice(("/associations/", "batch/update", "/properties/", "batch/read"))
        await self._fault(lasts, answer={"shape": "missing_scopes"}, match={"path": path})

    async def _fault(self, lasts: float, **fault: Any) -> None:
        await self._scene.control("POST", "/_sandbox/faults", times=None, lasts=f"{lasts:.0f}s", **fault)
        await anyio.sleep(lasts)

    async def _rule(self, lasts: float) -> None:
        """Sometimes for good; who is refused is visible, and Sync now tries again."""
        key, name, pattern = self._chance.choice(RULES)
        rules = [{"ruleType": "REGEX", "ruleArguments": [pattern]}]
        published = self._chance.random() < 0.3
        self.ruled |= {name}
        place = {"object": key, "property": name, "unpublished": not published}
        await self._scene.control("PUT", "/_sandbox/validations", rules=rules, **place)
        await anyio.sleep(lasts)
        if self._chance.random() < 0.5:
            await self._scene.control("PUT", "/_sandbox/validations", rules=[], **place)

    async def _outage(self, lasts: float) -> None:
        """One kind of trouble and nothing else, now and then at writes alone."""
        weather = self._scene.weather
        weather.only = self._chance.choice(("refused", "vanished", "vanished", "server_error", "limited"))
        weather.only_writes = self._chance.random() < 0.7
        await anyio.sleep(min(lasts, 90.0))
        weather.only = None

    async def _pause(self, lasts: float) -> None:
        """By a person; nobody else ends it."""
        scene, path = self._scene, f"/v1/portals/{self._scene.portal.name}"
        for call, change, reason in (
            ("pause", portals.pause, ("on call", "storm")),
            ("resume", portals.resume, ("on call",)),
        ):
            asked = scene.time.now()
            with scene.database.write() as connection:
                change(connection, scene.portal.name, *reason, scene.time.now())  # type: ignore[operator]
            scene.callers.told.append(Told(f"{path}/{call}", {}, asked, scene.time.now()))
            scene.wake(0.0)
            if call == "pause":
                await anyio.sleep(lasts)

    async def _observe_only(self, lasts: float) -> None:
        """Every process is started again with another portal file, and once more when it writes again."""
        scene = self._scene
        for mode in (Mode.OBSERVE, Mode.WRITE):
            scene.portal_now = replace(scene.portal, hubspot=replace(scene.portal.hubspot, mode=mode))
            scene.end_processes()
            await anyio.sleep(1)
            if mode is Mode.OBSERVE:
                began = scene.time.now()
                await anyio.sleep(lasts)
                self.observed.append((began, scene.time.now() + timedelta(milliseconds=1)))
