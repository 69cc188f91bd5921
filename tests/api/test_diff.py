"""The diff over real HTTP: the API's own server, the sandbox as HubSpot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import func, select

from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal
from credsync.operate.live import Live
from credsync.settings import SettingsError
from credsync.store.database import Database
from credsync.store.tables import links, live_reads, therapists
from credsync.web.api import documents
from tests.api.service import AT, DEMO, Service, new_address, serving
from tests.sandbox.driver import Driver, running

DATA = {
    "npi_and_caqh": {"npi": "1234567893", "medicare_status": "enrolled"},
    "practice_preferences": {"treating_address": {"city": "Rome", "line1": "1 Made Up Street"}},
    "education_and_training": {"licenses": [{"state": "NY", "number": "77"}]},
}
FAST, REAL = 10_000.0, 1.0


@dataclass
class Asked:
    """A service that may ask HubSpot, and that HubSpot."""

    service: Service
    sandbox: Driver

    def signed_up(self, **contact: Any) -> str:
        """A therapist who submitted a CA and whose records are there; gives the address."""
        made = self.sandbox.contact(licenses=["NY"], **contact)["id"]
        address = self.service.therapist(contact_id=made, name="Ada Example")
        self.service.post(f"{address}/sign-ups", {"kind": "first", "occurred_at": AT})
        self.service.post(f"{address}/submissions", {"form": "ca", "occurred_at": AT, "data": DATA})
        return address

    def forget_seats(self) -> None:
        """As if the window had passed."""
        with self.service.database.write() as connection:
            connection.execute(live_reads.delete())


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """HubSpot's stand-in with the demo's portal."""
    with running(tmp_path_factory.mktemp("sandbox"), DEMO) as driver:
        yield driver


@pytest.fixture
def fresh_sqlite(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A database of its own."""
    path = tmp_path / "credsync.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


def portal_at(url: str) -> Portal:
    return parse_portal("alpha", DEMO.replace("http://127.0.0.1:8090", url))


def live_at(url: str, speed: float) -> Any:
    """Makes a service's live questions go to this HubSpot."""
    return lambda database: Live(database, {"alpha": portal_at(url)}, lambda _: "a-token", speed)


@pytest.fixture
def asked(sandbox: Driver, database_url: str) -> Iterator[Asked]:
    """On each kind of database, with a reserve whose window is over at once."""
    sandbox.do("/faults", method="DELETE")
    with serving(database_url, live_at(sandbox.url, FAST)) as service:
        yield Asked(service, sandbox)


@pytest.fixture
def slow(sandbox: Driver, fresh_sqlite: str) -> Iterator[Asked]:
    """With the reserve as it is."""
    sandbox.do("/faults", method="DELETE")
    with serving(fresh_sqlite, live_at(sandbox.url, REAL)) as service:
        yield Asked(service, sandbox)


