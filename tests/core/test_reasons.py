"""Every machine word has its sentence."""

from __future__ import annotations

import re

import pytest

from credsync.core.reasons import Reason, sentence


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.NONE])
def test_every_reason_has_a_sentence_for_people_without_a_time_of_day(reason: Reason) -> None:
    said = sentence(reason)
    assert said.endswith(".")
    assert not re.search(r"\d\d:\d\d|\d{4}-", said)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.PROPERTIES_REFUSED,
        Reason.REFUSED_BY_HUBSPOT,
        Reason.GIVEN_UP,
        Reason.OLDER_THAN_SIGN_UP,
        Reason.OBSERVE_ONLY,
        Reason.RESTORED,
    ],
)
def test_what_needs_a_person_says_what_to_press(reason: Reason) -> None:
    assert "ress Sync now" in sentence(reason)


def test_a_sentence_is_found_by_the_word_as_it_is_stored() -> None:
    assert sentence("no_contact") == sentence(Reason.NO_CONTACT)
