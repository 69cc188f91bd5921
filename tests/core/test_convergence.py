"""Whatever order things happen in, every record ends with the newest that was submitted for it, and nobody is forgotten.

Facts arrive in any order, records appear, vanish and change their labels at any moment, HubSpot falls silent and
answers as it likes; rounds run through the real planning, deciding, composing and ending, with no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credsync.core.forms import FormName
from credsync.core.links import LinkState
from credsync.core.outgoing import Outgoing
from credsync.core.portal import DEFINITIVE, Portal
from credsync.core.reasons import Reason
from credsync.core.verdicts import Outcome
from credsync.core.writes import UNFINISHED, WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    ATTESTED,
    CURRENT,
    MOVE,
    NJ,
    NY,
    PORTAL,
    PROCESSING,
    T0,
    TWO_HOPS,
    Story,
    at,
    form_data,
)

Happening = Callable[[Story], None]
SECONDS = st.integers(0, 7_200)
HOURS = st.integers(1, 4 * 3_600)
RUNS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LABELS = {
    ACTIVE: ("credentialing", ATTESTED),
    MOVE: ("credentialing", PROCESSING),
    ADDRESS: ("therapist_address", CURRENT),
}


@dataclass
class World:
    """A story with its happenings; checks after every round what must hold at any moment."""

    story: Story
    happenings: list[tuple[float, Happening]]
    answers: list[str]
    """What HubSpot does with the first inputs; afterwards it writes everything."""
    troubled: Counter[str] = field(default_factory=Counter)

    def run(self) -> Story:
        """Let everything happen, then rounds until nobody is due."""
        self.story.round(self.answer)
        for seconds, happening in sorted(self.happenings, key=lambda each: each[0]):
            self._rounds_until(at(seconds))
            self.story.now = max(self.story.now, at(seconds))
            happening(self.story)
            if seconds % 3:
                self._round()
        self._round()
        self._rounds_until(at(40 * 86_400))
        return self.story

    def answer(self, outgoing: Outgoing) -> Outcome:
        """HubSpot's answer; what is not `written` may or may not be there afterwards."""
        said = self.answers.pop() if self.answers else "written"
        if said in ("unknown", "lost on the way back", "missing"):
            self.troubled[outgoing.record_id] += 1
        if said == "lost on the way back":
            self.story.hub.records[outgoing.record_id].properties.update(outgoing.properties)
        return {"lost on the way back": Outcome.UNKNOWN}.get(said) or Outcome(said)

    def _rounds_until(self, moment: datetime) -> None:
        for _ in range(3_000):
            due = self.story.due
            if due is None or due > moment:
                return
            self.story.now = due
            self._round()
        raise AssertionError(f"no end of rounds: {self.story.state}")

    def _round(self) -> None:
        story, before = self.story, len(self.story.sent)
        story.round(self.answer)
        assert story.due is None or story.due > story.now, "due again at once"
        for sent in story.sent[before:]:
            for write in sent.writes:
                assert write.slot in sent.held or sent.outcome is Outcome.MISSING
        left = [w for w in story.writes if w.state in UNFINISHED and w.slot != DEFINITIVE]
        if story.case.contact_id is not None and left:
            assert story.due is not None, f"{left[0]} is nobody's business"


# What happens


def submitting(
    data: dict[str, Any], form: FormName, occurred: float, moving: bool | None
) -> Callable[[Story], None]:
    return lambda story: void(story.submit(data, form, at(occurred), moving))


def void(_value: object) -> None:
    return None


def appearing(slot: str) -> Happening:
    """The workflow makes a record and labels it; a licence hangs where its portal says."""

    def happen(story: Story) -> None:
        if slot in LABELS:
            object_key, label = LABELS[slot]
            story.hub.add(object_key, label)
            return
        parents = holders_of(story, ACTIVE) if story.portal is TWO_HOPS else ["101"]
        if parents:
            story.hub.add("license", parent=parents[0], license_state=slot.split(".")[1])

    return happen


def holders_of(story: Story, slot: str) -> list[str]:
    return [r for r in story.hub.records if slot in story.hub.slots_of(story.portal, r)]


def replaced(slot: str, story: Story) -> None:
    """Deleted, with a successor at once."""
    for record_id in holders_of(story, slot):
        del story.hub.records[record_id]
        appearing(slot)(story)


def vanishing(slot: str, story: Story) -> None:
    for record_id in holders_of(story, slot):
        del story.hub.records[record_id]


def silent(*types: str) -> Happening:
    return lambda story: setattr(story.hub, "silent", set(types))


def a_form(draw: st.DrawFn, number: int, form: FormName) -> dict[str, Any]:
    """A form whose every value says which it came from."""
    said: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(["npi", "bio", "city"]))):
        said[name] = draw(st.sampled_from([f"{name} {number}", f"{name} {number}", None]))
    if draw(st.booleans()):
        states = draw(st.sets(st.sampled_from(["NY", "NJ"])))
        said["licenses"] = [{"state": s, "number": f"{s} {number}"} for s in sorted(states)]
    return form_data(**said)


