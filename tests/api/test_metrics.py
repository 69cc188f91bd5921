"""Figures for Prometheus: how all stand, what was asked and answered; nobody's id or value among them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from prometheus_client.parser import text_string_to_metric_families

from tests.api.service import AT, Service, new_address

_HOURS = count(1)
"""Each scrape an hour after the one before, whichever test made that: none is answered with what is kept."""


Sample = tuple[str, frozenset[tuple[str, str]]]


def figures(service: Service) -> dict[Sample, float]:
    """Every sample, none of them kept from before."""
    service.clock.ahead = timedelta(hours=next(_HOURS))
    return scrape(service)


def scrape(service: Service) -> dict[Sample, float]:
    """Every sample by name and labels, as a scraper reads it."""
    answer = service.as_(None).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def test_who_waits_is_counted_by_portal_and_state_and_nobody_is_named(service: Service) -> None:
    before = figures(service)
    address = service.therapist(contact_id="237058", name="Ann Madeup", email="ann@example.org")
    service.post(f"{address}/sign-ups", {"kind": "first", "occurred_at": AT})
    found = figures(service)
    waiting = of("credsync_therapists", portal="alpha", state="waiting")
    assert found[waiting] == before[waiting] + 1
    elsewhere = of("credsync_therapists", portal="beta", state="waiting")
    assert found[elsewhere] == before[elsewhere]
    assert found[of("credsync_portal_usable", portal="alpha")] == 1
    assert found[of("credsync_portal_paused", portal="alpha")] == 0
    said = service.as_(None).get("/metrics").text
    assert not [each for each in ("237058", "Madeup", "ann@example", address[-36:]) if each in said]


def test_requests_are_counted_by_address_pattern_and_status(service: Service) -> None:
    before = figures(service)
    address = new_address()
    assert service.put(address, {"portal": "alpha"}).status_code == 201
    assert service.put(address, {"portal": "alpha", "email": "?"}).status_code == 422
    service.as_("admin").request("PROPFIND", address)
    service.get("/no/such/address")
    found = figures(service)
    route = "/v1/therapists/{uuid}"
    counted = "credsync_http_requests_total"
    for method, path, status in (("PUT", route, "201"), ("PUT", route, "422"), ("GET", "unknown", "404")):
        sample = of(counted, method=method, route=path, status=status)
        assert found[sample] == before.get(sample, 0) + 1
    assert found[of("credsync_http_request_seconds_count", route=route)] >= 2
    methods = {dict(labels).get("method") for name, labels in found if name == counted}
    assert "PROPFIND" not in methods
    assert "other" in methods


def test_the_database_is_not_counted_anew_for_everybody_who_asks(service: Service) -> None:
    """Within a few seconds the same count serves all: without a token nobody can make the database work."""
    waiting = of("credsync_therapists", portal="alpha", state="waiting")
    before = figures(service)[waiting]
    service.therapist()
    service.clock.ahead += timedelta(seconds=4)
    assert scrape(service)[waiting] == before
    service.clock.ahead += timedelta(seconds=1)
    assert scrape(service)[waiting] == before + 1
