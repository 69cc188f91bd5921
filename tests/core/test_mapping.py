"""From a submission to properties: the allow-list, what absent and null mean, lists, and which Credentialing."""

from __future__ import annotations

from typing import Any

import pytest

from credsync.core.facts import Facts, MovingFact, Submission
from credsync.core.forms import FormName
from credsync.core.mapping import (
    ABSENT,
    Target,
    Told,
    definitive_slot,
    derived,
    merge,
    resolve,
    submitted_slots,
    targets,
)
from credsync.core.portal import DEFINITIVE, Portal
from credsync.core.portal_file import parse_portal
from tests.core.builders import (
    ACTIVE,
    ADDRESS,
    MOVE,
    NJ,
    NY,
    PORTAL,
    at,
    extended,
    form_data,
    portal_text,
    submission,
)

AF_WITHOUT_LISTS = """
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = { number = "number" }
[[writes]]
form = "af"
to = "definitive"
fields = { npi = "npi_and_caqh.npi" }
"""


def mapped(writes: str) -> Portal:
    return parse_portal("alpha", portal_text(writes=writes))


def said(portal: Portal, *submissions: Submission, of: int = 1) -> dict[str, dict[str, Any]]:
    """What one of these submissions says to each slot, as plain values."""
    facts = Facts.of(submissions=submissions)
    one = next(s for s in submissions if s.id == of)
    found = targets(portal, facts, one, facts.in_enrolment(0), {})
    return {t.slot: {name: wanted.value for name, wanted in t.properties.items()} for t in found}


def test_a_path_that_is_absent_says_nothing_and_null_clears() -> None:
    data = {"a": {"b": 1, "gone": None}, "whole": None}
    assert [resolve(data, path) for path in ("a.b", "a.gone", "whole", "whole.of.it")] == [
        1,
        None,
        None,
        None,
    ]
    assert [resolve(data, path) for path in ("a.c", "x", "x.y", "a.b.c")] == [ABSENT] * 4


def test_a_property_whose_field_is_absent_is_left_alone_and_a_null_one_is_cleared() -> None:
    """A field absent from a submission leaves its property alone; null clears it."""
    assert said(PORTAL, submission(1, form_data(npi="1"))) == {ACTIVE: {"npi": "1"}}
    assert said(PORTAL, submission(1, form_data(npi=None))) == {ACTIVE: {"npi": None}}


def test_what_is_not_mapped_never_leaves() -> None:
    data = {"npi_and_caqh": {"caqh_id": "1"}, "sign_up": {"email": "a@example.org"}}
    assert said(PORTAL, submission(1, data)) == {}


def test_a_form_speaks_through_its_own_maps_only() -> None:
    data = form_data(npi="1", city="Rome")
    assert said(PORTAL, submission(1, data, form="af")) == {ACTIVE: {"npi": "1"}}
    assert said(PORTAL, submission(1, data, form="sign_up")) == {}


def test_one_submission_says_to_every_slot_what_belongs_there() -> None:
    data = form_data(npi="1", city="Rome", licenses=[{"state": "NY", "number": "7"}, {"state": "NJ"}])
    assert said(PORTAL, submission(1, data)) == {
        ACTIVE: {"npi": "1"},
        NY: {"number": "7"},
        ADDRESS: {"city": "Rome"},
    }


def test_each_item_goes_to_the_slot_its_key_names_and_null_in_it_clears() -> None:
    items: list[dict[str, Any]] = [
        {"state": "NY", "number": "7", "expiry": None},
        {"state": "NJ", "number": "8"},
        {"number": "9"},
        {"state": None},
    ]
    assert said(PORTAL, submission(1, form_data(licenses=items))) == {
        NY: {"number": "7", "expires_on": None},
        NJ: {"number": "8"},
    }


def test_two_keys_name_a_slot_of_two_values() -> None:
    text = portal_text().replace('each = "license_state"', 'each = ["license_state", "license_type"]')
    portal = parse_portal("alpha", text.replace('key = "state"', 'key = ["state", "type"]'))
    items = [
        {"state": "NY", "type": "PT", "number": "1"},
        {"state": "NY", "type": "LCSW", "number": "2"},
        {"state": "NY", "number": "3"},
    ]
    assert said(portal, submission(1, form_data(licenses=items))) == {
        "license.NY.PT": {"number": "1"},
        "license.NY.LCSW": {"number": "2"},
    }


