"""How everything stands and what is mapped, as the console shows it: by HTTP, and what is used of HubSpot's day."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter

from credsync.store.daily_calls import CallsMade, add_calls
from credsync.web.api import overview_documents
from tests.api.service import Service


def test_today_is_what_openapi_says_with_what_was_used_of_the_day(service: Service) -> None:
    now = service.clock.now()
    with service.database.write() as connection:
        made = {
            "objects": CallsMade(1_200, 250_000, now + timedelta(hours=1)),
            "associations": CallsMade(30),
        }
        add_calls(connection, "beta", now.date(), made)
    answer = service.get("/v1/today")
    TypeAdapter(overview_documents.Today).validate_json(answer.content, strict=True)
    quota = next(each for each in answer.json()["portals"] if each["name"] == "beta")["quota"]
    assert (quota["calls"]["used"], quota["calls"]["ours"]) == (1_200, 250_000)
    assert quota["calls"]["stopped_until"] is not None
    assert (quota["association_calls"]["used"], quota["association_calls"]["allowed"]) == (30, 500_000)
    assert quota["reserve_per_10s"] == 4
    service.clock.ahead += timedelta(days=1)
    later = service.get("/v1/today").json()
    service.clock.ahead -= timedelta(days=1)
    quota = next(each for each in later["portals"] if each["name"] == "beta")["quota"]
    assert quota["calls"]["used"] == 0, "a new day begins with nothing"
    assert quota["calls"]["stopped_until"] is None


def test_a_mapping_is_told_from_contact_to_property(service: Service) -> None:
    answer = service.get("/v1/portals/alpha/mapping")
    TypeAdapter(overview_documents.Mapping).validate_json(answer.content, strict=True)
    told = answer.json()
    assert told["portal"] == "alpha"
    slots = {slot["key"]: slot for each in told["objects"] for slot in each["slots"]}
    assert slots["credentialing_active_attested"]["marker"] == "label “Active Attested”"
    assert service.get("/v1/portals/nowhere/mapping").status_code == 404
