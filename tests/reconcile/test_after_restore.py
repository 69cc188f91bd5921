"""What a restored backup holds, once its record was read: there already, another value, not read, replaced since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from credsync.core.decide import Case, Decision
from credsync.core.facts import Facts, Submission
from credsync.core.links import Link, LinkState
from credsync.core.plan import plan_writes
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy
from credsync.core.writes import Write, WriteState
from credsync.hubspot.objects import Missing, NotRead, Reading, Record
from credsync.reconcile.prepare import Prepared
from credsync.reconcile.turn import TurnInProgress
from credsync.store.cases import Claimed
from tests.core.builders import ACTIVE, ADDRESS, KNOWN, PORTAL, a_link, a_write, at, form_data, submission

NOW = at(1_000)
POLICY = Policy(look_again_min=timedelta(seconds=5), look_again_share=0.1)
FOUND = a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="7", found_at=at(0))
HELD = a_write(state=WriteState.HELD, reason=Reason.RESTORED)
CA = submission(1, form_data(npi="1", bio="b"))
THERE = Record("7", {"npi": "1", "bio": "b"}, at(-60))


def turn_of(
    *writes: Write,
    link: Link = FOUND,
    submissions: Sequence[Submission] = (CA,),
    fact_came: bool = True,
) -> TurnInProgress:
    """A turn that has named what is to be compared."""
    case, facts = Case("t-1", "101", {}, ()), Facts.of(submissions=submissions, restored_upto=1)
    prepared = Prepared(
        Claimed(case, 3, fact_came, "", "", due=True), case, facts=facts if fact_came else None
    )
    turn = TurnInProgress(PORTAL, prepared, Decision({link.slot: link}, writes, (), ()), NOW, POLICY)
    turn.begin(facts, KNOWN, NOW)
    return turn


def compared(turn: TurnInProgress, reading: Reading) -> Write:
    """The write after its record was read."""
    assert [o.record_id for o in turn.to_compare] == ["7"]
    turn.compare({("credentialing", "7"): reading}, NOW)
    assert turn.outgoing == [], "comparing sends nothing"
    return turn.turn.writes[0]


def test_what_its_record_shows_was_sent_and_counts_as_written() -> None:
    turn = turn_of(HELD)
    write = compared(turn, THERE)
    assert (write.state, write.reason, write.record_id) == (WriteState.WRITTEN, Reason.NONE, "7")
    assert write.wrote == {"npi", "bio"}
    assert turn.turn.finish is not None
    assert turn.turn.finish.condition.state == "in_sync"
    assert turn.turn.links[ACTIVE].record_created_at == at(-60)


@pytest.mark.parametrize("got", [{"npi": "2", "bio": "b"}, {"npi": "1", "bio": None}, {}])
def test_what_differs_stays_held_since_hubspot_may_have_the_newer(got: dict[str, str | None]) -> None:
    """An older submission never overwrites a newer: an empty property may have been cleared by one."""
    turn = turn_of(HELD)
    write = compared(turn, Record("7", got))
    assert (write.state, write.reason, write.record_id) == (WriteState.HELD, Reason.RESTORED_DIFFERS, None)
    event = turn.turn.events[-1]
    assert event.name == "write.held"
    assert event.details["differs"] == sorted(k for k in ("npi", "bio") if got.get(k) != THERE.properties[k])
    assert turn.turn.finish is not None
    assert (turn.turn.finish.due_at, turn.turn.finish.condition.reason) == (None, Reason.RESTORED_DIFFERS)


def test_what_can_never_have_been_sent_is_not_there() -> None:
    known = {name: prop for name, prop in KNOWN["credentialing"].items() if name != "bio"}
    turn = turn_of()
    turn.turn.writes.append(HELD)
    turn.begin(Facts.of(submissions=[CA]), {**KNOWN, "credentialing": known}, NOW)
    assert compared(turn, THERE).reason is Reason.RESTORED_DIFFERS


@pytest.mark.parametrize("reading", [NotRead("timeout", "no answer"), Missing()])
def test_what_was_not_read_is_compared_soon(reading: Reading) -> None:
    turn = turn_of(HELD)
    assert compared(turn, reading) == HELD
    assert turn.turn.finish is not None
    assert turn.turn.finish.due_at == NOW + timedelta(seconds=75)


@pytest.mark.parametrize(
    "link",
    [
        a_link(),
        replace(FOUND, doubtful_since=at(0)),
        replace(FOUND, slot=ADDRESS),
        replace(FOUND, state=LinkState.AMBIGUOUS),
    ],
    ids=["awaited", "in doubt", "another slot", "ambiguous"],
)
def test_nothing_is_compared_with_a_record_that_may_not_be_the_one(link: Link) -> None:
    assert turn_of(HELD, link=link).to_compare == []


def test_what_differed_is_compared_again_when_a_fact_came() -> None:
    differs = replace(HELD, reason=Reason.RESTORED_DIFFERS)
    assert turn_of(differs, fact_came=False).to_compare == []
    assert turn_of(HELD, fact_came=False).to_compare != []
    assert compared(turn_of(differs), THERE).state is WriteState.WRITTEN


def test_what_is_submitted_again_answers_what_is_held() -> None:
    """A field that the newer submission does not say is still compared."""
    differs = replace(HELD, reason=Reason.RESTORED_DIFFERS)
    whole = turn_of(differs, submissions=[CA, submission(2, form_data(npi="2", bio="c"))])
    assert whole.to_compare == []
    assert [(w.state, w.reason) for w in whole.turn.writes] == [
        (WriteState.SUPERSEDED, Reason.NEWER_SUBMISSION)
    ]
    part = turn_of(differs, submissions=[CA, submission(2, form_data(npi="2"))])
    assert [dict(o.properties) for o in part.to_compare] == [{"bio": "b"}]


def test_what_differs_is_planned_as_it_is_held() -> None:
    """Planning anew neither frees it nor lets what comes later join it."""
    held = replace(HELD, reason=Reason.RESTORED_DIFFERS)
    newer = submission(2, form_data(npi="2"))
    facts = Facts.of(submissions=[CA, newer], restored_upto=1)
    (made,) = plan_writes(PORTAL, facts, [held], seen=1)
    assert (made.id, made.submissions, made.state) == (None, frozenset({2}), WriteState.WAITING)
