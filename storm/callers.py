"""The calling backend and the people: what they report, and what they were told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from credsync.core.facts import SignUpKind
from credsync.core.forms import FormFaults, check_form
from credsync.core.portal import Portal
from credsync.store import intake
from credsync.store.database import Database
from credsync.store.therapists import Door, Taken, Who
from storm.loop import VirtualTime
from tests.oracle import Told

COALESCE = timedelta(seconds=4)
CANARY = "canary"
"""In every class C field: nowhere in the database, in no call to HubSpot may it be found."""
_STREETS = ("1 Elm St", "2 Oak Ave", "3 Pine Rd", "4 Ash Ct")
_NPIS = ("1234567893", "1245319599", "1679576722", "1003000126")
_STATUSES = ("enrolled", "not_enrolled")


def uuid_of(number: int) -> str:
    """A therapist's UUID."""
    return str(UUID(int=number + 1, version=4))


@dataclass
class Callers:
    """Report facts straight to the store, as the API does after its checks; keep what was acknowledged."""

    database: Database
    portal: Portal
    time: VirtualTime
    chance: Random
    wake: Callable[[float], None]
    told: list[Told] = field(default_factory=list)
    broken: float = 0.0
    """How often the API dies between the commit and its answer."""
    refused: int = 0
    """Reports with class D data."""

    def report(self, path: str, body: Mapping[str, Any]) -> None:
        """One call, and again if it was not answered."""
        asked = self.time.now()
        self.told.append(Told(path, body, asked, None))
        place = len(self.told) - 1
        taken = self._stored(path, body)
        self.wake(0.0 if taken.urgent else COALESCE.total_seconds())
        if self.chance.random() >= self.broken:
            self.told[place] = replace(self.told[place], answered=self.time.now())
        else:
            self._again(path, body)

    def _again(self, path: str, body: Mapping[str, Any]) -> None:
        self._stored(path, body)
        self.told.append(Told(path, body, self.time.now(), self.time.now()))

    def _stored(self, path: str, body: Mapping[str, Any]) -> Taken:
        _, _, _, therapist, call = path.split("/", 4)
        door = Door(self.time.now(), COALESCE)
        with self.database.write() as connection:
            return self._fact(connection, door, therapist, call, body)

    def _fact(
        self, connection: Connection, door: Door, therapist: str, call: str, body: Mapping[str, Any]
    ) -> Taken:
        who = Who(therapist, body.get("portal"), body.get("contact_id"))
        moving = body.get("moving")
        if call == "sync":
            return intake.accept_sync(
                connection, door, therapist, body["reason"], body.get("include_held", False), "storm"
            )
        at = datetime.fromisoformat(body["occurred_at"])
        if call == "sign-ups":
            return intake.accept_sign_up(connection, door, who, SignUpKind(body["kind"]), at, moving, None)
        if call == "sections":
            return intake.accept_section(connection, door, who, body["form"], body["section"], at)
        if call == "submissions":
            checked = check_form(body["form"], body["data"], self.portal.custom)
            return intake.accept_submission(connection, door, who, body["form"], at, moving, checked.data)
        raise AssertionError(call)

    # What they say

    def sign_up(self, therapist: str, contact: str | None, kind: str = "first", **more: Any) -> None:
        """A sign-up, now unless said otherwise."""
        body = {"kind": kind, "occurred_at": self.moment(), "portal": self.portal.name, **more}
        if contact is not None:
            body["contact_id"] = contact
        self.report(f"/v1/therapists/{therapist}/sign-ups", body)

    def submit(self, therapist: str, form: str, data: Mapping[str, Any], **more: Any) -> None:
        """A form, now unless said otherwise."""
        body = {"form": form, "occurred_at": self.moment(), "portal": self.portal.name, "data": data, **more}
        self.report(f"/v1/therapists/{therapist}/submissions", body)

    def section(self, therapist: str) -> None:
        """A section was completed."""
        body = {
            "form": "ca",
            "section": "npi_and_caqh",
            "occurred_at": self.moment(),
            "portal": self.portal.name,
        }
        self.report(f"/v1/therapists/{therapist}/sections", body)

    def sync(self, therapist: str, include_held: bool = False) -> None:
        """Sync now."""
        body = {"reason": "wanted", "include_held": include_held}
        self.report(f"/v1/therapists/{therapist}/sync", body)

    def forbidden(self, therapist: str) -> None:
        """What must never come in is refused at the door, and kept nowhere, not even in the refusal."""
        data = {"personal_information": {"ssn": CANARY}, "npi_and_caqh": {"caqh_password": CANARY}}
        try:
            check_form("ca", data, self.portal.custom)
        except FormFaults as refusal:
            said = [str(refusal), *map(str, refusal.faults)]
        else:
            said = [CANARY]
        assert CANARY not in repr(said), f"class D of {therapist} was taken, or said again"
        self.refused += 1

    def moment(self, ago: float = 0.0) -> str:
        """A moment as callers write it."""
        return (self.time.now() - timedelta(seconds=ago)).isoformat()

    def ca(self, states: tuple[str, ...] = (), bad: bool = False) -> dict[str, Any]:
        """Parts of a CA by chance, with a canary in what must not be kept."""
        pick = self.chance.choice
        data: dict[str, Any] = {"personal_information": {"birth_place": CANARY, "citizenship": CANARY}}
        if self.chance.random() < 0.9:
            npi: Any = pick(_NPIS) if self.chance.random() < 0.85 else None
            data["npi_and_caqh"] = {"npi": npi}
            if self.chance.random() < 0.7:
                status = "pending" if bad else pick(_STATUSES)
                data["npi_and_caqh"]["medicare_status"] = status
        if self.chance.random() < 0.8:
            address = {"line1": pick(_STREETS), "city": pick(("Albany", "Troy"))}
            data["practice_preferences"] = {"treating_address": address, "pet_allergies": CANARY}
        if states and self.chance.random() < 0.85:
            items = [{"state": state, "number": f"{state}-{self.chance.randint(1, 99)}"} for state in states]
            data["education_and_training"] = {"licenses": items}
        return data if len(data) > 1 else {"npi_and_caqh": {"npi": pick(_NPIS)}}

    def af(self) -> dict[str, Any]:
        """An attestation that confirms most and changes some."""
        data: dict[str, Any] = {
            "npi_and_caqh": {"confirmed": True},
            "attestation": {"signed_name": "Ann Example", "attested_at": "2026-02-01T09:30:00Z"},
        }
        if self.chance.random() < 0.5:
            data["practice_preferences"] = {"specialties": self.chance.sample(["anxiety", "trauma"], 1)}
        return data
