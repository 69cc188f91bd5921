"""One input per record, with what each write has in it; and what its verdict says of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from credsync.core.facts import Facts, SignUp, Submission
from credsync.core.outgoing import Carried, Outgoing, compose, share_of
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.core.properties import Property
from credsync.core.reasons import Reason
from credsync.core.verdicts import Outcome, PropertyFault, Verdict
from credsync.core.writes import Cause, Write, WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    KNOWN,
    MOVE,
    NY,
    PORTAL,
    a_write,
    at,
    extended,
    form_data,
    portal_text,
    submission,
)


def due(number: int, *submissions: int, slot: str = ACTIVE, record_id: str = "7", **changed: Any) -> Write:
    """A write that goes now."""
    return a_write(
        number,
        slot,
        submissions=frozenset(submissions),
        state=WriteState.DUE,
        reason=Reason.NONE,
        record_id=record_id,
        **changed,
    )


def composed(
    submissions: Sequence[Submission],
    *writes: Write,
    sign_ups: Sequence[SignUp] = (),
    portal: Portal = PORTAL,
    known: Mapping[str, Mapping[str, Property]] = KNOWN,
) -> list[Outgoing]:
    return compose(portal, Facts.of(sign_ups, submissions=submissions), writes, known)


def test_a_write_carries_the_newest_value_of_each_property_of_its_submissions() -> None:
    older, newer = submission(1, form_data(npi="1", bio="b")), submission(2, form_data(npi="2"))
    (outgoing,) = composed([older, newer], due(1, 1, 2))
    assert (outgoing.object_key, outgoing.record_id) == ("credentialing", "7")
    assert outgoing.properties == {"npi": "2", "bio": "b"}


def test_one_record_has_one_input_whatever_forms_feed_it() -> None:
    """One call holds one input per record, whatever forms and slots feed it."""
    ca, af = submission(1, form_data(npi="1", bio="b")), submission(2, form_data(bio="c"), form="af")
    (outgoing,) = composed([ca, af], due(1, 1), due(2, 2, form="af"))
    assert outgoing.properties == {"npi": "1", "bio": "c"}
    assert outgoing.carried == (Carried(0, ("npi",), ()), Carried(1, ("bio",), ()))


def test_one_record_that_holds_two_slots_has_one_input_and_the_newest_value_wins() -> None:
    stays = submission(1, form_data(npi="1", bio="b"), moving=False)
    moves = submission(2, form_data(npi="2"), moving=True)
    (outgoing,) = composed([stays, moves], due(1, 1), due(2, 2, slot=MOVE))
    assert outgoing.properties == {"npi": "2", "bio": "b"}
    assert [set(c.names) for c in outgoing.carried] == [{"npi", "bio"}, {"npi"}]


def test_each_record_has_an_input_of_its_own() -> None:
    one = submission(1, form_data(npi="1", city="Rome"))
    found = composed([one], due(1, 1), due(2, 1, slot=ADDRESS, record_id="8"))
    assert {(o.object_key, o.record_id): dict(o.properties) for o in found} == {
        ("credentialing", "7"): {"npi": "1"},
        ("therapist_address", "8"): {"city": "Rome"},
    }


def test_records_of_two_types_with_one_id_are_two_records() -> None:
    one = submission(1, form_data(npi="1", city="Rome"))
    assert len(composed([one], due(1, 1), due(2, 1, slot=ADDRESS))) == 2


def test_a_write_carries_nothing_that_a_newer_submission_has_even_one_of_another_form() -> None:
    """A write carries the values of its own submissions that no newer submission of the enrolment has."""
    old, new = submission(1, form_data(npi="1")), submission(2, form_data(npi="2"), form="af")
    sent = a_write(2, form="af", submissions=frozenset({2}), state=WriteState.WRITTEN, record_id="7")
    (outgoing,) = composed([old, new], due(1, 1), sent)
    assert outgoing.properties == {}
    assert outgoing.carried == (Carried(0, (), ()),)


def test_an_older_submission_that_comes_late_brings_only_what_no_newer_one_has() -> None:
    newer, late = submission(1, form_data(npi="1"), 50), submission(2, form_data(npi="2", bio="b"), 10)
    sent = a_write(1, submissions=frozenset({1}), state=WriteState.WRITTEN, record_id="7")
    (outgoing,) = composed([newer, late], sent, due(2, 2))
    assert outgoing.properties == {"bio": "b"}


def test_an_older_enrolments_write_carries_nothing_that_a_newer_one_said() -> None:
    before, after = submission(1, form_data(npi="1", bio="b"), 10), submission(2, form_data(npi="2"), 200)
    (outgoing,) = composed([before, after], due(1, 1), sign_ups=[extended(5, 100)])
    assert outgoing.properties == {"bio": "b"}


def test_nothing_of_an_older_enrolment_goes_with_a_newer_write() -> None:
    before, after = submission(1, form_data(npi="1", bio="b"), 10), submission(2, form_data(npi="2"), 200)
    (outgoing,) = composed([before, after], due(1, 2, enrolment=5), sign_ups=[extended(5, 100)])
    assert outgoing.properties == {"npi": "2"}


def test_what_a_person_rescued_from_an_older_enrolment_goes_where_nothing_newer_is() -> None:
    before, after = submission(1, form_data(npi="1", bio="b"), 10), submission(2, form_data(npi="2"), 200)
    rescued = due(1, 1, 2, enrolment=5, cause=Cause.SYNC)
    (outgoing,) = composed([before, after], rescued, sign_ups=[extended(5, 100)])
    assert outgoing.properties == {"npi": "2", "bio": "b"}


def test_a_submission_that_was_cleared_clears() -> None:
    (outgoing,) = composed([submission(1, form_data(npi=None))], due(1, 1))
    assert outgoing.properties == {"npi": None}
    assert outgoing.carried[0].names == ("npi",)


def test_only_writes_that_go_now_are_composed() -> None:
    waiting = a_write(1)
    failed = replace(due(2, 1, not_before=at(500)), reason=Reason.SEND_FAILED)
    assert composed([submission(1, form_data(npi="1"))], waiting, failed) == []


def test_items_of_a_list_go_to_their_own_records() -> None:
    one = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}, {"state": "NJ", "number": "2"}]))
    found = composed([one], due(1, 1, slot=NY, record_id="8"), due(2, 1, slot="license.NJ", record_id="9"))
    assert {o.record_id: o.properties for o in found} == {"8": {"number": "1"}, "9": {"number": "2"}}


def test_what_is_sent_is_computed_by_the_portal_file_of_that_moment() -> None:
    """What is not yet sent is computed when it is sent, by the portal file of that moment."""
    renamed = parse_portal("alpha", portal_text().replace("npi = ", "caqh = ", 1))
    known = {"credentialing": {"caqh": Property("caqh", "string")}}
    (outgoing,) = composed([submission(1, form_data(npi="1"))], due(1, 1), portal=renamed, known=known)
    assert outgoing.properties == {"caqh": "1"}


# Values that cannot be sent


def test_a_property_that_hubspot_does_not_have_is_a_fault_of_its_own_and_the_others_go() -> None:
    known = {"credentialing": {"npi": Property("npi", "string")}}
    (outgoing,) = composed([submission(1, form_data(npi="1", bio="b"))], due(1, 1), known=known)
    assert outgoing.properties == {"npi": "1"}
    (carried,) = outgoing.carried
    assert carried.names == ("npi",)
    assert [(f.name, f.code) for f in carried.faults] == [("bio", "PROPERTY_DOESNT_EXIST")]


def test_a_value_that_does_not_fit_its_property_is_a_fault_without_the_value() -> None:
    known = {"credentialing": {"npi": Property("npi", "number"), "bio": Property("bio", "date")}}
    (outgoing,) = composed([submission(1, form_data(npi="secret", bio="secret"))], due(1, 1), known=known)
    assert outgoing.properties == {}
    assert [f.code for f in outgoing.carried[0].faults] == ["not_a_number", "not_a_date"]
    assert "secret" not in str(outgoing)


def test_a_fault_belongs_to_the_write_whose_property_it_is() -> None:
    known = {"credentialing": {"npi": Property("npi", "number"), "bio": Property("bio", "string")}}
    ca, af = submission(1, form_data(npi="x")), submission(2, form_data(bio="c"), form="af")
    (outgoing,) = composed([ca, af], due(1, 1), due(2, 2, form="af"), known=known)
    assert [len(c.faults) for c in outgoing.carried] == [1, 0]


def test_an_object_type_that_is_not_known_has_no_properties() -> None:
    (outgoing,) = composed([submission(1, form_data(npi="1"))], due(1, 1), known={})
    assert [f.code for f in outgoing.carried[0].faults] == ["PROPERTY_DOESNT_EXIST"]


# Verdicts

FAULT = PropertyFault("npi", "INVALID_OPTION", "no")
OURS = PropertyFault("bio", "not_a_date", "no")


@pytest.mark.parametrize(
    ("verdict", "carried", "outcome"),
    [
        (Verdict(Outcome.WRITTEN), Carried(0, ("npi",), ()), Outcome.WRITTEN),
        (Verdict(Outcome.PARTIAL, faults=(FAULT,)), Carried(0, ("npi",), ()), Outcome.REFUSED),
        (Verdict(Outcome.PARTIAL, faults=(FAULT,)), Carried(0, ("npi", "city"), ()), Outcome.PARTIAL),
        (Verdict(Outcome.PARTIAL, faults=(FAULT,)), Carried(0, ("city",), ()), Outcome.WRITTEN),
        (Verdict(Outcome.WRITTEN), Carried(0, ("npi",), (OURS,)), Outcome.PARTIAL),
        (Verdict(Outcome.WRITTEN), Carried(0, (), (OURS,)), Outcome.REFUSED),
        (Verdict(Outcome.REFUSED, "X", "no"), Carried(0, ("npi",), ()), Outcome.REFUSED),
        (Verdict(Outcome.UNKNOWN), Carried(0, ("npi",), (OURS,)), Outcome.UNKNOWN),
        (Verdict(Outcome.NOT_SENT), Carried(0, ("npi",), ()), Outcome.NOT_SENT),
        (Verdict(Outcome.MISSING), Carried(0, ("npi",), ()), Outcome.MISSING),
    ],
)
def test_a_records_verdict_says_of_each_write_what_became_of_its_own_properties(
    verdict: Verdict, carried: Carried, outcome: Outcome
) -> None:
    """A record's verdict goes to each write that was in it."""
    assert share_of(verdict, carried).outcome is outcome


def test_a_write_that_was_refused_whole_names_why() -> None:
    own = share_of(Verdict(Outcome.PARTIAL, faults=(FAULT,)), Carried(0, ("npi",), ()))
    assert (own.code, own.faults) == ("INVALID_OPTION", (FAULT,))


def test_a_writes_share_keeps_what_hubspots_support_asks_for() -> None:
    own = share_of(
        Verdict(Outcome.WRITTEN, correlation_ids=("c-1",), created_at=at(0)), Carried(0, ("npi",), ())
    )
    assert (own.correlation_ids, own.created_at) == (("c-1",), at(0))
