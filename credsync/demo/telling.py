"""What became of the stories' therapists: judged by the sandbox's truth, then by what the service says of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from credsync.core.portal import id_key
from credsync.core.reasons import Reason
from credsync.core.states import TherapistState
from credsync.core.writes import UNFINISHED, WriteState
from credsync.demo.calls import Json, moment
from credsync.demo.outcome import Fate, by_slot, fate_of, judge, record_faults, word_faults
from credsync.demo.people import Person
from credsync.demo.plan import Kind
from credsync.demo.story import Played

ENDS: Mapping[Kind, Fate] = {
    Kind.EXTENDED: Fate.WRITTEN,
    Kind.HELD: Fate.NEEDS_A_PERSON,
    Kind.RELOCATION: Fate.WRITTEN,
    Kind.LICENCES: Fate.WRITTEN,
    Kind.TWO_RECORDS: Fate.NEEDS_A_PERSON,
    Kind.BAD_VALUE: Fate.NEEDS_A_PERSON,
    Kind.NEVER: Fate.WAITING,
}
"""How each story ends when everything is as it should be."""
_WELL: Mapping[Kind, str] = {
    Kind.EXTENDED: "the new submission is on the new Credentialing, what was there before is untouched",
    Kind.HELD: "unwritten when the Extended Sign Up came: held, not on the new Credentialing",
    Kind.RELOCATION: "on the relocation Credentialing, nothing on the other",
    Kind.LICENCES: "NY and CA each on its own record, nothing on another NY under the other Credentialing",
    Kind.TWO_RECORDS: "neither is written, both are shown, a person chooses; the address is written",
    Kind.BAD_VALUE: "the value is named and not sent, all else is written",
    Kind.NEVER: "waiting, overdue since {} after the sign-up; the address is written, nothing is lost",
}
_RELOCATION = "credentialing_relocation"


@dataclass(slots=True)
class Told:
    """One therapist's story. `command` is what a person runs, without the program's name; empty: nothing to do."""

    kind: Kind
    label: str
    name: str
    fate: Fate
    faults: list[str]
    records: int = 0
    """Written, if all is."""
    why: str = ""
    command: str = ""
    overdue_after: float = 0.0
    """HubSpot's seconds after the sign-up."""

    @property
    def well(self) -> bool:
        """Whether it ended as it should."""
        return self.fate is ENDS[self.kind] and not self.faults


@dataclass(slots=True)
class _Case:
    """What is known of one therapist, and what is found wrong."""

    played: Played
    truth: Json
    status: Json
    speed: float
    faults: list[str] = field(default_factory=list)
    lost: bool = False
    """Whether HubSpot differs and the service does not say so."""
    why: str = ""
    command: str = ""
    overdue_after: float = 0.0

    @property
    def person(self) -> Person:
        return self.played.part.person

    def rows(self, slot: str) -> list[Json]:
        return [row for row in self.status["writes"] if row["slot"] == slot]

    def link(self, slot: str) -> Json:
        return next((link for link in self.status["links"] if link["slot"] == slot), {})

    def differs(self, slot: str, faults: Iterable[str]) -> None:
        """Faults of HubSpot's content, silent unless the service says that something of the slot is still to be done."""
        found = list(faults)
        self.faults += found
        if found and not any(WriteState(row["state"]) in UNFINISHED for row in self.rows(slot)):
            self.lost = True

    def unspoken(self, said: bool, fault: str) -> None:
        """A fault in what the service says."""
        if not said:
            self.faults.append(fault)

    @property
    def slots(self) -> dict[str, Json]:
        """The records by the slots they hold."""
        return by_slot(self.truth["records"], self.person.definitive_slot)

    def written(self, slot: str, wanted: Mapping[str, str], record: Json | None) -> None:
        self.differs(
            slot, record_faults(slot, wanted, record) if record is not None else [f"{slot}: no record"]
        )

    def untouched(self, but: Sequence[str]) -> None:
        """No record may be written but these ids'."""
        for record in self.truth["records"]:
            if record["writes"] and record["id"] not in but:
                self.lost = True
                self.faults.append(f"{record['made_for']}: {record['id']} is written and must not be")

    def waits(self, slots: Iterable[str]) -> None:
        """What is submitted for these slots is kept until it can be written: nothing else will ever write it."""
        for slot in slots:
            if [row["state"] for row in self.rows(slot)] != [WriteState.WAITING]:
                self.lost = True
                self.faults.append(f"{slot}: not waiting")