def properties(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each property by slot and name."""
    return {(r["slot"], p["name"]): p for r in told["records"] for p in r["properties"]}


def test_the_diff_shows_both_values_of_every_mapped_property(asked: Asked) -> None:
    """Live, per slot, with what will be written and why; as OpenAPI says."""
    address = asked.signed_up()
    answer = asked.service.get(f"{address}/diff")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    TypeAdapter(documents.Diff).validate_json(answer.content, strict=True)
    told = answer.json()
    assert told["complete"]
    found = properties(told)
    npi = found[("credentialing_active_attested", "npi")]
    assert (npi["hubspot"], npi["submitted"], npi["differs"]) == (None, "1234567893", True)
    assert (npi["will_be_written"], npi["why"]) == (True, "unsent")
    assert found[("license.NY", "license_number")]["submitted"] == "77"
    assert found[("therapist_address_current", "city")]["submitted"] == "Rome"
    submitted_on = found[("credentialing_active_attested", "submitted_on")]
    assert submitted_on["submitted"].startswith(AT[:10])


def test_asking_leaves_the_therapist_alone(asked: Asked) -> None:
    """No link is stored, nothing becomes due, nobody is woken."""
    address = asked.signed_up()
    asked.service.wakes.clear()

    def rows() -> list[Any]:
        with asked.service.read() as connection:
            return [connection.execute(select(table)).all() for table in (therapists, links)]

    before = rows()
    assert asked.service.get(f"{address}/diff").json()["complete"]
    assert rows() == before
    assert asked.service.wakes == []


def test_a_used_up_reserve_is_a_429_that_says_when(slow: Asked) -> None:
    """What was learnt until then is told first; who asks at once again hears how long to wait."""
    address = slow.signed_up()
    slow.service.get(f"{address}/diff")
    slow.forget_seats()
    slow.service.get(f"{address}/diff")
    slow.forget_seats()
    part = slow.service.get(f"{address}/diff")
    assert (part.status_code, part.json()["complete"]) == (200, False)
    assert 1 <= part.json()["ask_again_in_s"] <= 10
    answer = slow.service.get(f"{address}/diff")
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.json()["type"] == "/docs#ask-later"
    assert answer.json()["errors"][0]["code"] == "reserve_used_up"
    slow.forget_seats()
    whole = slow.service.get(f"{address}/diff").json()
    assert (whole["complete"], whole["ask_again_in_s"]) == (True, None)


def test_what_others_asked_counts(slow: Asked) -> None:
    """The reserve is one for all processes: it is counted in the database."""
    address = slow.signed_up()
    with slow.service.database.write() as connection:
        now = slow.service.clock.now()
        connection.execute(live_reads.insert(), [{"portal": "alpha", "at": now}] * 4)
    asked_before = slow.sandbox.summary()["total"]
    assert slow.service.get(f"{address}/diff").status_code == 429
    assert slow.sandbox.summary()["total"] == asked_before


def test_without_a_token_the_diff_says_what_to_set(fresh_sqlite: str) -> None:
    """503, and everything else goes on."""

    def no_token(portal: Portal) -> str:
        raise SettingsError(f"Portal {portal.name} has no token: set CREDSYNC_HUBSPOT_TOKEN_ALPHA.")

    def live(database: Database) -> Live:
        return Live(database, {"alpha": portal_at("http://127.0.0.1:9")}, no_token)

    with serving(fresh_sqlite, live) as service:
        address = service.therapist(contact_id="101")
        answer = service.get(f"{address}/diff")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "CREDSYNC_HUBSPOT_TOKEN_ALPHA" in answer.json()["detail"]
        assert service.get(f"{address}/packet").status_code == 200


def test_a_hubspot_out_of_order_is_part_of_the_answer(asked: Asked) -> None:
    """Never a 500: what could not be read says so."""
    address = asked.signed_up()
    asked.sandbox.do("/faults", {"match": {"path": "batch/read"}, "times": None, "answer": "html"})
    answer = asked.service.get(f"{address}/diff")
    assert answer.status_code == 200
    assert not answer.json()["complete"]
    assert {each["why"] for each in properties(answer.json()).values()} == {"not_readable"}


def test_nobody_and_nonsense_are_refused(asked: Asked) -> None:
    """404 for nobody, 422 for what is no UUID or no parameter, 403 without the scope."""
    address = asked.service.therapist()
    assert asked.service.get(f"{new_address()}/diff").status_code == 404
    assert asked.service.get("/v1/therapists/ada/diff").status_code == 422
    assert asked.service.get(f"{address}/diff?slot=x").status_code == 422
    assert asked.service.as_("intake").get(f"{address}/diff").status_code == 403
    assert asked.service.as_("read").get(f"{address}/diff").status_code == 200


def test_a_service_that_never_asks_hubspot_says_so(service: Service) -> None:
    """Where the API is built without a way to HubSpot."""
    address = service.therapist()
    assert service.get(f"{address}/diff").status_code == 503
    assert service.get(f"{new_address()}/diff").status_code == 404


def found_link(asked: Asked, address: str, slot: str, record_id: str) -> None:
    """A round found this record once."""
    with asked.service.database.write() as connection:
        now = asked.service.clock.now()
        connection.execute(
            links.insert().values(
                therapist_id=address.rpartition("/")[2],
                slot=slot,
                portal="alpha",
                awaited=True,
                awaited_since=now,
                state="found",
                reason="",
                record_id=record_id,
                candidates=[],
                looks=1,
                found_at=now,
            )
        )


def test_the_packet_says_when_records_were_created(asked: Asked) -> None:
    """Asked of HubSpot where no write's answer has told it, once, and kept."""
    address = asked.signed_up()
    slot = "credentialing_active_attested"
    contact = asked.service.get(address).json()["contact_id"]
    record = asked.sandbox.records(contact)[slot]
    found_link(asked, address, slot, record["id"])
    for _ in range(2):
        told = next(e for e in asked.service.get(f"{address}/packet").json()["links"] if e["slot"] == slot)
        assert told["record_created_at"][:19] == record["created_at"][:19]
        asked.sandbox.do("/faults", {"match": {}, "times": None, "answer": "close"})


def test_a_silent_hubspot_costs_the_packet_those_times_alone(asked: Asked) -> None:
    """The report comes all the same."""
    address = asked.signed_up()
    found_link(asked, address, "credentialing_active_attested", "12345")
    asked.sandbox.do("/faults", {"match": {}, "times": None, "answer": {"status": 500}})
    answer = asked.service.get(f"{address}/packet")
    assert answer.status_code == 200
    told = next(e for e in answer.json()["links"] if e["record_id"] == "12345")
    assert told["record_created_at"] is None


def test_a_packet_takes_its_calls_from_the_reserve(slow: Asked) -> None:
    """Where it is used up, the report does without."""
    address = slow.signed_up()
    found_link(slow, address, "credentialing_active_attested", "12345")
    with slow.service.database.write() as connection:
        now = slow.service.clock.now()
        connection.execute(live_reads.insert(), [{"portal": "alpha", "at": now}] * 4)
    asked_before = slow.sandbox.summary()["total"]
    assert slow.service.get(f"{address}/packet").status_code == 200
    assert slow.sandbox.summary()["total"] == asked_before
    with slow.service.read() as connection:
        assert connection.execute(select(func.count()).select_from(live_reads)).scalar_one() == 4
