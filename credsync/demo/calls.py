"""The demo's two counterparts over HTTP: the service's API, and the sandbox's own endpoints, which know the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2

from credsync.demo.people import Person
from credsync.demo.processes import PORTAL, DemoFailed, Stage

Json = dict[str, Any]


def moment(text: str) -> datetime:
    """A moment as both write it."""
    return datetime.fromisoformat(text)


async def _answer(
    http: httpx2.AsyncClient, method: str, path: str, body: Json | None = None, key: str = ""
) -> Json:
    headers = {"Idempotency-Key": key} if key else {}
    try:
        answer = await http.request(method, path, json=body, headers=headers)
    except httpx2.HTTPError as error:
        raise DemoFailed(f"{method} {path}: {type(error).__name__} {error}") from None
    if not answer.is_success:
        raise DemoFailed(f"{method} {path} was answered {answer.status_code}: {answer.text[:2000]}")
    found: Json = answer.json()
    return found


@dataclass(frozen=True, slots=True)
class Service:
    """What a backend calls."""

    http: httpx2.AsyncClient

    async def sign_up(self, person: Person, contact_id: str, at: datetime) -> None:
        """Make the therapist known, with name and contact, and say that they signed up."""
        known = {"portal": PORTAL, "contact_id": contact_id, "name": person.name, "email": person.email}
        await _answer(self.http, "PUT", f"/v1/therapists/{person.id}", known)
        signed = {
            "kind": "first",
            "occurred_at": at.isoformat(),
            "moving": person.moving,
            "data": person.sign_up(),
        }
        path = f"/v1/therapists/{person.id}/sign-ups"
        await _answer(self.http, "POST", path, signed, f"sign-up-{person.id}")

    async def submit(self, person: Person, at: datetime) -> None:
        """Hand in the Credentialing Application. When this returns, it is durable."""
        submitted = {"form": "ca", "occurred_at": at.isoformat(), "data": person.application()}
        path = f"/v1/therapists/{person.id}/submissions"
        await _answer(self.http, "POST", path, submitted, f"ca-{person.id}")

    async def extend(self, person: Person, at: datetime) -> None:
        """Say that they signed up again."""
        signed = {"kind": "extended", "occurred_at": at.isoformat(), "moving": person.moving}
        path = f"/v1/therapists/{person.id}/sign-ups"
        await _answer(self.http, "POST", path, signed, f"extended-{person.id}")

    async def renew(self, person: Person, at: datetime) -> None:
        """Hand in what they submit after signing up again."""
        submitted = {"form": "ca", "occurred_at": at.isoformat(), "data": person.renewed().renewal()}
        path = f"/v1/therapists/{person.id}/submissions"
        await _answer(self.http, "POST", path, submitted, f"renewal-{person.id}")

    async def status(self, person: Person) -> Json:
        """All the service says of a therapist."""
        return await _answer(self.http, "GET", f"/v1/therapists/{person.id}")


@dataclass(frozen=True, slots=True)
class Made:
    """A contact, the ids its records will have by slot, and in how many s the last of them comes."""

    contact_id: str
    records: Mapping[str, str]
    last_comes: float


@dataclass(frozen=True, slots=True)
class Sandbox:
    """HubSpot's account, and what only its stand-in can tell."""

    http: httpx2.AsyncClient

    async def make_contact(self, person: Person, workflow: float | None, never: Sequence[str] = ()) -> Made:
        """Make the contact, which starts its workflows, but for the objects that `never` come."""
        contact: Json = {
            "properties": {
                "email": person.email,
                "firstname": person.first_name,
                "lastname": person.last_name,
            },
            "licenses": [each.state for each in person.licenses],
            "moving": person.moving,
            "never": list(never),
        }
        if workflow is not None:
            contact["delay"] = workflow
        made = await _answer(self.http, "POST", "/_sandbox/contacts", contact)
        planned = {each["slot"]: each for each in made["planned"] if each["due_in_s"] is not None}
        return Made(
            made["id"],
            {slot: each["id"] for slot, each in planned.items()},
            max(each["due_in_s"] for each in planned.values()),
        )

    async def extend(self, contact_id: str) -> None:
        """What the calling backend does in HubSpot at an Extended Sign Up: a second Credentialing gets the label."""
        await _answer(self.http, "POST", "/_sandbox/esu", {"contact": contact_id, "pause": "5s"})

    async def double(self, contact_id: str, slot: str, parent: str | None = None) -> None:
        """Somebody makes a second record in a slot, on the contact or on another record."""
        second = {"contact": contact_id, "slot": slot, "parent": parent}
        await _answer(self.http, "POST", "/_sandbox/records/create", second)

    async def counts(self) -> tuple[int, int]:
        """How many records exist but contacts, and how many writes they have had."""
        told = await _answer(self.http, "GET", "/_sandbox/truth?contacts=false")
        return told["records_total"], told["writes"]

    async def contacts(self) -> dict[str, Json]:
        """The truth about every contact, by id."""
        told = await _answer(self.http, "GET", "/_sandbox/truth")
        return {each["id"]: each for each in told["contacts"]}

    async def calls(self) -> int:
        """How many calls HubSpot has had."""
        total: int = (await _answer(self.http, "GET", "/_sandbox/requests/summary"))["total"]
        return total


@asynccontextmanager
async def connected(on: Stage) -> AsyncIterator[tuple[Service, Sandbox]]:
    """Both, with connections that go nowhere but there: no proxy is asked."""
    token = {"Authorization": f"Bearer {on.token}"}
    async with (
        httpx2.AsyncClient(base_url=on.service.url, headers=token, timeout=30, trust_env=False) as service,
        httpx2.AsyncClient(base_url=on.sandbox.url, timeout=30, trust_env=False) as sandbox,
    ):
        yield Service(service), Sandbox(sandbox)
