"""What tests of the core are made of: portals, facts, a HubSpot of our own making, and a therapist's story in rounds.

No database, no network and no clock: a story keeps its rows in memory and moves its own time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from credsync.core.decide import Case, Decision, decide
from credsync.core.facts import Facts, MovingFact, SignUp, SignUpKind, Submission
from credsync.core.forms import FormName
from credsync.core.links import Link, LinkHistory
from credsync.core.observations import NotSeen
from credsync.core.outgoing import Outgoing
from credsync.core.plan import SyncRequest
from credsync.core.portal import CONTACT, Portal
from credsync.core.portal_file import parse_portal
from credsync.core.properties import Property
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, ParentAwaited, TypeSight, holders
from credsync.core.verdicts import Outcome, Verdict
from credsync.core.writes import Write, WriteState
from credsync.reconcile.observe import types_to_look_at
from credsync.reconcile.prepare import prepare
from credsync.reconcile.turn import TurnInProgress
from credsync.store.cases import Claimed
from credsync.store.rounds import Turn

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When every story begins."""

ACTIVE, MOVE, ADDRESS, NY, NJ = (
    "credentialing_active_attested",
    "credentialing_relocation",
    "therapist_address_current",
    "license.NY",
    "license.NJ",
)
ATTESTED, PROCESSING, CURRENT = "Active Attested", "Processing for Move", "Current Address"

SLOTS_TOML = """
[objects.credentialing]
name = "credentialing"
[objects.license]
name = "license"
parent = "{license_parent}"
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
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"

[definitive]
ca = [{{ slot = "credentialing_relocation", when = "moving" }}, {{ slot = "credentialing_active_attested" }}]
"""

WRITES_TOML = """
[[writes]]
form = "ca"
to = "definitive"
fields = { npi = "npi_and_caqh.npi", bio = "practice_preferences.bio" }
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = { number = "number", expires_on = "expiry" }
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = { city = "practice_preferences.treating_address.city" }
[[writes]]
form = "af"
to = "definitive"
fields = { npi = "npi_and_caqh.npi", bio = "practice_preferences.bio" }
[[writes]]
form = "af"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = { number = "number", expires_on = "expiry" }
"""


def portal_text(mode: str = "write", license_parent: str = "contact", writes: str = WRITES_TOML) -> str:
    """A portal file with every kind of slot; licences hang on the contact or on the Credentialing."""
    return f'[hubspot]\nmode = "{mode}"\n' + SLOTS_TOML.format(license_parent=license_parent) + writes


PORTAL = parse_portal("alpha", portal_text())
TWO_HOPS = parse_portal("alpha", portal_text(license_parent="credentialing"))
OBSERVING = parse_portal("alpha", portal_text(mode="observe"))

KNOWN: dict[str, dict[str, Property]] = {
    "credentialing": {name: Property(name, "string") for name in ("npi", "bio", "moved")},
    "license": {name: Property(name, "string") for name in ("number", "expires_on", "license_state")},
    "therapist_address": {name: Property(name, "string") for name in ("city",)},
}


def at(seconds: float) -> datetime:
    """So many seconds into the story."""
    return T0 + timedelta(seconds=seconds)


