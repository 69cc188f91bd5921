"""A stamp names the newest submission a record shows and one write of it; what it proves, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync.core.facts import Facts, Submission
from credsync.core.outgoing import Outgoing, compose
from credsync.core.portal_file import parse_portal
from credsync.core.properties import Property
from credsync.core.readback import is_there
from credsync.core.reasons import Reason
from credsync.core.stamps import stamp_fault, stamp_of
from credsync.core.value_rules import ValueRule
from credsync.core.verdicts import Stamp
from credsync.core.writes import Cause, Write, WriteState
from tests.core.builders import KNOWN, a_write, at, form_data, portal_text, submission

STAMP = "credsync_submission"
STAMPED = parse_portal(
    "alpha", portal_text().replace("[objects.license]", f'stamp = "{STAMP}"\n[objects.license]')
)
WITH_STAMP = {**KNOWN["credentialing"], STAMP: Property(STAMP, "string", "text")}
CA, NEWER = submission(1, form_data(npi="1", bio="b")), submission(2, form_data(npi="2"))


def due(number: int, *submissions: int, **changed: object) -> Write:
    """A write that goes now, to record 7."""
    fields = {"state": WriteState.DUE, "reason": Reason.NONE, "record_id": "7", **changed}
    return a_write(number, submissions=frozenset(submissions), **fields)


def sent(
    *writes: Write,
    submissions: Sequence[Submission] = (CA,),
    known: Mapping[str, Property] = WITH_STAMP,
    restored_upto: int = 0,
) -> Outgoing:
    """The one input of these writes, with its stamp."""
    facts = Facts.of(submissions=submissions, restored_upto=restored_upto)
    (outgoing,) = compose(STAMPED, facts, writes, {**KNOWN, "credentialing": known})
    return replace(outgoing, stamp=stamp_of(STAMPED, facts, writes, outgoing, known))


def stamp(outgoing: Outgoing) -> Stamp:
    """Its stamp, which it must have."""
    assert outgoing.stamp is not None
    return outgoing.stamp


def test_a_stamp_is_none_of_the_properties_that_were_submitted() -> None:
    outgoing = sent(due(1, 1))
    assert outgoing.properties == {"npi": "1", "bio": "b"}
    assert outgoing.carried[0].names == ("npi", "bio")
    assert stamp(outgoing).part == "submission-1"
    assert stamp(outgoing).whole.startswith("submission-1.")


def test_the_same_write_has_the_same_stamp_whenever_it_is_sent() -> None:
    """Another try of the same row finds what an earlier one left."""
    again = due(1, 1, reason=Reason.NO_VERDICT, attempts=3, sent_at=at(50))
    assert stamp(sent(due(1, 1))) == stamp(sent(again))


def test_every_other_write_has_another_stamp() -> None:
    """Of the same submission too: Sync now, another record, other values, a database that was restored."""
    others = [
        sent(due(1, 1)),
        sent(due(2, 1, cause=Cause.SYNC)),
        sent(due(1, 1, record_id="8")),
        sent(due(1, 1), submissions=[replace(CA, data=form_data(npi="1"))]),
        sent(due(1, 1), submissions=[replace(CA, received_at=at(9))]),
        sent(due(1, 1), restored_upto=1),
        sent(due(1, 1), due(2, 1, form="af")),
    ]
    assert len({stamp(each).whole for each in others[:6]}) == 6
    assert {stamp(each).part for each in others} == {"submission-1"}


def test_an_older_submission_that_comes_late_does_not_hide_the_newer() -> None:
    late = submission(3, form_data(bio="c"), 0)
    written = due(1, 2, state=WriteState.WRITTEN)
    outgoing = sent(written, due(2, 3), submissions=[NEWER, late])
    assert (outgoing.properties, stamp(outgoing).part) == ({"bio": "c"}, "submission-2")
    elsewhere = replace(written, record_id="8")
    assert stamp(sent(elsewhere, due(2, 3), submissions=[NEWER, late])).part == "submission-3"


@pytest.mark.parametrize(
    "prop",
    [
        Property(STAMP, "string", read_only=True),
        Property(STAMP, "number"),
        Property(STAMP, "enumeration", options=frozenset({"a"})),
        Property(STAMP, "string", rules=(ValueRule("MAX_LENGTH", ("10",)),)),
    ],
    ids=["read only", "number", "options", "too short"],
)
def test_a_property_that_takes_no_stamp_gets_none(prop: Property) -> None:
    fault = stamp_fault(prop)
    assert fault is not None
    assert fault.remedy
    assert sent(due(1, 1), known={**WITH_STAMP, STAMP: prop}).stamp is None


def test_without_the_property_or_the_portal_files_word_there_is_no_stamp() -> None:
    assert sent(due(1, 1), known=KNOWN["credentialing"]).stamp is None
    facts = Facts.of(submissions=[CA])
    plain = parse_portal("alpha", portal_text())
    (outgoing,) = compose(plain, facts, [due(1, 1)], KNOWN)
    assert stamp_of(plain, facts, [due(1, 1)], outgoing, WITH_STAMP) is None


def test_a_record_with_the_very_stamp_got_all_of_it_whatever_it_holds_now() -> None:
    outgoing = sent(due(1, 1, reason=Reason.NO_VERDICT))
    got = {"npi": "edited", STAMP: stamp(outgoing).whole}
    assert is_there(outgoing, got, WITH_STAMP)


@given(
    other=st.sampled_from([None, "", "submission-1", "submission-1.000000000000", "submission-2", "by hand"]),
    npi=st.sampled_from(["1", "edited", None]),
)
def test_any_other_stamp_leaves_it_to_the_values(other: str | None, npi: str | None) -> None:
    """What went in part, what another write left, what a person wrote, and nothing at all prove nothing."""
    outgoing = sent(due(1, 1, reason=Reason.NO_VERDICT))
    assert is_there(outgoing, {"npi": npi, "bio": "b", STAMP: other}, WITH_STAMP) is (npi == "1")


def test_a_call_of_two_that_one_input_needs_bears_no_proof() -> None:
    """What a person wants tried again goes apart from the rest: only both calls together are the whole."""
    outgoing = sent(due(1, 1))
    assert outgoing.stamped(outgoing.properties)[STAMP] == stamp(outgoing).whole
    assert outgoing.stamped({"npi": "1"}) == {"npi": "1", STAMP: "submission-1"}
    assert outgoing.stamped({}) == {}
