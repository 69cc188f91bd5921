"""The sandbox as the judge: how many calls it met, what its records hold, when each was visible and written."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from bench.portal import LICENSE, OBJECTS, SLOTS, Applicant

START_UP = frozenset({"schema", "account"})
"""Kinds of calls that look up names, not therapists."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a stretch of the request log."""

    by_call: Mapping[str, int]
    start_up: int
    refused: int
    bytes_in: int
    bytes_out: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_call.values())


@dataclass(frozen=True, slots=True)
class RecordFate:
    """A record that had to be written. Moments are seconds of wall time."""

    contact_id: str
    slot: str
    signed_up: float
    visible: float
    written: float | None
    writes: int
    right: bool
    """Whether it holds exactly what was submitted for it."""


@dataclass(slots=True)
class Verdict:
    """What became of all records."""

    fates: list[RecordFate] = field(default_factory=list)
    strays: int = 0
    """Writes to records that nothing was submitted for."""

    @property
    def lost(self) -> int:
        """Records that had to be written and were not, or hold something else."""
        return sum(1 for fate in self.fates if fate.writes == 0 or not fate.right)

    @property
    def repeated(self) -> int:
        """Writes beyond the first of each record."""
        return sum(max(0, fate.writes - 1) for fate in self.fates)

    @property
    def exact(self) -> bool:
        """Every record written, with the right values, once, and no other."""
        return not (self.lost or self.repeated or self.strays)


