"""Merging and the definitive Credentialing, whatever is submitted in whatever order: held to the rules' own words.

What should come out is worked out here anew and plainly, by walking the submissions from the oldest to the newest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credsync.core.facts import Facts, MovingFact, SignUp, Submission
from credsync.core.forms import FormName
from credsync.core.mapping import Told, definitive_slot, merge, submitted_slots, targets
from credsync.core.outgoing import compose
from credsync.core.plan import plan_writes, rows_as_planned
from credsync.core.portal import DEFINITIVE, DefinitiveRule, Portal
from credsync.core.writes import WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    KNOWN,
    MOVE,
    PORTAL,
    at,
    extended,
    form_data,
    submission,
)

RUNS = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
SAID = ["npi", "bio", "city"]
HOME = {"npi": "credentialing", "bio": "credentialing", "city": "therapist_address_current"}
MOMENTS = st.integers(0, 12)
SLOTS = [ACTIVE, MOVE, ADDRESS, "license.NY", "license.NJ"]


@dataclass(frozen=True)
class Scene:
    """What was submitted, in the order it arrived, and the sign-ups and words on moving beside it."""

    submissions: tuple[Submission, ...]
    extended: tuple[SignUp, ...] = ()
    moving: tuple[MovingFact, ...] = ()

    @property
    def facts(self) -> Facts:
        """As the rules read them."""
        return Facts.of(self.extended, self.moving, self.submissions)


@st.composite
def forms(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """A form that says some things, clears some and leaves others alone; each value tells where it came from."""
    said: dict[str, Any] = {
        name: draw(st.sampled_from([f"{name} {number}", None]))
        for name in draw(st.sets(st.sampled_from(SAID)))
    }
    if draw(st.booleans()):
        states = draw(st.lists(st.sampled_from(["NY", "NJ"]), unique=True))
        said["licenses"] = [{"state": state, "number": f"{state} {number}"} for state in states]
    return form_data(**said)


@st.composite
def scenes(draw: st.DrawFn, sign_ups: int = 0) -> Scene:
    """Submissions of any moments in any order, ties among them, perhaps over several enrolments."""
    told = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        form: FormName = draw(st.sampled_from(["ca", "ca", "af"]))
        told.append(
            submission(number, draw(forms(number)), draw(MOMENTS), form, draw(st.sampled_from([True, False])))
        )
    opened = [extended(n + 1, draw(MOMENTS) + 0.5) for n in range(draw(st.integers(0, sign_ups)))]
    return Scene(tuple(told), tuple(opened))


def oldest_first(scene: Scene) -> list[Submission]:
    """By when it occurred; of one moment, by arrival."""
    return sorted(scene.submissions, key=lambda s: (s.occurred_at, s.id))


def enrolment_of(scene: Scene, one: Submission) -> int:
    """The latest Extended Sign Up not after it, 0 before the first."""
    before = [e for e in scene.extended if e.occurred_at <= one.occurred_at]
    return max(before, key=lambda e: (e.occurred_at, e.id)).id if before else 0


def says(one: Submission) -> dict[str, dict[str, Any]]:
    """What a submission says to each slot, read off its data by hand."""
    found: dict[str, dict[str, Any]] = {}
    credentialing = MOVE if one.moving else ACTIVE
    npi, practice = one.data.get("npi_and_caqh", {}), one.data.get("practice_preferences", {})
    for name, section in (("npi", npi), ("bio", practice)):
        if name in section:
            found.setdefault(credentialing, {})[name] = section[name]
    if one.form == "ca" and "treating_address" in practice:
        found[ADDRESS] = {"city": practice["treating_address"]["city"]}
    return found


def expected(scene: Scene, enrolment: int) -> dict[str, dict[str, Any]]:
    """What each slot's record should hold by the newest word on each property."""
    merged: dict[str, dict[str, Any]] = {}
    licenses: list[Any] = []
    for one in oldest_first(scene):
        if enrolment_of(scene, one) != enrolment:
            continue
        for slot, properties in says(one).items():
            merged.setdefault(slot, {}).update(properties)
        licenses = one.data.get("education_and_training", {}).get("licenses", licenses)
    for each in licenses:
        merged[f"license.{each['state']}"] = {"number": each["number"]}
    return merged


def merged(scene: Scene, enrolment: int = 0) -> dict[str, dict[str, Any]]:
    """What the product makes of it."""
    found = {}
    for slot in SLOTS:
        values = {name: w.value for name, w in merge(Told(PORTAL, scene.facts), enrolment, slot, {}).items()}
        if values:
            found[slot] = values
    return found


@RUNS
@given(scenes(sign_ups=2))
def test_the_newest_of_each_property_wins(scene: Scene) -> None:
    """Per property the newest `occurred_at` among the submitted forms of the enrolment wins."""
    for enrolment in {0, *(e.id for e in scene.extended)}:
        assert merged(scene, enrolment) == expected(scene, enrolment)


