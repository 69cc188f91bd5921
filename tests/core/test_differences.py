"""What differs, what will be written and why not, decided from rows, links and values alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from credsync.core.differences import (
    PropertyDifference,
    RecordKey,
    Sighted,
    Unread,
    Values,
    Why,
    differences,
    mapped_properties,
)
from credsync.core.facts import Facts, MovingFact, Submission
from credsync.core.links import LinkState
from credsync.core.quarantine import Quarantined, definition_digest, value_digest
from credsync.core.reasons import Reason
from credsync.core.writes import Cause, Write, WriteState
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    KNOWN,
    MOVE,
    NY,
    PORTAL,
    a_link,
    a_write,
    at,
    form_data,
    submission,
)

RECORD = ("credentialing", "7")
STAYS = MovingFact(at(0), 1, moving=False)


def sighted(
    *submissions: Submission,
    writes: tuple[Write, ...],
    values: Mapping[RecordKey, Values] | None = None,
    **more: Any,
) -> Sighted:
    links = {ACTIVE: a_link(state=LinkState.FOUND, reason=Reason.NONE, record_id="7")}
    return Sighted(
        PORTAL, Facts.of((), (STAYS,), submissions), links, writes, KNOWN, values or {RECORD: {}}, **more
    )


def npi_of(seen: Sighted) -> PropertyDifference:
    [slot] = [each for each in differences(seen) if each.slot == ACTIVE]
    return next(each for each in slot.properties if each.name == "npi")


def due(**changed: Any) -> Write:
    write = a_write(state=WriteState.DUE, reason=Reason.NONE, record_id="7", submissions=frozenset({1}))
    return replace(write, **changed)


CA = submission(1, form_data(npi="1"))


def test_a_write_without_a_verdict_goes_only_if_it_is_not_there() -> None:
    """It is read back first: what is there as a whole is not sent again."""
    unknown = due(reason=Reason.NO_VERDICT)
    there = npi_of(sighted(CA, writes=(unknown,), values={RECORD: {"npi": "1"}}))
    assert (there.will_be_written, there.why) == (False, Why.IN_STEP)
    lost = npi_of(sighted(CA, writes=(unknown,), values={RECORD: {"npi": None}}))
    assert (lost.will_be_written, lost.why) == (True, Why.UNSENT)
    more = submission(2, form_data(bio="b"), form="af")
    beside = due(id=2, form="af", submissions=frozenset({2}))
    held = {RECORD: {"npi": "1", "bio": "b"}}
    both = npi_of(sighted(CA, more, writes=(unknown, beside), values=held))
    assert both.will_be_written is False


def test_a_write_that_is_put_off_waits_with_its_reason() -> None:
    """HubSpot did not take it a moment ago."""
    put_off = due(reason=Reason.SEND_FAILED, not_before=at(600))
    found = npi_of(sighted(CA, writes=(put_off,)))
    assert (found.will_be_written, found.why, found.reason) == (False, Why.WAITING, Reason.SEND_FAILED)


def test_the_submitted_value_is_the_newest_of_the_enrolment() -> None:
    """A newer form's value stands, whichever row is still to go."""
    newer = submission(2, form_data(npi="2"), form="af")
    of_the_newer = due(id=2, form="af", submissions=frozenset({2}))
    for rows in ((due(), of_the_newer), (of_the_newer,), (replace(due(), id=None),)):
        assert npi_of(sighted(CA, newer, writes=rows)).submitted == "2"


def test_rows_that_no_round_has_stored_count_once() -> None:
    """Planned rows have no id yet; planning over them again makes no others."""
    seen = sighted(CA, writes=(due(id=None),))
    slots = differences(seen)
    assert [each.slot for each in slots] == [ACTIVE]
    assert npi_of(seen).why is Why.UNSENT


def test_a_record_that_was_not_read_hides_no_submitted_value() -> None:
    """What would be written is known, though nothing can be compared."""
    unread = Unread("timeout", "HubSpot did not answer in time")
    found = npi_of(sighted(CA, writes=(due(),), values={RECORD: unread}))
    assert (found.submitted, found.hubspot, found.differs) == ("1", None, None)
    assert (found.why, found.code, found.will_be_written) == (Why.NOT_READABLE, "timeout", True)
    assert found.message.endswith("HubSpot did not answer in time.")


def test_a_property_says_what_its_last_write_became() -> None:
    """Written here: somebody changed it since. Written to another record: never here. Refused: why."""
    written = due(state=WriteState.WRITTEN, wrote=frozenset({"npi"}))
    for row, why in (
        (written, Why.EDITED_IN_HUBSPOT),
        (replace(written, record_id="6"), Why.NOT_SENT),
        (replace(written, wrote=frozenset(), refused=frozenset({"npi"})), Why.REFUSED),
        (replace(written, wrote=frozenset()), Why.NOT_SENT),
    ):
        found = npi_of(sighted(CA, writes=(row,), values={RECORD: {"npi": "9"}}))
        assert (found.why, found.differs, found.will_be_written) == (why, True, False)


def test_a_type_that_was_not_seen_is_not_called_empty() -> None:
    """Its slots say that HubSpot did not answer."""
    seen = sighted(CA, writes=(due(),), unseen={"credentialing": Unread("server_error", "HubSpot failed")})
    [slot] = differences(seen)
    assert slot.unread is not None
    assert {each.why for each in slot.properties} == {Why.NOT_READABLE}


def test_the_mapped_properties_of_a_slot_are_those_of_its_maps() -> None:
    """A slot that a rule may choose has the definitive ones; a slot per value those of its kind."""
    assert "npi" in mapped_properties(PORTAL, ACTIVE)
    assert mapped_properties(PORTAL, ACTIVE) == mapped_properties(PORTAL, MOVE)
    assert "npi" not in mapped_properties(PORTAL, ADDRESS)
    assert mapped_properties(PORTAL, NY) == mapped_properties(PORTAL, "license.CA") != []


def test_a_value_that_hubspot_refused_before_is_shown_as_refused_and_goes_only_by_sync_now() -> None:
    """What would be sent is what a round would send: all but the values that are kept back."""
    prop = KNOWN["credentialing"]["npi"]
    place = (*RECORD, "npi")
    kept = Quarantined(
        place, value_digest(place, "1"), definition_digest(prop), "INVALID_REGEX", "refused", at(0)
    )
    by_itself = npi_of(sighted(CA, writes=(due(),), quarantined={place: kept}))
    assert (by_itself.why, by_itself.code, by_itself.will_be_written) == (
        Why.REFUSED,
        "INVALID_REGEX",
        False,
    )
    pressed = npi_of(sighted(CA, writes=(due(cause=Cause.SYNC),), quarantined={place: kept}))
    assert (pressed.why, pressed.will_be_written) == (Why.UNSENT, True)