class Judge:
    """Asks a sandbox. Nothing it does is in the request log."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.Client(base_url=f"{url}/_sandbox", timeout=60, trust_env=False)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def make_contacts(self, count: int, delay: float = 0.0, *, by_property: bool = False) -> list[str]:
        """Sign up so many contacts at once; their records come after `delay` sandbox seconds."""
        slots: dict[str, Any] = {"slots": list(SLOTS)}
        if by_property:
            slots = {"slots": [slot for slot in SLOTS if slot != LICENSE], "licenses": ["NY"]}
        made: list[str] = []
        while len(made) < count:
            some = min(500, count - len(made))
            answer = self.ask("POST", "/contacts", [{**slots, "quiet": True, "delay": delay, "count": some}])
            made += [one["id"] for one in answer["contacts"]]
        return made

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forward."""
        self.ask("POST", "/time", {"advance": seconds})

    def last_call(self) -> int:
        """The number of the newest call in the log."""
        return int(self.ask("GET", "/requests/summary")["last_seq"])

    def calls(self, since: int = 0) -> Calls:
        """The calls after this number."""
        entries = self.ask("GET", f"/requests?since={since}")["requests"]
        return Calls(
            by_call=dict(Counter(f"{each['method']} {each['call']}" for each in entries)),
            start_up=sum(1 for each in entries if each["kind"] in START_UP or "labels" in each["call"]),
            refused=sum(1 for each in entries if not 200 <= each["status"] < 300),
            bytes_in=sum(each["bytes_in"] for each in entries),
            bytes_out=sum(each["bytes_out"] for each in entries),
        )

    def moments(self, since: int = 0, call: str | None = None) -> list[float]:
        """When each call after this number, of one kind if that is named, came, in order; wall time."""
        calls = self.ask("GET", f"/requests?since={since}")["requests"]
        return sorted(moment(each["at"]) for each in calls if call in (None, each["call"]))

    def looks(self, since: int = 0) -> dict[str, list[float]]:
        """When the associations of each object type were read, by the type's key, in order; wall time."""
        keys = {type_id: key for key, type_id in self.ask("GET", "/health")["objects"].items()}
        found: dict[str, list[float]] = {key: [] for key in keys.values()}
        for each in self.ask("GET", f"/requests?since={since}&kind=associations")["requests"]:
            target = each["path"].removesuffix("/batch/read").rpartition("/")[2]
            if each["path"].endswith("/batch/read") and target in keys:
                found[keys[target]].append(moment(each["at"]))
        return found

    def progress(self) -> tuple[int, int]:
        """How many writes the records have had, and how many records are still to come."""
        told = self.ask("GET", "/truth?contacts=false")
        return int(told["writes"]), int(told["pending"])

    def record_ids(self, contacts: Iterable[str]) -> dict[str, dict[str, str]]:
        """The record of each slot, by contact."""
        wanted = set(contacts)
        return {
            contact["id"]: {record["made_for"]: record["id"] for record in contact["records"]}
            for contact in self.ask("GET", "/truth")["contacts"]
            if contact["id"] in wanted
        }

    def settings(self, changed: Mapping[str, Any]) -> None:
        """Change settings of the sandbox."""
        self.ask("PUT", "/settings", dict(changed))

    def forbid_longer(self, object_key: str, name: str, most: int) -> None:
        """Refuse longer values of a property, by a rule that no call tells."""
        rule = {"ruleType": "MAX_LENGTH", "ruleArguments": [str(most)]}
        body = {"object": object_key, "property": name, "rules": [rule], "unpublished": True}
        self.ask("PUT", "/validations", body)

    def delete(self, record_id: str) -> None:
        """Somebody deletes a record."""
        self.ask("POST", "/records/delete", {"id": record_id})

    def storm(self, share: float, lasts: float) -> None:
        """Refuse this share of all calls with 429, for so many sandbox seconds."""
        fault = {"answer": {"status": 429}, "share": share, "times": None, "lasts": f"{lasts:g}s"}
        self.ask("POST", "/faults", fault)

    def no_faults(self) -> None:
        """End all faults."""
        self.ask("DELETE", "/faults")

    def verdict(self, people: Mapping[str, Applicant], writes: int) -> Verdict:
        """What became of the records of these contacts."""
        found = Verdict()
        for contact in self.ask("GET", "/truth")["contacts"]:
            applicant = people.get(contact["id"])
            if applicant is not None:
                _judge(found, contact, applicant.expected(writes))
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A `/_sandbox/` call."""
        answer = self._http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


def _judge(found: Verdict, contact: Mapping[str, Any], expected: Mapping[str, Mapping[str, str]]) -> None:
    for record in contact["records"]:
        wanted = expected.get(record["made_for"])
        if wanted is None:
            found.strays += record["writes"]
            continue
        held = record["properties"]
        first = record["first_written_at"]
        found.fates.append(
            RecordFate(
                contact["id"],
                record["made_for"],
                moment(contact["created_at"]),
                moment(record["visible_at"]),
                None if first is None else moment(first),
                record["writes"],
                all(held.get(name) == value for name, value in wanted.items()),
            )
        )
    absent = set(expected) - {record["made_for"] for record in contact["records"]}
    found.fates += [
        RecordFate(contact["id"], slot, 0.0, 0.0, None, 0, right=False) for slot in sorted(absent)
    ]


def moment(text: str) -> float:
    """A moment of the sandbox's answers, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def lags(fates: Iterable[RecordFate], speed: float) -> list[float]:
    """Seconds of sandbox time from visible to written, for every record that was written."""
    return [(fate.written - fate.visible) * speed for fate in fates if fate.written is not None]


def waits(
    fates: Iterable[RecordFate], looks: Mapping[str, Sequence[float]], speed: float
) -> list[tuple[float, float]]:
    """Each written record's lag in two parts: until the first look after it came, and from there to the write."""
    parts = []
    for fate in fates:
        taken = looks[OBJECTS[fate.slot]]
        place = bisect_left(taken, fate.visible)
        if fate.written is not None and place < len(taken):
            seen = min(taken[place], fate.written)
            parts.append(((seen - fate.visible) * speed, (fate.written - seen) * speed))
    return parts


def lateness(fates: Sequence[RecordFate], speed: float) -> list[float]:
    """Seconds of sandbox time from sign-up to visible."""
    return [(fate.visible - fate.signed_up) * speed for fate in fates]
