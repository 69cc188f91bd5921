"""A value that HubSpot refused is not sent again by itself, and never where it can hurt others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from credsync.core.facts import Facts
from credsync.core.outgoing import Outgoing, compose
from credsync.core.properties import Property
from credsync.core.quarantine import Place, Quarantined, after_verdict, by_place, definition_digest, followed
from credsync.core.reasons import Reason
from credsync.core.value_rules import ValueRule
from credsync.core.verdicts import Outcome, PropertyFault, Verdict, both
from credsync.core.writes import Cause, Write, WriteState
from tests.core.builders import ACTIVE, KNOWN, NY, PORTAL, T0, a_write, form_data, submission

NPI = ("credentialing", "7", "npi")
REFUSED = PropertyFault("npi", "INVALID_REGEX", "HubSpot refused the value of npi: INVALID_REGEX")
FIRST = {1: form_data(npi="1", bio="b")}


def due(number: int, *submissions: int, **changed: Any) -> Write:
    """A write that goes now."""
    told = {"state": WriteState.DUE, "reason": Reason.NONE, "record_id": "7", **changed}
    return a_write(number, ACTIVE, submissions=frozenset(submissions), **told)


def out(
    data: Mapping[int, Any],
    *writes: Write,
    known: Mapping[str, Mapping[str, Property]] = KNOWN,
    kept: Mapping[Place, Quarantined] | None = None,
) -> Outgoing:
    """The one input."""
    facts = Facts.of([], submissions=[submission(number, each) for number, each in data.items()])
    (outgoing,) = compose(PORTAL, facts, writes, known, kept or {})
    return outgoing


def verdict_on(outgoing: Outgoing, verdict: Verdict, kept: Mapping[Place, Quarantined]) -> Any:
    """What follows for the quarantine."""
    places = {name: (outgoing.object_key, outgoing.record_id, name) for name in outgoing.properties}
    return after_verdict(places, outgoing.properties, verdict, KNOWN["credentialing"], kept, T0)


def quarantined() -> dict[Place, Quarantined]:
    """NPI 1 was refused."""
    verdict = Verdict(Outcome.PARTIAL, "INVALID_REGEX", faults=(REFUSED,))
    made, over = verdict_on(out(FIRST, due(1, 1)), verdict, {})
    assert (list(by_place(made)), over) == ([NPI], [])
    return by_place(made)


def test_a_refused_value_is_not_sent_again_by_itself() -> None:
    """A value that HubSpot refused is not sent again until it or its property changes."""
    again = {**FIRST, 2: form_data(npi="1", bio="c")}
    outgoing = out(again, due(2, 2), kept=quarantined())
    assert dict(outgoing.properties) == {"bio": "c"}
    (fault,) = outgoing.carried[0].faults
    assert (fault.name, fault.code) == ("npi", "INVALID_REGEX")
    assert "Sync now" in fault.message


def test_a_new_value_is_sent_as_any_other() -> None:
    """And once it is taken, nothing is quarantined any more."""
    kept = quarantined()
    outgoing = out({**FIRST, 2: form_data(npi="2")}, due(2, 2), kept=kept)
    assert dict(outgoing.properties) == {"npi": "2"}
    assert not outgoing.again
    assert verdict_on(outgoing, Verdict(Outcome.WRITTEN), kept) == ([], [NPI])
    assert verdict_on(outgoing, Verdict(Outcome.UNKNOWN), kept) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [
        Property("npi", "enumeration", options=frozenset({"1"})),
        Property("npi", "string", "textarea"),
        Property("npi", "string", rules=(ValueRule("MAX_LENGTH", ("9",)),)),
    ],
)
def test_a_changed_property_lifts_it(changed: Property) -> None:
    """Its type, its options or its rules."""
    known = {**KNOWN, "credentialing": {**KNOWN["credentialing"], "npi": changed}}
    outgoing = out(FIRST, due(2, 1), known=known, kept=quarantined())
    assert outgoing.properties["npi"] == "1"
    assert not outgoing.again
    assert definition_digest(changed) != definition_digest(KNOWN["credentialing"]["npi"])


def test_sync_now_tries_it_again_apart() -> None:
    """Sync now tries a refused value again, where it can hurt no other record."""
    outgoing = out(FIRST, due(2, 1, cause=Cause.SYNC), kept=quarantined())
    assert dict(outgoing.properties) == {"npi": "1", "bio": "b"}
    assert outgoing.again == {"npi"}


def test_a_refused_value_is_not_tried_on_a_lost_records_successor() -> None:
    """What is wrong with a value is wrong on any record of the type: it stays quarantined until data or schema change."""
    kept = quarantined()
    outgoing = out(FIRST, due(2, 1, record_id="8"), kept=kept)
    assert dict(outgoing.properties) == {"bio": "b"}
    (fault,) = outgoing.carried[0].faults
    made, over = followed(kept, {"7"}, [(("credentialing", "8", "npi"), fault)])
    assert over == [NPI]
    assert out(FIRST, due(3, 1, record_id="8"), kept=by_place(made)).carried[0].faults == (fault,)
    changed = {**FIRST, 2: form_data(npi="2")}
    assert out(changed, due(2, 2, record_id="8"), kept=kept).properties["npi"] == "2"
    assert followed(kept, {"7"}, []) == ([], [NPI])


def test_what_is_wrong_with_a_record_is_of_that_record_alone() -> None:
    """A value that must be unique may well be taken on another record."""
    kept = {NPI: replace(quarantined()[NPI], code="PROPERTY_VALUE_NOT_UNIQUE")}
    assert out(FIRST, due(2, 1, record_id="8"), kept=kept).properties["npi"] == "1"
    assert "npi" not in out(FIRST, due(2, 1), kept=kept).properties


def test_what_is_the_propertys_own_fault_needs_no_quarantine() -> None:
    """The names that are read again tell it."""
    fault = PropertyFault("npi", "PROPERTY_DOESNT_EXIST", "")
    assert verdict_on(out(FIRST, due(1, 1)), Verdict(Outcome.PARTIAL, faults=(fault,)), {}) == ([], [])


def test_a_record_that_was_refused_as_a_whole_goes_apart_until_it_is_taken() -> None:
    """Whatever it is refused for, it takes no others along."""
    refused = replace(due(1, 1), state=WriteState.REFUSED)
    other = replace(due(2, 1), state=WriteState.REFUSED, slot=NY, record_id="9")
    assert out(FIRST, refused, due(3, 1)).apart
    assert not out(FIRST, other, due(3, 1)).apart
    assert not out(FIRST, refused, replace(due(2, 1), state=WriteState.PARTIAL), due(3, 1)).apart


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (Outcome.WRITTEN, Outcome.PARTIAL),
        (Outcome.REFUSED, Outcome.PARTIAL),
        (Outcome.UNKNOWN, Outcome.UNKNOWN),
        (Outcome.NOT_SENT, Outcome.NOT_SENT),
        (Outcome.MISSING, Outcome.MISSING),
    ],
)
def test_two_calls_for_a_record_are_one_verdict(second: Outcome, outcome: Outcome) -> None:
    """What is in doubt of the second is in doubt of the whole; faults of both are told."""
    first = Verdict(Outcome.PARTIAL, "A", faults=(PropertyFault("a", "A", ""),), correlation_ids=("1",))
    faults = (PropertyFault("b", "B", ""),) if second is Outcome.REFUSED else ()
    found = both(first, Verdict(second, "B", faults=faults, correlation_ids=("2",)))
    assert found.outcome is outcome
    assert [each.name for each in found.faults] == ["a", *(each.name for each in faults)]
    assert found.correlation_ids == ("1", "2")
