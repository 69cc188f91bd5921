"""The calling backend in a test: what it tells credsync over HTTP, and what it asks."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.flow.processes import until
from tests.oracle import Told

ACTIVE, MOVING = "credentialing_active_attested", "credentialing_relocation"
ADDRESS = "therapist_address_current"


class Caller:
    """Everything it told is kept in `told`, with whether it was acknowledged."""

    api: httpx2.Client

    def __init__(self) -> None:
        self.told: list[Told] = []

    def connect(self, address: str, token: str) -> None:
        """Call the service at this address from now on."""
        hooks: dict[str, Any] = {"request": [self._note_asked], "response": [self._note_answered]}
        headers = {"Authorization": f"Bearer {token}"}
        self.api = httpx2.Client(base_url=address, headers=headers, timeout=30, event_hooks=hooks)

    def sign_up(self, therapist: str, contact: str | None, **more: Any) -> None:
        """Report a sign-up."""
        body = {"kind": "first", "occurred_at": moment(), "portal": "demo", **more}
        if contact is not None:
            body["contact_id"] = contact
        answer = self.api.post(f"/v1/therapists/{therapist}/sign-ups", json=body)
        assert answer.status_code == 202, answer.text

    def submit(self, therapist: str, data: dict[str, Any], form: str = "ca", **more: Any) -> httpx2.Response:
        """Submit a form."""
        body = {"form": form, "occurred_at": moment(), "data": data, **more}
        answer = self.api.post(f"/v1/therapists/{therapist}/submissions", json=body)
        assert answer.status_code == 202, answer.text
        return answer

    def extend(self, therapist: str, **more: Any) -> None:
        """Report an Extended Sign Up."""
        self.sign_up(therapist, None, kind="extended", **more)

    def sync(self, therapist: str, **more: Any) -> None:
        """Press Sync now."""
        answer = self.api.post(f"/v1/therapists/{therapist}/sync", json={"reason": "wanted", **more})
        assert answer.status_code == 202, answer.text

    def link(self, therapist: str, slot: str) -> dict[str, Any]:
        """The status's link of one slot; empty while there is none."""
        links: list[dict[str, Any]] = self.status(therapist)["links"]
        return next((link for link in links if link["slot"] == slot), {})

    def writes(self, therapist: str, slot: str) -> list[tuple[str, str]]:
        """State and reason of each write of a slot, oldest submission first."""
        found = [w for w in self.status(therapist)["writes"] if w["slot"] == slot]
        return [(w["state"], w["reason"]) for w in sorted(found, key=lambda w: str(w["submitted_at"]))]

    def diff(self, therapist: str) -> dict[str, Any]:
        """HubSpot now beside what would be written, asked again until all of it is known."""

        def whole() -> dict[str, Any] | None:
            answer = self.api.get(f"/v1/therapists/{therapist}/diff")
            assert answer.status_code in (200, 429), answer.text
            told: dict[str, Any] = answer.json()
            return told if answer.status_code == 200 and told["complete"] else None

        return until(whole, 30, "the differences")

    def nothing_unsent(self, therapist: str) -> bool:
        """Whether every write of a therapist has come to an end."""
        return not {w["state"] for w in self.status(therapist)["writes"]} & {"waiting", "due", "unknown"}

    def status(self, therapist: str) -> dict[str, Any]:
        """The therapist's status."""
        answer = self.api.get(f"/v1/therapists/{therapist}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until_state(self, therapist: str, state: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until the therapist is in a state; gives the status."""
        return until(
            lambda: s if (s := self.status(therapist))["state"] == state else None, seconds, f"state {state}"
        )

    def looked(self, therapist: str, slot: str = ACTIVE) -> dict[str, Any]:
        """Wait until a slot that rounds go on looking at was looked at in a round that began after now; gives its link."""
        before = self.link(therapist, slot).get("looks", 0)

        def again() -> dict[str, Any] | None:
            link = self.link(therapist, slot)
            return link if link.get("looks", 0) >= before + 2 else None

        return until(again, 20, f"two more looks at {slot}")

    def _note_asked(self, request: httpx2.Request) -> None:
        if request.method in ("POST", "PUT") and request.url.path.startswith("/v1/"):
            body = json.loads(request.content or b"{}")
            self.told.append(Told(request.url.path, body, datetime.now(UTC), None))
            request.extensions["told"] = self.told[-1]

    def _note_answered(self, response: httpx2.Response) -> None:
        told = response.request.extensions.get("told")
        if told is None or response.status_code >= 500:
            return
        place = next(n for n, each in enumerate(self.told) if each is told)
        if response.is_success:
            self.told[place] = replace(told, answered=datetime.now(UTC))
        else:
            del self.told[place]


def moment(seconds_ago: float = 0) -> str:
    """A moment as the API takes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


def someone() -> str:
    """A new therapist's UUID."""
    return str(uuid.uuid4())
