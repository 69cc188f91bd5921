"""A sandbox in a thread and the few calls most tests make of it. Time stands still unless a test moves it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import Receive, Scope, Send

from credsync_sandbox.app import App, build_app
from credsync_sandbox.server import in_thread

PORTAL = """
[hubspot]
portal_id = "1234567"
[objects.credentialing]
name = "credentialing"
parent = "contact"
[objects.license]
name = "license"
parent = "credentialing"
[objects.therapist_address]
name = "therapist_address"
[slots.credentialing_active_attested]
object = "credentialing"
label = "Active Attested"
awaited = "always"
[slots.credentialing_relocation]
object = "credentialing"
label = "Processing for Move"
awaited = "moving"
[slots.license]
object = "license"
each = "license_state"
awaited = "submitted"
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"
awaited = "always"
[definitive]
ca = [{ slot = "credentialing_relocation", when = "moving" }, { slot = "credentialing_active_attested" }]
[contact]
sync_url = "credsync_url"
[[writes]]
form = "ca"
to = "definitive"
values.medicare = { enrolled = "Yes", not_enrolled = "No" }
values.specialties = { anxiety = "Anxiety", trauma = "Trauma" }
[writes.fields]
npi = "npi_and_caqh.npi"
medicare = "npi_and_caqh.medicare_status"
specialties = "practice_preferences.specialties"
weekly = "practice_preferences.weekly_appointments"
submitted_on = "submitted_at"
attested_at = "attested_at"
agreed = "certification_and_release.agreed"
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = { license_number = "number", expires_on = "expiry" }
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = { street = "practice_preferences.treating_address.line1" }
"""

VERSIONS = ("v3", "2026-03", "2026-09")


class Driver:
    """Calls of one sandbox. `hubspot` carries a token, `control` has none to carry."""

    def __init__(self, app: App, url: str) -> None:
        self.app = app
        self.url = url
        self.hubspot = httpx2.Client(base_url=url, headers={"Authorization": "Bearer pat-na1-test"})
        self.control = httpx2.Client(base_url=f"{url}/_sandbox")

    def close(self) -> None:
        """Let go of the connections."""
        self.hubspot.close()
        self.control.close()

    def do(self, path: str, body: Any = None, method: str = "POST", status: int | None = None) -> Any:
        """A `/_sandbox/` call; it must succeed unless another status is named."""
        answer = self.control.request(method, path, json=body)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer.json()

    def contact(self, **body: Any) -> dict[str, Any]:
        """Make a contact whose records are there at once, unless a delay is given."""
        made: dict[str, Any] = self.do("/contacts", {"delay": 0, **body})
        return made

    def advance(self, duration: str | float) -> None:
        """Move the sandbox's time."""
        self.do("/time", {"advance": duration})

    def truth(self, contact_id: str) -> dict[str, Any]:
        """What there really is of a contact."""
        told: dict[str, Any] = self.do(f"/truth/contacts/{contact_id}", method="GET")
        return told

    def records(self, contact_id: str) -> dict[str, dict[str, Any]]:
        """A contact's live records by the slots they are in now."""
        return {
            slot: record
            for record in self.truth(contact_id)["records"]
            if record["archived_at"] is None
            for slot in record["slots"] or [record["id"]]
        }

    def look(
        self, *ids: str, to: str = "credentialing", version: str = "2026-09", **more: Any
    ) -> httpx2.Response:
        """An associations batch read from contacts."""
        path = (
            f"/crm/v4/associations/0-1/{to}" if version == "v3" else f"/crm/associations/{version}/0-1/{to}"
        )
        return self.hubspot.post(
            f"{path}/batch/read", json={"inputs": [{"id": each, **more} for each in ids]}
        )

    def objects(self, verb: str, inputs: list[Any], object_type: str = "credentialing", version: str = "2026-09",
                **more: Any) -> httpx2.Response:  # fmt: skip
        """A batch call on objects: `read`, `update`, `create`, `archive`."""
        return self.hubspot.post(
            f"{objects_path(version)}/{object_type}/batch/{verb}", json={"inputs": inputs, **more}
        )

    def update(self, record_id: str, version: str = "2026-09", **properties: Any) -> httpx2.Response:
        """A batch update of one Credentialing."""
        return self.objects("update", [{"id": record_id, "properties": properties}], version=version)

    def summary(self) -> dict[str, Any]:
        """The request log's counts."""
        told: dict[str, Any] = self.do("/requests/summary", method="GET")
        return told


def objects_path(version: str) -> str:
    """Where a version keeps its objects."""
    return "/crm/v3/objects" if version == "v3" else f"/crm/objects/{version}"


def app_of(folder: Path, portal: str = PORTAL, speed: float = 0.0, **options: Any) -> App:
    """A sandbox of this portal, not yet served."""
    path = folder / "demo.toml"
    path.write_text(portal, encoding="utf-8")
    return build_app(path, speed=speed, **options)


@contextlib.contextmanager
def running(folder: Path, portal: str = PORTAL, speed: float = 0.0, **options: Any) -> Iterator[Driver]:
    """A sandbox with a server of its own while the block runs."""
    with (
        in_thread(app_of(folder, portal, speed, **options)) as server,
        driving(server.app, server.url) as driver,
    ):
        yield driver


@contextlib.contextmanager
def driving(app: App, url: str) -> Iterator[Driver]:
    """A driver whose connections are closed at the end."""
    driver = Driver(app, url)
    try:
        yield driver
    finally:
        driver.close()


class Switch:
    """An ASGI application that hands every request to whichever sandbox is plugged in."""

    def __init__(self) -> None:
        self.app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; the server's own start and stop are answered here."""
        if scope["type"] == "http":
            assert self.app is not None
            await self.app(scope, receive, send)
            return
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