@dataclass
class Told:
    """A submission as the test knows it."""

    data: dict[str, Any]
    form: FormName
    occurred: float
    moving: bool


@st.composite
def submissions(draw: st.DrawFn, most: int = 5) -> list[tuple[float, Told]]:
    """(arrival, what is told), no two about one moment."""
    moments = draw(st.lists(SECONDS, min_size=1, max_size=most, unique=True))
    told = []
    for number, moment in enumerate(moments):
        form: FormName = draw(st.sampled_from(["ca", "ca", "af"]))
        told.append(
            (
                moment + draw(st.integers(0, 1_000)) + 0.25,
                Told(a_form(draw, number, form), form, moment, draw(st.booleans())),
            )
        )
    return told


ANSWERS = st.lists(
    st.sampled_from(["written", "written", "unknown", "lost on the way back", "not_sent", "missing"]),
    max_size=8,
)


def newest(told: Sequence[Told]) -> dict[str, dict[str, str | None]]:
    """What each slot's record must hold in the end, by the rules' own words."""
    wanted: dict[str, dict[str, str | None]] = {}
    licenses: list[dict[str, Any]] = []
    for one in sorted(told, key=lambda each: each.occurred):
        credentialing = wanted.setdefault(MOVE if one.moving else ACTIVE, {})
        credentialing |= one.data.get("npi_and_caqh", {})
        practice = one.data.get("practice_preferences", {})
        credentialing |= {name: value for name, value in practice.items() if name == "bio"}
        if one.form == "ca" and "treating_address" in practice:
            wanted.setdefault(ADDRESS, {}).update(practice["treating_address"])
        if "education_and_training" in one.data:
            licenses = one.data["education_and_training"]["licenses"]
    for each in licenses:
        wanted[f"license.{each['state']}"] = {"number": each["number"]}
    return wanted


def check_the_end(world: World, told: Sequence[Told], presses: int = 0) -> None:
    story = world.story
    assert {w.state for w in story.writes} <= {WriteState.WRITTEN, WriteState.SUPERSEDED}
    for slot, wanted in newest(told).items():
        (record_id,) = holders_of(story, slot)
        got = story.got(record_id)
        assert {name: got.get(name) for name in wanted} == wanted, slot
    values = Counter(
        (sent.record_id, name, value)
        for sent in story.sent
        for name, value in sent.properties.items()
        if value is not None
    )
    for (record_id, name, value), times in values.items():
        assert times <= 1 + world.troubled[record_id] + presses, (record_id, name, value)


@RUNS
@given(st.data())
def test_every_record_ends_with_the_newest_of_each_property_sent_once(data: st.DataObject) -> None:
    """Facts in any order, records at any moment, a HubSpot that fails as it likes; no Extended Sign Up."""
    portal: Portal = data.draw(st.sampled_from([PORTAL, PORTAL, TWO_HOPS]))
    told = data.draw(submissions())
    if portal is TWO_HOPS:
        for _, one in told:
            one.moving = False
    contact = data.draw(st.booleans())
    happenings: list[tuple[float, Happening]] = [
        (arrival, submitting(one.data, one.form, one.occurred, one.moving)) for arrival, one in told
    ]
    slots = [ACTIVE, MOVE, ADDRESS]
    happenings += [(data.draw(SECONDS) * 1.0, appearing(slot)) for slot in slots]
    happenings += [(data.draw(SECONDS) + 7_200.5, appearing(slot)) for slot in (NY, NJ)]
    happenings.append((data.draw(SECONDS) * 1.0, lambda story: void(story.sign_up())))
    if not contact:
        happenings.append((data.draw(HOURS) * 1.0, lambda story: story.knows_contact("101")))
    for _ in range(data.draw(st.integers(0, 2))):
        begin = data.draw(HOURS)
        types = data.draw(st.sets(st.sampled_from(["credentialing", "license", "therapist_address"])))
        happenings += [(begin * 1.0, silent(*types)), (begin + data.draw(HOURS) * 1.0, silent())]
    presses = data.draw(st.integers(0, 2))
    happenings += [(data.draw(HOURS) * 1.0, lambda story: story.sync()) for _ in range(presses)]
    world = World(Story(portal, contact_id="101" if contact else None), happenings, data.draw(ANSWERS))
    world.run()
    check_the_end(world, [one for _, one in told], presses)
    assert world.story.state == "in_sync"


