"""The demo's judge: lost is whatever is not in HubSpot as submitted while the service says that all is well."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from credsync.core.portal import id_key
from credsync.demo.outcome import Fate, Outcome, judge, share
from credsync.demo.people import invent
from credsync.demo.plan import Part
from credsync.demo.story import Played

SPEED = 20.0
SIGNED_UP = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAYED = Played(Part(invent("K", Random(1)), 0.0, 90.0), "301", SIGNED_UP + timedelta(seconds=90 / SPEED))
PERSON = PLAYED.part.person
Json = dict[str, Any]


def at(seconds: float) -> str:
    """So many of HubSpot's seconds after the sign-up."""
    return (SIGNED_UP + timedelta(seconds=seconds / SPEED)).isoformat()


def record(number: int, slot: str, properties: dict[str, str], writes: int = 1) -> Json:
    return {
        "id": str(number),
        "made_for": slot,
        "slots": [slot],
        "parents": ["401" if slot.startswith("license.") else "301"],
        "properties": {"hs_object_id": str(number), **properties},
        "visible_at": at(120),
        "first_written_at": at(124) if writes else None,
        "writes": writes,
        "archived_at": None,
    }


def all_well() -> tuple[Json, Json]:
    """The sandbox's truth and the service's status when everything went as it should."""
    expected = PERSON.expected(PLAYED.submitted)
    records = [record(number, slot, values) for number, (slot, values) in enumerate(expected.items(), 401)]
    truth = {
        "created_at": at(0),
        "records": [*records, record(499, "credentialing_relocation", {}, writes=0)],
    }
    status = {
        "state": "in_sync",
        "ids": {id_key(each["made_for"]): each["id"] for each in records},
        "links": [
            {"slot": each["made_for"], "first_missed_at": at(3), "found_at": at(122)} for each in records
        ],
        "writes": [
            {"slot": each["made_for"], "state": "written", "record_id": each["id"]} for each in records
        ],
    }
    return truth, status


def judged(change: Callable[[Json, Json], None]) -> Outcome:
    truth, status = deepcopy(all_well())
    change(truth, status)
    return judge(PLAYED, truth, status, SPEED)


def test_all_is_written_and_its_times_are_hubspots_seconds_after_the_sign_up() -> None:
    outcome = judged(lambda truth, status: None)
    assert outcome.fate is Fate.WRITTEN
    assert not outcome.faults
    times = outcome.times
    assert (times.first_looked, times.created, times.found, times.written) == pytest.approx(
        (3, 120, 122, 124)
    )
    assert outcome.lags == pytest.approx([4.0] * len(PERSON.slots))
    assert outcome.submitted_first
    assert outcome.old.lost
    assert list(outcome.old.too_late.values()) == pytest.approx([60.0] * len(PERSON.slots))


def test_a_lag_begins_with_the_submission_when_the_record_was_there_before() -> None:
    def earlier(truth: Json, status: Json) -> None:
        for each in truth["records"]:
            each["visible_at"] = at(10)

    outcome = judged(earlier)
    assert outcome.lags == pytest.approx([34.0] * len(PERSON.slots))
    assert not outcome.submitted_first
    assert not outcome.old.lost


def _other_value(truth: Json, status: Json) -> None:
    truth["records"][0]["properties"]["npi"] = "1234567893"


def _twice(truth: Json, status: Json) -> None:
    truth["records"][0]["writes"] = 2


def _unasked(truth: Json, status: Json) -> None:
    truth["records"][-1]["writes"] = 1


def _other_id(truth: Json, status: Json) -> None:
    status["ids"][id_key(PERSON.slots[0])] = "1"


def _unsaid(truth: Json, status: Json) -> None:
    status["writes"].pop()


def _no_record(truth: Json, status: Json) -> None:
    truth["records"][0]["slots"] = []


def _under_the_other(truth: Json, status: Json) -> None:
    truth["records"][1]["parents"] = ["499"]


@pytest.mark.parametrize(
    "change", [_other_value, _twice, _unasked, _other_id, _unsaid, _no_record, _under_the_other]
)
def test_a_difference_nobody_speaks_of_is_a_loss(change: Callable[[Json, Json], None]) -> None:
    outcome = judged(change)
    assert outcome.fate is Fate.LOST
    assert outcome.faults


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        ("waiting", Fate.WAITING),
        ("overdue", Fate.WAITING),
        ("ambiguous", Fate.NEEDS_A_PERSON),
        ("refused", Fate.NEEDS_A_PERSON),
    ],
)
def test_what_the_service_speaks_of_is_not_lost(state: str, fate: Fate) -> None:
    def said(truth: Json, status: Json) -> None:
        truth["records"][0].update(writes=0, first_written_at=None)
        status["state"] = state

    assert judged(said).fate is fate


def test_a_share_is_a_value_of_the_list() -> None:
    assert share([], 0.5) == 0.0
    assert share([5.0], 0.95) == 5.0
    assert share([float(value) for value in range(1, 101)], 0.95) == 95.0