def form_data(
    npi: str | None = "unsaid",
    bio: str | None = "unsaid",
    city: str | None = "unsaid",
    licenses: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """A form that says only what is given here; None clears."""
    data: dict[str, Any] = {}
    if npi != "unsaid":
        data["npi_and_caqh"] = {"npi": npi}
    practice: dict[str, Any] = {}
    if bio != "unsaid":
        practice["bio"] = bio
    if city != "unsaid":
        practice["treating_address"] = {"city": city}
    if practice:
        data["practice_preferences"] = practice
    if licenses is not None:
        data["education_and_training"] = {"licenses": [dict(each) for each in licenses]}
    return data


def submission(
    number: int,
    data: Mapping[str, Any],
    occurred: float | None = None,
    form: FormName = "ca",
    moving: bool | None = False,
) -> Submission:
    """A submitted form; its `occurred_at` is its number unless said otherwise."""
    moment = at(number if occurred is None else occurred)
    return Submission(number, form, moment, moment, moving, data)


def extended(number: int, occurred: float, received: float | None = None) -> SignUp:
    """An Extended Sign Up."""
    received_at = at(occurred if received is None else received)
    return SignUp(number, SignUpKind.EXTENDED, at(occurred), received_at)


def a_link(slot: str = ACTIVE, **changed: Any) -> Link:
    """An awaited link since the beginning."""
    return replace(Link(slot, awaited=True, awaited_since=T0), **changed)


def a_write(number: int | None = 1, slot: str = ACTIVE, **changed: Any) -> Write:
    """A waiting write of a CA in the first enrolment."""
    rule = "always" if slot == ACTIVE else "moving" if slot == MOVE else None
    return replace(Write(number, 0, "ca", slot, rule, frozenset({1}), at(1)), **changed)


@dataclass
class HubRecord:
    """A record of the HubSpot here: its type, what it hangs on, its labels there and its properties."""

    object: str
    parent: str
    labels: set[str] = field(default_factory=set)
    properties: dict[str, str | None] = field(default_factory=dict)


class Hub:
    """A HubSpot of one contact, whose records a test makes, moves and deletes."""

    def __init__(self) -> None:
        self.records: dict[str, HubRecord] = {}
        self.silent: set[str] = set()
        """Object types whose looks are not answered."""
        self._next_id = 900

    def add(self, object_key: str, *labels: str, parent: str = "101", **properties: str) -> str:
        """A new record; gives its id."""
        self._next_id += 1
        record_id = str(self._next_id)
        self.records[record_id] = HubRecord(object_key, parent, set(labels), dict(properties))
        return record_id

    def move(self, label: str, old: str, new: str) -> None:
        """Take a label off one record and put it on another."""
        self.records[old].labels.discard(label)
        self.records[new].labels.add(label)

    def slots_of(self, portal: Portal, record_id: str) -> set[str]:
        """The slots a record holds by its labels and properties."""
        record = self.records[record_id]
        candidate = Candidate(record_id, record.parent, frozenset(record.labels), record.properties)
        found = [holders(rule, [candidate], ()) for rule in portal.rules_of(record.object)]
        return {slot for each in found for slot, those in each.items() if those}

    def sights(self, portal: Portal, wanted: set[str], contact_id: str) -> dict[str, TypeSight]:
        """What a look at these object types sees, as `reconcile.observe` tells it."""
        seen: dict[str, TypeSight] = {}
        for key in sorted(wanted, key=lambda key: portal.objects[key].parent != CONTACT):
            parent = portal.objects[key].parent
            above = (Candidate(contact_id, ""),) if parent == CONTACT else seen[parent]
            if key in self.silent:
                seen[key] = NotSeen("TIMEOUT", "no answer")
            elif not isinstance(above, tuple):
                seen[key] = above
            elif not above:
                seen[key] = ParentAwaited()
            else:
                seen[key] = self._under(key, {c.record_id for c in above})
        return seen

    def _under(self, key: str, parents: set[str]) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(record_id, r.parent, frozenset(r.labels), dict(r.properties))
            for record_id, r in self.records.items()
            if r.object == key and r.parent in parents
        )


@dataclass(frozen=True)
class Sent:
    """One input as it left for HubSpot, the writes in it, the slots its record held then, and what became of it."""

    at: datetime
    record_id: str
    properties: Mapping[str, str | None]
    writes: tuple[Write, ...]
    held: frozenset[str]
    outcome: Outcome


Answer = Callable[[Outgoing], Outcome]


def always(outcome: Outcome) -> Answer:
    """HubSpot answers everything alike."""
    return lambda _outgoing: outcome


WRITTEN = always(Outcome.WRITTEN)