@RUNS
@given(st.data())
def test_a_lost_records_successor_ends_with_the_newest_of_each_property(data: st.DataObject) -> None:
    """Records are deleted and come again, at once or later; a last submission makes sure that somebody looks."""
    told = data.draw(submissions())
    last = Told(form_data(npi="last", bio="last", city="last"), "ca", 30_000, data.draw(st.booleans()))
    happenings: list[tuple[float, Happening]] = [
        (arrival, submitting(one.data, one.form, one.occurred, one.moving)) for arrival, one in told
    ]
    happenings.append((30_000.25, submitting(last.data, "ca", last.occurred, last.moving)))
    happenings += [(data.draw(SECONDS) * 0.5, appearing(slot)) for slot in (ACTIVE, MOVE, ADDRESS, NY, NJ)]
    for _ in range(data.draw(st.integers(1, 3))):
        slot, moment = data.draw(st.sampled_from([ACTIVE, MOVE, ADDRESS, NY])), data.draw(HOURS) + 3_600.0
        if data.draw(st.booleans()):
            happenings.append((moment, lambda story, slot=slot: replaced(slot, story)))  # type: ignore[misc]
        else:
            happenings.append((moment, lambda story, slot=slot: vanishing(slot, story)))  # type: ignore[misc]
    happenings += [(29_000.5, refilled(slot)) for slot in (ACTIVE, MOVE, ADDRESS, NY, NJ)]
    world = World(Story(), happenings, data.draw(ANSWERS))
    world.run()
    check_the_end(world, [*(one for _, one in told), last])


def refilled(slot: str) -> Happening:
    return lambda story: None if holders_of(story, slot) else appearing(slot)(story)


# Extended Sign Ups and labels that move


@dataclass
class Watch:
    """When each record took a label, as HubSpot alone knows."""

    took: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def label(self, story: Story, record_id: str, label: str) -> None:
        story.hub.records[record_id].labels.add(label)
        self.took[(record_id, label)] = story.now


def relabelling(watch: Watch, label: str, steps: str) -> Happening:
    """One of the calls by which labels move: off, on to a new record, or both at once."""

    def happen(story: Story) -> None:
        holders = [r for r, record in story.hub.records.items() if label in record.labels]
        if steps != "on":
            for record_id in holders[:1]:
                story.hub.records[record_id].labels.discard(label)
        if steps != "off" and len(holders) < 2:
            watch.label(story, story.hub.add("credentialing"), label)

    return happen


@RUNS
@given(st.data())
def test_no_extended_sign_up_and_no_moving_label_ever_leads_data_astray(data: st.DataObject) -> None:
    """Safety alone: what labels do is up to people, and what is held needs one."""
    told = data.draw(submissions(6))
    watch = Watch()
    happenings: list[tuple[float, Happening]] = [
        (
            arrival,
            submitting(one.data, one.form, one.occurred, data.draw(st.sampled_from([one.moving, None]))),
        )
        for arrival, one in told
    ]
    for _ in range(data.draw(st.integers(1, 2))):
        moment, late = data.draw(SECONDS), data.draw(st.integers(0, 600))
        moving = data.draw(st.booleans())
        happenings.append(
            (
                moment + late + 0.75,
                lambda story, moment=moment, moving=moving: void(  # type: ignore[misc]
                    story.sign_up(moving, at(moment), again=True)
                ),
            )
        )
    for _ in range(data.draw(st.integers(2, 8))):
        label = data.draw(st.sampled_from([ATTESTED, PROCESSING]))
        steps = data.draw(st.sampled_from(["on", "off", "over"]))
        happenings.append((data.draw(HOURS) * 1.0, relabelling(watch, label, steps)))
    happenings.append((data.draw(SECONDS) * 1.0, appearing(ADDRESS)))
    world = World(Story(), happenings, data.draw(ANSWERS))
    story = world.run()
    for sent in story.sent:
        for write in sent.writes:
            check_it_belongs_there(story, watch, sent.at, sent.record_id, write.slot, write.submissions)
    settled = [link for link in story.case.links.values() if link.awaited]
    assert all(link.state is not LinkState.FOUND or link.doubtful_since is None for link in settled)


def check_it_belongs_there(
    story: Story, watch: Watch, moment: datetime, record_id: str, slot: str, carried: frozenset[int]
) -> None:
    """No submission older than the latest sign-up known by then is on a record that took the slot after it."""
    if slot not in (ACTIVE, MOVE):
        return
    took = watch.took[(record_id, LABELS[slot][1])]
    facts = story.facts()
    known = [e.occurred_at for e in facts.extended if e.received_at <= moment]
    for submission in facts.submissions:
        if submission.id in carried and known and submission.occurred_at < max(known):
            assert took <= max(known), (submission.id, record_id, slot)


def test_a_therapist_who_never_gets_a_record_is_told_overdue_once_given_up_once_and_looked_at_daily() -> None:
    story = Story()
    story.hub.add("therapist_address", CURRENT)
    story.submit(form_data(npi="1"), moving=False)
    world = World(story, [], [])
    world.story.round()
    looks = 0
    while story.now < T0 + timedelta(days=10):
        assert story.due is not None
        story.now = story.due
        story.round()
        looks += 1
    told = Counter(story.events)
    assert (told["lookup.missed"], told["link.overdue"], told["link.given_up"]) == (1, 1, 1)
    assert story.state == f"given_up {Reason.GIVEN_UP}"
    assert looks < 300
