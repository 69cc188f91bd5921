"""The call that tells how long HubSpot's workflows take."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter

from credsync.core.delays import Delay, Measure
from credsync.store.delays import count_delays
from credsync.web.api import delay_documents
from tests.api.service import Service, portals


def test_delays_are_told_by_portal_slot_and_week(service: Service) -> None:
    """Half, 95 and 99 of a hundred, by portal, slot and week; and what that means for a wait."""
    now = service.clock.now()
    with service.database.write() as connection:
        for ago in (0, 1, 6):
            since = now - timedelta(weeks=ago)
            spans = [timedelta(seconds=60 + n) for n in range(100)]
            count_delays(connection, "twofold", [Delay("license", Measure.FOUND, since, s) for s in spans])
    answer = service.get("/v1/delays", params={"portal": "twofold"})
    TypeAdapter(delay_documents.Delays).validate_json(answer.content, strict=True)
    told = {each["slot"]: each for each in answer.json()["delays"]}
    assert list(told) == list(portals()["twofold"].slots)
    assert [week["found"]["count"] for week in told["license"]["weeks"]] == [100, 100, 100]
    assert 109 <= told["license"]["weeks"][0]["found"]["p50_s"] <= 115
    assert (told["license"]["samples"], told["license"]["overdue_after_from"]) == (200, "learnt")
    assert told["therapist_address_current"]["message"].startswith("too few to say what is normal (0 of 30)")
    few = service.get("/v1/delays", params={"slot": "license", "weeks": "2"}).json()["delays"]
    assert [(each["portal"], len(each["weeks"])) for each in few] == [
        ("alpha", 0),
        ("beta", 0),
        ("twofold", 2),
    ]


def test_every_bad_parameter_is_named(service: Service) -> None:
    """Each bad parameter of the question is named, with what it may be."""
    bad = {"portal": "alfa", "slot": "licence", "weeks": "14", "since": "x"}
    answer = service.get("/v1/delays", params=bad)
    assert answer.status_code == 422
    assert sorted(fault["path"] for fault in answer.json()["errors"]) == sorted(bad)


def test_delays_need_the_scope_read(service: Service) -> None:
    assert service.as_("read").get("/v1/delays").status_code == 200
    assert service.as_("intake").get("/v1/delays").status_code == 403
    assert service.as_(None).get("/v1/delays").status_code == 401
