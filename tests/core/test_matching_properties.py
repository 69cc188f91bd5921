"""Matching records to slots, whatever a look sees: who holds a slot, and what the link makes of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from credsync.core.judge import SlotSight, Spans, judge_link
from credsync.core.links import Link, LinkState
from credsync.core.portal import Awaited, ByEach, ByLabel, ByOnly, ByProperty, Marker, SlotRule
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.slots import Candidate, holders
from tests.core.builders import T0, at

POLICY = Policy()
SPANS = Spans(POLICY, POLICY.overdue_after)
IDS = ["1", "2", "3", "4"]
VALUES = st.sampled_from(["NY", "NJ", "", None])
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.sampled_from(IDS),
        st.just("101"),
        st.frozensets(st.sampled_from(["Current", "Other", "current"])),
        st.none() | st.fixed_dictionaries({}, optional={"state": VALUES, "kind": VALUES}),
    ),
    max_size=4,
    unique_by=lambda candidate: candidate.record_id,
)
MARKERS = st.sampled_from(
    [ByLabel("Current"), ByProperty("state", "NY"), ByOnly(), ByEach(("state",)), ByEach(("state", "kind"))]
)


def carried(marker: Marker, candidate: Candidate) -> str | None:
    """The slot a record carries by itself: the rule's own words, plainly."""
    told = candidate.properties or {}
    match marker:
        case ByLabel(label):
            return "slot" if label in candidate.labels else None
        case ByProperty(name, value):
            return "slot" if told.get(name) == value else None
        case ByOnly():
            return "slot"
        case ByEach(names):
            values = [told.get(name) for name in names]
            return ".".join(["slot", *map(str, values)]) if all(values) else None


def found(marker: Marker, candidates: list[Candidate], known: list[str]) -> dict[str, set[str]]:
    rule = SlotRule("slot", "thing", marker, Awaited.ALWAYS)
    return {slot: {c.record_id for c in those} for slot, those in holders(rule, candidates, known).items()}


@given(MARKERS, CANDIDATES, st.lists(st.sampled_from(["slot.NY", "slot.CT"]), unique=True))
def test_a_slot_is_held_by_exactly_those_that_carry_it(
    marker: Marker, candidates: list[Candidate], known: list[str]
) -> None:
    """A link may hold only a record that carries the slot's label (or property) in this very look."""
    slots = found(marker, candidates, known)
    for candidate in candidates:
        own = carried(marker, candidate)
        assert {slot for slot, those in slots.items() if candidate.record_id in those} == (
            {own} if own else set()
        )
    assert set(slots) >= (set(known) if isinstance(marker, ByEach) else {"slot"})


@given(MARKERS, CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_of_an_answer_does_not_matter(
    marker: Marker, candidates: list[Candidate], chance: Any
) -> None:
    """Record ids are not ordered by creation, and HubSpot's answer has no order: matching asks for neither."""
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert found(marker, shuffled, []) == found(marker, candidates, [])


@st.composite
def links(draw: st.DrawFn) -> Link:
    """A link as any round may have left it."""
    record_id = draw(st.none() | st.sampled_from(IDS))
    empty = draw(st.sampled_from([LinkState.AWAITED, LinkState.AMBIGUOUS, LinkState.GIVEN_UP]))
    state = LinkState.FOUND if record_id else empty
    doubted = draw(st.booleans())
    return Link(
        "slot",
        awaited=draw(st.booleans()),
        awaited_since=T0,
        state=state,
        reason=Reason.NONE if record_id else Reason.RECORD_AWAITED,
        record_id=record_id,
        found_at=T0 if record_id else None,
        candidates=("1", "2") if state is LinkState.AMBIGUOUS else (),
        last_looked_at=T0,
        looks=draw(st.integers(1, 3)),
        doubtful_since=T0 if doubted else None,
        doubted_record_id=record_id if doubted else None,
        chosen_record_id=draw(st.none() | st.sampled_from(IDS)),
    )


SECONDS = st.integers(1, 9 * 86_400)
HOLDERS = st.lists(st.sampled_from(IDS), max_size=3, unique=True)


def sight(held: list[str], shared: set[str], taken: set[str] | None = None) -> SlotSight:
    candidates = tuple(Candidate(record_id, "101") for record_id in held)
    return SlotSight(candidates, frozenset(IDS), frozenset(shared), frozenset(taken or ()))


SOME_IDS = st.sets(st.sampled_from(IDS))


@given(links(), HOLDERS, SOME_IDS, SOME_IDS, SECONDS)
def test_a_link_holds_the_one_record_that_holds_the_slot(
    link: Link, held: list[str], shared: set[str], taken: set[str], seconds: int
) -> None:
    """Two records in one slot, or one record under two therapists: ambiguous, all shown, none held unless chosen."""
    shared &= set(held)
    taken &= shared
    judged = judge_link(link, sight(held, shared, taken), at(seconds), SPANS).link
    alone = held[0] if len(held) == 1 and not shared else None
    chosen = link.chosen_record_id if link.chosen_record_id in held else None
    if alone or chosen:
        assert (judged.state, judged.record_id) == (LinkState.FOUND, alone or chosen)
    elif set(held) - taken:
        assert (judged.state, judged.record_id) == (LinkState.AMBIGUOUS, None)
        assert list(judged.candidates) == sorted(held)
    else:
        assert list(judged.candidates) == sorted(held)
        assert (judged.reason is Reason.CHOSEN_FOR_ANOTHER) == bool(held)
        assert judged.state in (LinkState.AWAITED, LinkState.GIVEN_UP)
        assert judged.record_id is None


@given(links(), HOLDERS, st.sets(st.sampled_from(IDS)), SECONDS, st.randoms(use_true_random=False))
def test_a_link_is_judged_alike_in_any_order(
    link: Link, held: list[str], shared: set[str], seconds: int, chance: Any
) -> None:
    """Which of two holders an answer names first decides nothing."""
    shuffled = list(held)
    chance.shuffle(shuffled)
    both = [
        judge_link(link, sight(each, shared & set(held)), at(seconds), SPANS) for each in (held, shuffled)
    ]
    assert both[0] == both[1]


@given(links(), HOLDERS, SECONDS)
def test_an_old_id_is_never_forgotten(link: Link, held: list[str], seconds: int) -> None:
    """A record deleted, merged or no longer associated: the link is awaited again, its old id kept."""
    judged = judge_link(link, sight(held, set()), at(seconds), SPANS)
    if link.record_id is not None and judged.link.record_id != link.record_id:
        assert judged.lost is not None
        assert judged.lost.record_id == link.record_id
    else:
        assert judged.lost is None


@given(links(), HOLDERS, SECONDS)
def test_waiting_always_has_a_next_look(link: Link, held: list[str], seconds: int) -> None:
    """Waiting is a state, not an error: whoever is awaited and not held is looked at again, and never at once."""
    judged = judge_link(link, sight(held, set()), at(seconds), SPANS).link
    if judged.open:
        assert judged.next_look_at is not None
        assert judged.next_look_at > at(seconds)
