"""What became of what was submitted: the sandbox's truth, and whether the service says the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from credsync.core.portal import id_key
from credsync.core.states import NEEDS_A_PERSON, TherapistState
from credsync.core.writes import WriteState
from credsync.demo.calls import Json, moment
from credsync.demo.old_way import Left, left_behind
from credsync.demo.story import Played


class Fate(StrEnum):
    """Of a therapist's whole application."""

    WRITTEN = "written"
    WAITING = "waiting"
    NEEDS_A_PERSON = "needs a person"
    LOST = "lost"
    """Not all of it is in HubSpot once and as submitted, and the service does not say so."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of the Credentialing the application belongs to: HubSpot's seconds after the sign-up. None: not so far."""

    first_looked: float | None
    created: float | None
    found: float | None
    written: float | None


@dataclass(slots=True)
class Outcome:
    """One therapist's. `lags` are from when a record existed and its data was submitted to when it was written."""

    label: str
    fate: Fate
    times: Times
    old: Left
    submitted_first: bool
    lags: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def judge(played: Played, truth: Json, status: Json, speed: float) -> Outcome:
    """Compare what was submitted with the records, and the records with what the service says of them."""
    person = played.part.person
    began = moment(truth["created_at"])

    def after(text: str | None) -> float | None:
        return None if text is None else (moment(text) - began).total_seconds() * speed

    submitted = after(played.submitted.isoformat()) or 0.0
    records = by_slot(truth["records"], person.definitive_slot)
    expected = person.expected(played.submitted)
    faults = [f"{slot}: no record" for slot in expected if slot not in records]
    came: dict[str, float] = {}
    lags: list[float] = []
    for slot, wanted in expected.items():
        record = records.get(slot, {})
        seen, written = after(record.get("visible_at")), after(record.get("first_written_at"))
        if seen is not None:
            came[slot] = seen
            faults += [*record_faults(slot, wanted, record), *word_faults(slot, record, status)]
            if written is not None:
                lags.append(written - max(seen, submitted))
    asked = {records[slot]["id"] for slot in came}
    faults += [
        f"{record['made_for']}: written though nothing was submitted for it"
        for record in truth["records"]
        if record["writes"] and record["id"] not in asked
    ]
    slot = person.definitive_slot
    link: Json = next((each for each in status["links"] if each["slot"] == slot), {})
    return Outcome(
        label=person.label,
        fate=fate_of(TherapistState(status["state"]), faults),
        times=Times(
            first_looked=after(link.get("first_missed_at") or link.get("found_at")),
            created=came.get(slot),
            found=after(link.get("found_at")),
            written=after(records.get(slot, {}).get("first_written_at")),
        ),
        old=left_behind(came),
        submitted_first=submitted < max(came.values(), default=float("inf")),
        lags=lags,
        faults=faults,
    )


def by_slot(records: Iterable[Json], definitive: str) -> dict[str, Json]:
    """The living records by the slots they hold; what hangs on another record than the definitive one is left out."""
    living = [each for each in records if each["archived_at"] is None]
    others = {each["id"] for each in living if definitive not in each["slots"]}
    return {slot: each for each in living if others.isdisjoint(each["parents"]) for slot in each["slots"]}


def record_faults(slot: str, wanted: Mapping[str, str], record: Json) -> Iterable[str]:
    """What of a record in HubSpot is not as it should be: its values, or how often it was written."""
    wrong = [name for name, value in wanted.items() if record["properties"].get(name) != value]
    if wrong:
        yield f"{slot}: {', '.join(wrong)} not as submitted"
    if record["writes"] != 1:
        yield f"{slot}: written {record['writes']} times"


def word_faults(slot: str, record: Json, status: Json) -> Iterable[str]:
    """Where the service does not say that this record was written."""
    if status["ids"].get(id_key(slot)) != record["id"]:
        yield f"{slot}: the service holds another id"
    rows = [row for row in status["writes"] if row["slot"] == slot]
    if [(row["state"], row["record_id"]) for row in rows] != [(WriteState.WRITTEN, record["id"])]:
        yield f"{slot}: the service says {', '.join(row['state'] for row in rows) or 'nothing'}"


def fate_of(state: TherapistState, faults: Sequence[str]) -> Fate:
    """What a state comes to, given what was found wrong."""
    if state in NEEDS_A_PERSON:
        return Fate.NEEDS_A_PERSON
    if state is not TherapistState.IN_SYNC:
        return Fate.WAITING
    return Fate.LOST if faults else Fate.WRITTEN


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of all values does not exceed.

    >>> share([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0