def test_renamed_options_go_with_the_value_of_their_property() -> None:
    portal = mapped(
        '[[writes]]\nform = "ca"\nto = "definitive"\nfields = { npi = "npi_and_caqh.npi", bio = "practice_preferences.bio" }\n'
        'values.npi = { "1" = "one" }\n'
    )
    (target,) = targets(portal, Facts(), submission(1, form_data(npi="1", bio="x")), [], {})
    assert {name: dict(w.renames) for name, w in target.properties.items()} == {
        "npi": {"1": "one"},
        "bio": {},
    }


def test_the_values_a_submission_has_beside_its_data() -> None:
    plain = derived(submission(1, {}, 0))
    assert plain == {"form_status": "submitted", "submitted_at": "2026-03-02T09:00:00Z"}


def test_a_portal_says_when_the_next_attestation_is_due() -> None:
    """`attestation_due` is 120 days after the attestation, or what the portal file says."""
    writes = '[[writes]]\nform = "af"\nto = "definitive"\nfields = { due = "attestation_due" }\n'
    attested = submission(1, {"attestation": {"attested_at": "2026-03-01T00:00:00.000000Z"}}, form="af")
    assert said(mapped(writes), attested) == {ACTIVE: {"due": "2026-06-29"}}
    sooner = mapped(f'[attestation]\ndue_after = "90d"\n{writes}')
    assert said(sooner, attested) == {ACTIVE: {"due": "2026-05-30"}}


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("af", {"attestation": {"attested_at": "2026-03-01T23:30:00.000000Z"}}),
        ("ca", {"certification_and_release": {"signed_at": "2026-03-01T23:30:00.000000Z"}}),
    ],
)
def test_an_attestation_is_due_again_after_120_days(form: FormName, data: dict[str, Any]) -> None:
    values = derived(submission(1, data, form=form))
    assert values["attested_at"] == "2026-03-01T23:30:00.000000Z"
    assert values["attestation_due"] == "2026-06-29"


def test_an_attestation_form_that_names_no_moment_was_attested_when_it_was_submitted() -> None:
    values = derived(submission(1, {}, 0, form="af"))
    assert values["attested_at"] == values["submitted_at"]
    assert values["attestation_due"] == "2026-06-30"


def test_an_attestation_at_the_end_of_the_calendar_is_never_due_and_stops_nothing() -> None:
    late = {"attestation": {"attested_at": "9999-12-31T00:00:00.000000Z"}}
    values = derived(submission(1, late, form="af"))
    assert values["attested_at"].startswith("9999")
    assert "attestation_due" not in values


def test_a_newer_list_replaces_the_list_whichever_form_it_is_in() -> None:
    old = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}, {"state": "NJ", "number": "2"}]))
    new = submission(2, form_data(licenses=[{"state": "NY", "number": "3"}]), form="af")
    assert said(PORTAL, old, new, of=1) == {}
    assert said(PORTAL, old, new, of=2) == {NY: {"number": "3"}}


def test_a_submission_without_the_list_replaces_none() -> None:
    old = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}]))
    assert said(PORTAL, old, submission(2, form_data(npi="1"))) == {NY: {"number": "1"}}


def test_a_list_that_is_cleared_replaces_the_list() -> None:
    old = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}]))
    new = submission(2, {"education_and_training": {"licenses": None}})
    assert said(PORTAL, old, new) == {}
    assert said(PORTAL, old, new, of=2) == {}


def test_a_list_of_a_form_that_maps_no_lists_replaces_none() -> None:
    """Such a list never leaves, so the one that may must not vanish because of it."""
    portal = mapped(AF_WITHOUT_LISTS)
    old = submission(1, form_data(licenses=[{"state": "NY", "number": "1"}]))
    new = submission(2, form_data(npi="9", licenses=[{"state": "NY", "number": "3"}]), form="af")
    assert said(portal, old, new) == {NY: {"number": "1"}}
    assert submitted_slots(portal, Facts.of(submissions=[old, new])) == {NY}