@RUNS
@given(scenes(sign_ups=1), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(scene: Scene, chance: Any) -> None:
    """Events come in any order: what is merged depends on when things occurred, not on when they were read."""
    shuffled = list(scene.submissions)
    chance.shuffle(shuffled)
    again = Scene(tuple(shuffled), scene.extended[::-1])
    for enrolment in {0, *(e.id for e in scene.extended)}:
        assert merged(again, enrolment) == merged(scene, enrolment)


@RUNS
@given(scenes(), st.sampled_from(SAID), st.booleans())
def test_absent_is_untouched_and_null_clears(scene: Scene, name: str, clears: bool) -> None:
    """A field absent from a submission leaves its property alone; null clears it."""
    newest = submission(99, form_data(**({name: None} if clears else {})), 50, "ca", False)
    slot = ADDRESS if name == "city" else ACTIVE
    before, after = merged(scene), merged(Scene((*scene.submissions, newest)))
    if clears:
        before.setdefault(slot, {})[name] = None
    assert after == before


@RUNS
@given(scenes(), st.data())
def test_an_older_submission_changes_nothing_that_a_newer_one_said(scene: Scene, data: st.DataObject) -> None:
    """An older submission never overwrites a newer."""
    older = submission(99, data.draw(forms(99)), -1, "ca", data.draw(st.booleans()))
    before, after = merged(scene), merged(Scene((*scene.submissions, older)))
    for slot, properties in before.items():
        assert {name: after[slot][name] for name in properties} == properties


@RUNS
@given(scenes(), st.lists(st.sampled_from(["NY", "NJ"]), unique=True))
def test_the_newest_list_is_the_list(scene: Scene, states: list[str]) -> None:
    """A list in a newer submission replaces the list: unsent items that are gone are superseded."""
    newest = submission(99, form_data(licenses=[{"state": s, "number": "new"} for s in states]), 50)
    first = rows_as_planned([], plan_writes(PORTAL, scene.facts, []))
    rows = [replace(row, id=number) for number, row in enumerate(first, 1)]
    facts = Scene((*scene.submissions, newest)).facts
    planned = rows_as_planned(rows, plan_writes(PORTAL, facts, rows))
    assert submitted_slots(PORTAL, facts) == {f"license.{state}" for state in states}
    alive = {row.slot for row in planned if row.state is not WriteState.SUPERSEDED}
    assert {slot for slot in alive if slot.startswith("license.")} == {f"license.{state}" for state in states}


@RUNS
@given(scenes(sign_ups=1))
def test_what_is_not_sent_yet_is_one_write_for_each_form_and_slot(scene: Scene) -> None:
    """Two submits before the link is known are one write."""
    rows = plan_writes(PORTAL, scene.facts, [])
    keys = [row.key for row in rows]
    assert len(keys) == len(set(keys))
    carried = {(s, row.slot) for row in rows for s in row.submissions}
    wanted = {
        (one.id, target.slot)
        for one in scene.submissions
        for target in targets(
            PORTAL, scene.facts, one, scene.facts.in_enrolment(enrolment_of(scene, one)), {}
        )
    }
    assert carried == wanted


@RUNS
@given(scenes())
def test_a_write_carries_what_is_newest_and_its_own(scene: Scene) -> None:
    """A write carries the values of its own submissions that no newer submission of the enrolment has."""
    rows = [
        replace(row, id=n, state=WriteState.DUE, record_id=row.slot, reason=row.reason)
        for n, row in enumerate(plan_writes(PORTAL, scene.facts, []), 1)
    ]
    wanted = expected(scene, 0)
    newest: dict[tuple[str, str], Submission] = {}
    for one in oldest_first(scene):
        for slot, properties in says(one).items():
            newest.update(dict.fromkeys(((slot, name) for name in properties), one))
    for outgoing in compose(PORTAL, scene.facts, rows, KNOWN):
        assert outgoing.properties == wanted[outgoing.record_id]
        for carried in outgoing.carried:
            for name in carried.names:
                source = newest.get((outgoing.record_id, name))
                assert source is None or source.id in rows[carried.index].submissions


# The definitive Credentialing

RULES = st.lists(
    st.builds(DefinitiveRule, st.sampled_from([ACTIVE, MOVE]), st.sampled_from([None, "moving"])),
    min_size=1,
    max_size=3,
)
FACTS_ON_MOVING = st.lists(
    st.tuples(st.integers(-5, 5), st.booleans()), max_size=4, unique_by=lambda each: each[0]
)


@RUNS
@given(RULES, FACTS_ON_MOVING, st.sampled_from([True, False, None]), st.randoms(use_true_random=False))
def test_the_first_rule_that_holds_chooses(
    rules: list[DefinitiveRule], told: list[tuple[int, bool]], own: bool | None, chance: Any
) -> None:
    """A definitive rule holds by its condition alone: the first rule whose condition holds."""
    portal = _ruled_by(rules)
    one = submission(1, {}, 0, moving=own)
    facts = [MovingFact(at(moment), n, moving) for n, (moment, moving) in enumerate(told)]
    chance.shuffle(facts)
    moving = own if own is not None else _latest_word(told)
    chosen = definitive_slot(portal, Facts.of(moving=facts, submissions=[one]), one)
    for rule in rules:
        if rule.when is None or moving:
            assert chosen == (rule.slot, rule.name)
            return
        if moving is None:
            assert chosen == (DEFINITIVE, None), "nobody has said: it waits"
            return
    assert chosen == (DEFINITIVE, None)


def _latest_word(told: list[tuple[int, bool]]) -> bool | None:
    """The latest word not after the submission; before the first word, that one."""
    if not told:
        return None
    before = [each for each in told if each[0] <= 0]
    return max(before)[1] if before else min(told)[1]


def _ruled_by(rules: list[DefinitiveRule]) -> Portal:
    return replace(PORTAL, definitive={"ca": tuple(rules)})