class Story:
    """One therapist through rounds: facts come in, HubSpot changes, and each round looks, decides and sends."""

    def __init__(
        self,
        portal: Portal = PORTAL,
        hub: Hub | None = None,
        contact_id: str | None = "101",
        policy: Policy | None = None,
    ) -> None:
        self.portal = portal
        self.hub = hub or Hub()
        self.policy = policy or Policy(look_again_min=timedelta(seconds=5), look_again_share=0.1)
        self.now = T0
        self.case = Case("t-1", contact_id, {}, ())
        self.sent: list[Sent] = []
        self.events: list[str] = []
        self.lost: list[LinkHistory] = []
        self.turns: list[Turn] = []
        self.decision: Decision | None = None
        self.shared: dict[tuple[str, str], set[str]] = {}
        self._sign_ups: list[SignUp] = []
        self._moving: list[MovingFact] = []
        self._submissions: list[Submission] = []
        self._syncs: list[SyncRequest] = []
        self._dirty = True
        self._row_id = 0

    # Facts

    def sign_up(
        self, moving: bool = False, occurred: datetime | None = None, *, again: bool = False
    ) -> SignUp:
        """A sign-up, or with `again` an Extended Sign Up."""
        kind = SignUpKind.EXTENDED if again else SignUpKind.FIRST
        made = SignUp(len(self._sign_ups) + 1, kind, occurred or self.now, self.now)
        self._sign_ups.append(made)
        self.says_moving(moving, occurred)
        return made

    def says_moving(self, moving: bool, occurred: datetime | None = None) -> None:
        """A word on moving."""
        self._moving.append(MovingFact(occurred or self.now, len(self._moving) + 1, moving))
        self._dirty = True

    def submit(
        self,
        data: Mapping[str, Any],
        form: FormName = "ca",
        occurred: datetime | None = None,
        moving: bool | None = None,
    ) -> int:
        """A submitted form; gives its id."""
        number = len(self._submissions) + 1
        self._submissions.append(Submission(number, form, occurred or self.now, self.now, moving, data))
        if moving is not None:
            self.says_moving(moving, occurred)
        self._dirty = True
        return number

    def knows_contact(self, contact_id: str) -> None:
        """The backend says which contact it is."""
        self.case = replace(self.case, contact_id=contact_id)
        self._dirty = True

    def sync(self, include_held: bool = False) -> None:
        """Sync now is pressed."""
        self._syncs.append(SyncRequest(len(self._syncs) + 1, include_held))
        self._dirty = True

    def section(self) -> None:
        """Something happened that asks for a look."""
        self._dirty = True

    def change_portal(self, portal: Portal) -> None:
        """The portal file is another from now on."""
        self.portal = portal
        self._dirty = True

    def facts(self) -> Facts:
        """Everything reported so far."""
        return Facts.of(self._sign_ups, self._moving, self._submissions)

    # Rounds

    def wait(self, seconds: float) -> Story:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    def round(self, answer: Answer = WRITTEN) -> Turn:
        """One round over this therapist."""
        facts = self.facts() if self._dirty else None
        claimed = Claimed(self.case, 1, self._dirty, "", "", True)
        prepared = prepare(self.portal, claimed, facts, self._syncs if self._dirty else (), self.now)
        wanted = types_to_look_at(self.portal, prepared.case, self._dirty)
        seen = self.hub.sights(self.portal, wanted, self.case.contact_id or "")
        self.decision = decide(self.portal, prepared.case, seen, self.shared, self.now, self.policy)
        turn = TurnInProgress(self.portal, prepared, self.decision, self.now, self.policy)
        turn.begin(self.facts(), KNOWN, self.now)
        if self._dirty:
            self._syncs = []
        self._dirty = False
        self.case = replace(prepared.case)
        self._record(turn.turn)
        if turn.outgoing:
            turn.end(self._send(turn, answer), self.now)
            self._record(turn.turn)
        return turn.turn

    def run(self, most: int = 200, answer: Answer = WRITTEN) -> Story:
        """Rounds whenever one is due, until none is or `most` are over."""
        self.round(answer)
        for _ in range(most):
            if self.due is None:
                break
            self.now = max(self.due, self.now)
            self.round(answer)
        return self

    @property
    def due(self) -> datetime | None:
        """When the next round is due by itself."""
        finish = self.turns[-1].finish
        assert finish is not None
        return finish.due_at

    @property
    def state(self) -> str:
        """The therapist's state and reason after the last round."""
        finish = self.turns[-1].finish
        assert finish is not None
        return f"{finish.condition.state} {finish.condition.reason}".strip()

    @property
    def writes(self) -> tuple[Write, ...]:
        """Every row, oldest first."""
        return self.case.writes

    def rows(self, slot: str) -> list[Write]:
        """The rows of one slot that are not superseded."""
        return [w for w in self.case.writes if w.slot == slot and w.state is not WriteState.SUPERSEDED]

    def told(self, slot: str = ACTIVE) -> list[str]:
        """`state reason` of every row of a slot, oldest first."""
        return [f"{w.state} {w.reason}".strip() for w in self.case.writes if w.slot == slot]

    def got(self, record_id: str) -> dict[str, str | None]:
        """A record's properties in HubSpot."""
        return self.hub.records[record_id].properties

    def _record(self, turn: Turn) -> None:
        for index, write in enumerate(turn.writes):
            if write.id is None:
                self._row_id += 1
                turn.writes[index] = replace(write, id=self._row_id)
        self.case = replace(self.case, links=dict(turn.links), writes=tuple(turn.writes))
        self.events += [event.name.value for event in turn.events]
        self.lost += turn.lost
        self.turns.append(turn)

    def _send(self, turn: TurnInProgress, answer: Answer) -> dict[tuple[str, str], Verdict]:
        verdicts = {}
        for outgoing in turn.outgoing:
            record = self.hub.records.get(outgoing.record_id)
            doubtful = all(c.index in turn.doubtful for c in outgoing.carried if c.names)
            there = record is not None and outgoing.properties.items() <= record.properties.items()
            if doubtful and there:
                outcome = Outcome.WRITTEN
            else:
                outcome = answer(outgoing) if record is not None else Outcome.MISSING
                writes = tuple(turn.turn.writes[c.index] for c in outgoing.carried if c.names)
                held = self.hub.slots_of(self.portal, outgoing.record_id) if record is not None else ()
                if outcome is not Outcome.NOT_SENT:
                    self.sent.append(
                        Sent(
                            self.now,
                            outgoing.record_id,
                            dict(outgoing.properties),
                            writes,
                            frozenset(held),
                            outcome,
                        )
                    )
                if outcome is Outcome.WRITTEN and record is not None:
                    record.properties.update(outgoing.properties)
            verdicts[(outgoing.object_key, outgoing.record_id)] = Verdict(outcome)
        return verdicts