def tell(played: Played, truth: Json, status: Json, speed: float) -> Told:
    """Judge one therapist's story."""
    case = _Case(played, truth, status, speed)
    person, kind = played.part.person, played.part.kind
    _JUDGES[kind](case)
    fate = Fate.LOST if case.lost else fate_of(TherapistState(status["state"]), case.faults)
    return Told(
        kind=kind,
        label=person.label,
        name=person.name,
        fate=fate,
        faults=case.faults,
        records=played.part.writes,
        why=case.why,
        command=case.command,
        overdue_after=case.overdue_after,
    )


def _extended(case: _Case) -> None:
    slot, renewed = case.person.definitive_slot, case.played.renewed
    new, before = _label_moved(case)
    if new is None or renewed is None:
        return
    case.written(slot, case.person.renewed().expected(renewed)[slot], new)
    case.untouched([new["id"], *before.values()])
    said = [row["record_id"] for row in case.rows(slot) if row["state"] == WriteState.WRITTEN]
    case.unspoken(sorted(said) == sorted([before[slot], new["id"]]), f"{slot}: the service says otherwise")


def _label_moved(case: _Case) -> tuple[Json | None, dict[str, str]]:
    """The record that took the label, and the ids by slot of those before it, which must stand as they were written."""
    slot = case.person.definitive_slot
    made = {each["made_for"]: each for each in case.truth["records"]}
    expected = case.person.expected(case.played.submitted)
    for each, wanted in expected.items():
        case.written(each, wanted, made.get(each))
    before = {each: made[each]["id"] for each in expected if each in made}
    new = case.slots.get(slot)
    if new is None or slot not in before or new["id"] == before[slot]:
        case.faults.append(f"{slot}: no new record holds it")
        return None, before
    case.unspoken(case.status["ids"].get(id_key(slot)) == new["id"], f"{slot}: the service holds another id")
    return new, before


def _held(case: _Case) -> None:
    slot = case.person.definitive_slot
    new, before = _label_moved(case)
    case.untouched(list(before.values()))
    rows = [(row["state"], row["reason"]) for row in case.rows(slot)]
    wanted = [(WriteState.WRITTEN, Reason.NONE), (WriteState.HELD, Reason.OLDER_THAN_SIGN_UP)]
    if new is not None and rows != wanted:
        case.lost = True
        case.faults.append(f"{slot}: not held as older than the sign-up")
    state = case.status["state"]
    case.unspoken(state == TherapistState.HELD, f"the service says {state}, not held")
    case.why = f"submitted before the latest sign-up, after which {slot} took another record; sync it if it belongs there."
    words = ["sync", case.person.id, "--include-held", "--reason", "it is still true"]
    case.command = shlex.join(words)


def _as_the_others(case: _Case) -> None:
    outcome = judge(case.played, case.truth, case.status, case.speed)
    case.faults += outcome.faults


def _relocation(case: _Case) -> None:
    _as_the_others(case)
    other = case.person.other_slot
    if case.person.definitive_slot != _RELOCATION or other not in case.slots:
        case.faults.append(f"{other}: there is no other Credentialing to be left alone")


def _licences(case: _Case) -> None:
    _as_the_others(case)
    slot = case.person.slots[1]
    if sum(slot in each["slots"] for each in case.truth["records"]) != 2:
        case.faults.append(f"{slot}: there is no other licence to be left alone")