def test_the_licences_submitted_are_those_of_the_current_enrolments_newest_list() -> None:
    before = submission(1, form_data(licenses=[{"state": "NJ", "number": "1"}]), 10)
    after = submission(2, form_data(licenses=[{"state": "NY", "number": "1"}]), 200)
    assert submitted_slots(PORTAL, Facts.of(submissions=[before])) == {NJ}
    assert submitted_slots(PORTAL, Facts.of([extended(5, 100)], submissions=[before, after])) == {NY}


def definitive(submitted: Submission, *told: tuple[float, bool]) -> tuple[str, str | None]:
    moving = [MovingFact(at(moment), seq, word) for seq, (moment, word) in enumerate(told)]
    return definitive_slot(PORTAL, Facts.of(moving=moving), submitted)


def test_the_first_rule_whose_condition_holds_names_the_credentialing() -> None:
    """A definitive rule holds by its condition alone: the first rule whose condition holds."""
    assert definitive(submission(1, {}, moving=True)) == (MOVE, "moving")
    assert definitive(submission(1, {}, moving=False)) == (ACTIVE, "always")


def test_the_rule_asks_what_was_known_when_it_was_submitted() -> None:
    told = ((10, True), (100, False))
    assert definitive(submission(1, {}, 50, moving=None), *told) == (MOVE, "moving")
    assert definitive(submission(1, {}, 100, moving=None), *told) == (ACTIVE, "always")


def test_while_nobody_has_said_whether_the_therapist_moves_no_credentialing_is_chosen() -> None:
    assert definitive(submission(1, {}, 50, moving=None)) == (DEFINITIVE, None)


def test_a_rule_without_condition_asks_nobody() -> None:
    text = portal_text().replace(f'{{ slot = "{MOVE}", when = "moving" }}, ', "")
    portal = parse_portal("alpha", text)
    assert definitive_slot(portal, Facts(), submission(1, {}, moving=None)) == (ACTIVE, "always")


def test_a_form_without_rules_of_its_own_uses_those_of_ca() -> None:
    assert definitive(submission(1, {}, form="sign_up", moving=True)) == (MOVE, "moving")


def test_what_was_sent_already_is_not_judged_again() -> None:
    sent = {1: (MOVE, "moving")}
    one = submission(1, form_data(npi="1"), moving=False)
    (target,) = targets(PORTAL, Facts.of(submissions=[one]), one, [one], sent)
    assert isinstance(target, Target)
    assert (target.slot, target.rule) == sent[1]


def merged(slot: str, *submissions: Submission, esu: float | None = None) -> dict[str, Any]:
    facts = Facts.of([extended(5, esu)] if esu else [], submissions=submissions)
    return {name: w.value for name, w in merge(Told(PORTAL, facts), facts.enrolment, slot, {}).items()}


def test_the_newest_value_of_each_property_wins_over_all_forms_of_the_enrolment() -> None:
    """Per property the newest `occurred_at` among the submitted forms of the enrolment wins."""
    ca = submission(1, form_data(npi="1", bio="old"))
    af = submission(2, form_data(bio="new"), form="af")
    assert merged(ACTIVE, af, ca) == {"npi": "1", "bio": "new"}


def test_newest_is_by_the_time_it_occurred_and_ties_go_by_arrival() -> None:
    """Of two submissions of one moment the one that arrived later wins."""
    late = submission(3, form_data(npi="late"), 1)
    assert merged(ACTIVE, submission(1, form_data(npi="1"), 5), late) == {"npi": "1"}
    tie = submission(2, form_data(npi="2"), 5)
    assert merged(ACTIVE, tie, submission(1, form_data(npi="1"), 5)) == {"npi": "2"}


def test_null_clears_what_an_older_submission_said() -> None:
    assert merged(ACTIVE, submission(1, form_data(npi="1")), submission(2, form_data(npi=None))) == {
        "npi": None
    }


def test_nothing_of_an_older_enrolment_is_merged() -> None:
    before, after = submission(1, form_data(npi="1", bio="b"), 1), submission(2, form_data(npi="2"), 200)
    assert merged(ACTIVE, before, after, esu=100) == {"npi": "2"}
