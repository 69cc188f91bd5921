"""A log and a truth made by hand, to see that the oracle finds what is wrong with them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.oracle.evidence import Evidence, Told

PORTAL = tomllib.loads((Path(__file__).parents[2] / "portals" / "demo.toml").read_text(encoding="utf-8"))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, BOB = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ACTIVE, MOVING = "credentialing_active_attested", "credentialing_relocation"


class Scene:
    """One thing after another, ten seconds apart."""

    def __init__(self) -> None:
        self.now = START
        self.told: list[Told] = []
        self.requests: list[dict[str, Any]] = []
        self.journal: list[dict[str, Any]] = []
        self.records: dict[str, dict[str, Any]] = {}
        self.contacts: list[str] = []

    def evidence(self, **more: Any) -> Evidence:
        """All of it."""
        by_contact = [{"id": c, "records": self._of(c)} for c in self.contacts]
        return Evidence(PORTAL, self.told, self.requests, self.journal, by_contact, **more)

    def tell(self, therapist: str, what: str, **body: Any) -> datetime:
        """An acknowledged call to credsync about a therapist; gives its `occurred_at`."""
        at = self._tick()
        body.setdefault("occurred_at", at.isoformat())
        self.told.append(Told(f"/v1/therapists/{therapist}/{what}", body, at, at + timedelta(seconds=1)))
        return at

    def sign_up(self, therapist: str, contact: str | None, kind: str = "first", **more: Any) -> datetime:
        """A sign-up."""
        if contact is not None:
            self.contacts.append(contact)
            more["contact_id"] = contact
        return self.tell(therapist, "sign-ups", kind=kind, **more)

    def submit(self, therapist: str, data: Mapping[str, Any], form: str = "ca", **more: Any) -> datetime:
        """A submission."""
        return self.tell(therapist, "submissions", form=form, data=data, **more)

    def make(
        self, record_id: str, slot: str | None, *parents: str, object_key: str = "credentialing"
    ) -> None:
        """A record comes to be, in a slot."""
        self.records[record_id] = {
            "id": record_id,
            "object": object_key,
            "type_id": object_key,
            "slots": [slot] if slot else [],
            "parents": list(parents),
            "archived_at": None,
            "writes": 0,
            "merged": [],
        }
        self._note("create", record_id)

    def change(self, record_id: str, **what: Any) -> None:
        """Its slots, parents or life change."""
        self.records[record_id] |= what
        self._note("link", record_id)

    def delete(self, record_id: str) -> None:
        """It goes."""
        self.change(record_id, archived_at=self.now.isoformat(), parents=[], slots=[])

    def look(self, *contacts: str, status: int = 200) -> None:
        """A look at contacts."""
        path = "/crm/associations/2026-09/0-1/credentialing/batch/read"
        self.call("associations batch/read", [{"id": c} for c in contacts], status=status, path=path)

    def write(self, record_id: str, object_key: str | None = None, **values: str) -> None:
        """A call of credsync's writes these to a record."""
        call = self.call("objects batch/update", [{"id": record_id, "properties": values}])
        self.records[record_id]["writes"] += 1
        self._note("write", record_id, values, call)

    def round(self, record_id: str, contact: str, **values: str) -> None:
        """A look, then a write."""
        self.look(contact)
        self.write(record_id, **values)

    def call(
        self, name: str, inputs: list[Any], status: int = 200, method: str = "POST", path: str = "/crm"
    ) -> str:
        """A call that reaches HubSpot; gives its correlation id."""
        at = self._tick()
        correlation_id = f"call-{len(self.requests)}"
        self.requests.append(
            {
                "at": at.isoformat(),
                "method": method,
                "call": name,
                "path": path,
                "ms": 5.0,
                "text": "\n" + json.dumps({"inputs": inputs}),
                "status": status,
                "fault": None,
                "correlation_id": correlation_id,
            }
        )
        return correlation_id

    def _of(self, contact: str) -> list[dict[str, Any]]:
        near = [r for r in self.records.values() if contact in r["parents"]]
        ids = {r["id"] for r in near}
        return near + [r for r in self.records.values() if ids & set(r["parents"])]

    def _note(
        self, action: str, record_id: str, values: Mapping[str, str] | None = None, call: str | None = None
    ) -> None:
        at = self.now if call else self._tick()
        record = json.loads(json.dumps(self.records[record_id]))
        self.journal.append(
            {
                "seq": len(self.journal) + 1,
                "at": at.isoformat(),
                "action": action,
                "correlation_id": call,
                "values": dict(values or {}),
                "record": record,
            }
        )

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=10)
        return self.now


def npi(value: str | None = "1234567893") -> dict[str, Any]:
    """A CA that says this and no more."""
    return {"npi_and_caqh": {"npi": value}}


def licences(*states: str) -> dict[str, Any]:
    """A CA with these licences."""
    items = [{"state": state, "number": f"{state}-77"} for state in states]
    return {"education_and_training": {"licenses": items}}