def _two_records(case: _Case) -> None:
    slot = case.person.definitive_slot
    holders = sorted(each["id"] for each in case.truth["records"] if slot in each["slots"])
    if len(holders) != 2:
        case.faults.append(f"{slot}: {len(holders)} records hold it")
    _only_the_address(case)
    candidates = sorted(each["record_id"] for each in case.link(slot).get("candidates", ()))
    case.unspoken(candidates == holders, f"{slot}: not both records are shown")
    case.unspoken(
        case.status["state"] == TherapistState.AMBIGUOUS,
        f"the service says {case.status['state']}, not ambiguous",
    )
    case.why = f"{' and '.join(candidates)} both hold {slot}; choose the right one."
    made = next((each["id"] for each in case.truth["records"] if each["made_for"] == slot), "RECORD")
    words = ["choose", case.person.id, slot, made, "--reason", "the other is a duplicate"]
    case.command = shlex.join(words)


def _only_the_address(case: _Case) -> None:
    """All but the address waits, and no other record is written."""
    address = "therapist_address_current"
    slots = case.slots
    expected = case.person.expected(case.played.submitted)
    case.written(address, expected[address], slots.get(address))
    case.untouched([slots[address]["id"]] if address in slots else [])
    case.waits(slot for slot in expected if slot != address)


def _bad_value(case: _Case) -> None:
    slot = case.person.definitive_slot
    slots = case.slots
    expected = case.person.expected(case.played.submitted)
    for each, wanted in expected.items():
        case.written(each, wanted, slots.get(each))
    sent = slots.get(slot, {"properties": {}})["properties"].get("medicare")
    if sent:
        case.lost = True
        case.faults.append(f"{slot}: medicare is {sent}, which nobody submitted")
    for each in expected:
        if each in slots and each != slot:
            case.faults += word_faults(each, slots[each], case.status)
    case.untouched([slots[each]["id"] for each in expected if each in slots])
    rows = case.rows(slot)
    named = [each for row in rows for each in row["properties"] if each["state"] == "refused"]
    partly = [row["state"] for row in rows] == [WriteState.PARTIAL]
    if not partly or [each["name"] for each in named] != ["medicare"]:
        case.lost = True
        case.faults.append(f"{slot}: the service does not say that medicare alone is missing")
    said = "; ".join(f"{each['name']}: {each['message']}" for each in named)
    case.why = f"{said}. Add the option in HubSpot, then sync; or submit another value."
    case.command = shlex.join(["sync", case.person.id, "--reason", "the option is there now"])


def _never(case: _Case) -> None:
    slot = case.person.definitive_slot
    if slot in case.slots:
        case.faults.append(f"{slot}: it has come")
    _only_the_address(case)
    since = case.link(slot).get("overdue_since")
    said = since is not None and case.status["state"] == TherapistState.OVERDUE
    case.unspoken(said, f"the service says {case.status['state']}, not overdue")
    if since is not None:
        after = moment(since) - moment(case.truth["created_at"])
        case.overdue_after = after.total_seconds() * case.speed
    case.why = f"{slot} has not come; see its HubSpot workflow."
    case.command = shlex.join(["show", case.person.id])


_JUDGES: Mapping[Kind, Callable[[_Case], None]] = {
    Kind.EXTENDED: _extended,
    Kind.HELD: _held,
    Kind.RELOCATION: _relocation,
    Kind.LICENCES: _licences,
    Kind.TWO_RECORDS: _two_records,
    Kind.BAD_VALUE: _bad_value,
    Kind.NEVER: _never,
}


def lines(told: Sequence[Told]) -> list[tuple[str, str, str]]:
    """A line for each story: its name, how many, and how they ended."""
    return [
        _line(kind, [each for each in told if each.kind is kind])
        for kind in ENDS
        if any(each.kind is kind for each in told)
    ]


def _line(kind: Kind, told: Sequence[Told]) -> tuple[str, str, str]:
    well = sum(each.well for each in told)
    if well < len(told):
        wrong = next(each for each in told if not each.well)
        why = "; ".join(wrong.faults) or f"{wrong.fate}, not {ENDS[kind]}"
        return kind, f"{len(told)}", f"WRONG for {len(told) - well}: {wrong.label}: {why}"
    since = sorted(f"{each.overdue_after / 60:.1f}" for each in told)
    return kind, f"{len(told)}", _WELL[kind].format(f"{since[0]} min")
