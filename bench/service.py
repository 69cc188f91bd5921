"""The service as a backend calls it: over its HTTP API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from bench.portal import NAME, Applicant
from bench.processes import BenchFailed, Stage

ABREAST = 8
"""Calls under way at once when many facts go in."""


class Service:
    """Calls of one running service."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def apply(self, applicant: Applicant, contact_id: str) -> None:
        """A sign-up and, right after it, its Credentialing Application."""
        await self.sign_up(applicant, contact_id)
        await self.submit(applicant)

    async def sign_up(self, applicant: Applicant, contact_id: str) -> None:
        """The therapist signed up."""
        body = {"kind": "first", "occurred_at": _now(), "portal": NAME, "contact_id": contact_id}
        await self._post(f"/v1/therapists/{applicant.id}/sign-ups", body)

    async def submit(self, applicant: Applicant) -> None:
        """The therapist submitted the Credentialing Application."""
        body = {"form": "ca", "occurred_at": _now(), "data": applicant.application()}
        await self._post(f"/v1/therapists/{applicant.id}/submissions", body)

    async def apply_all(self, people: Iterable[tuple[Applicant, str]]) -> None:
        """Sign up and submit for many, some abreast."""
        rest = iter(list(people))

        async def one_after_another() -> None:
            for applicant, contact_id in rest:
                await self.apply(applicant, contact_id)

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(ABREAST):
                    tasks.create_task(one_after_another())
        except* BenchFailed as failures:
            raise BenchFailed("; ".join(map(str, failures.exceptions))) from None

    async def status(self, applicant: Applicant) -> dict[str, Any]:
        """How things stand with a therapist."""
        answer = await self._http.get(f"/v1/therapists/{applicant.id}")
        if not answer.is_success:
            raise BenchFailed(f"the status of {applicant.id} was answered {answer.status_code}")
        told: dict[str, Any] = answer.json()
        return told

    async def names_refused(self, applicant: Applicant, slot: str, name: str) -> bool:
        """Whether this property of a slot's write, and no other, is said to be refused."""
        writes = (await self.status(applicant))["writes"]
        refused = [
            (write["slot"], each["name"])
            for write in writes
            for each in write["properties"]
            if each["state"] == "refused"
        ]
        return refused == [(slot, name)]

    async def waits(self, applicant: Applicant) -> int:
        """How many of its writes wait for a record that is not there."""
        writes = (await self.status(applicant))["writes"]
        return sum(1 for each in writes if each["state"] == "waiting")

    async def pause(self) -> None:
        """Stop the portal's rounds."""
        await self._post(f"/v1/portals/{NAME}/pause", {"reason": "bench: facts go in first"})

    async def resume(self) -> None:
        """Let the portal's rounds run."""
        await self._post(f"/v1/portals/{NAME}/resume", {})

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = await self._http.post(path, json=body)
        if not answer.is_success:
            raise BenchFailed(f"POST {path} was answered {answer.status_code}: {answer.text[:500]}")


@asynccontextmanager
async def connected(on: Stage) -> AsyncIterator[Service]:
    """The service of a stage; no proxy is asked."""
    token = {"Authorization": f"Bearer {on.token}"}
    async with httpx2.AsyncClient(
        base_url=on.service.url, headers=token, timeout=60, trust_env=False
    ) as http:
        yield Service(http)


def _now() -> str:
    return datetime.now(UTC).isoformat()
