"""Class C is checked, reduced to flags and stored nowhere; class D is refused. Canaries in every such field show it.

A canary is a text that nothing else holds: were it kept anywhere, it would be found there byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import psycopg
from psycopg import sql

from credsync.core.forms import DataClass, paths
from tests.flow.world import World, moment, someone

SECRET, DAY = "kanarienvogel", "1931-07-1"
_numbers = count(10)


def canary() -> str:
    """A text that stands nowhere else."""
    return f"{SECRET}{next(_numbers)}"


def answers(most: int = 3) -> dict[str, Any]:
    """Questions and answers, each a canary, in every shape that is taken."""
    told: list[Any] = [
        canary(),
        {"answer": canary(), "explanation": canary()},
        {"question": canary(), "answer": True},
    ]
    told += [canary() for _ in range(most - 3)]
    return {canary(): each for each in told}


def sensitive_ca() -> dict[str, Any]:
    """A CA with every class C field, each holding canaries, and a public field in each of its sections."""
    person = {
        "name": canary(),
        "email": f"{canary()}@example.org",
        "phone": "+12125550187",
        "relation": canary(),
    }
    return {
        "personal_information": {
            "aliases": ["Zugvogel"],
            "birth_date": f"{DAY}1",
            "birth_place": {"city": canary(), "country": canary()},
            "citizenship": [canary(), canary()],
            "ethnicity": canary(),
        },
        "immunization": {
            "statuses": [{"vaccine": canary(), "status": canary(), "date": f"{DAY}2"}],
            "questionnaire": answers(),
        },
        "education_and_training": {"fellowships": ["Zugvogel"], "references": [person]},
        "employment_and_malpractice": {
            "claims": [{canary(): canary(), "paid": True}],
            "disclosures": [{"question": canary(), "answer": canary(), "explanation": canary()}, canary()],
        },
        "practice_preferences": {
            "bio": "Zugvogel",
            "specialties": ["Zugvogel"],
            "pet_allergies": {canary(): canary()},
        },
        "npi_and_caqh": {"npi": "1234567893", "medicare_status": "enrolled"},
        "medicare": {"answers": answers(10)},
    }


def sensitive_af() -> dict[str, Any]:
    """An AF with its own disclosures."""
    return {"disclosures": {"answers": answers()}, "attestation": {"signed_name": "Zugvogel"}}


def refused() -> Iterator[tuple[dict[str, Any], str]]:
    """Data that is refused with canaries in it, and the path of one fault."""
    yield {"personal_information": {"ssn": canary()}}, "data.personal_information.ssn"
    yield {"npi_and_caqh": {"caqh_password": canary()}}, "data.npi_and_caqh.caqh_password"
    yield {"payouts": {"bank_account": canary()}}, "data.payouts"
    yield {"medicare": {"answers": {"tax_id": canary()}}}, "data.medicare.answers.tax_id"
    yield {"personal_information": {"birth_date": canary()}}, "data.personal_information.birth_date"
    yield {"personal_information": {"birth_dat": f"{DAY}3"}}, "data.personal_information.birth_dat"
    yield {"immunization": {"statuses": [canary()]}}, "data.immunization.statuses[0]"
    yield (
        {"employment_and_malpractice": {"claims": [{"x": [canary()]}]}},
        "data.employment_and_malpractice.claims[0].*",
    )
    yield {canary() + " 1": canary()}, "data.*"


def places(here: World) -> dict[str, bytes]:
    """Every file of the service, its database with its WAL among them, and all that HubSpot was ever sent.

    Of PostgreSQL every row of every table, as a dump has it.
    """
    found = {path.name: path.read_bytes() for path in here.folder.rglob("*") if path.is_file()}
    url = here.environment["CREDSYNC_DATABASE_URL"]
    if not url.startswith("sqlite"):
        with psycopg.connect(url) as dumped:
            tables = dumped.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                with dumped.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
                    found[f"table {table}"] = b"".join(rows)
    found["requests"] = json.dumps(here.requests()).encode()
    found["truth"] = here.hubspot.get("/_sandbox/truth").content
    return found


def holding(places: dict[str, bytes], *words: str) -> set[str]:
    """The names of the places that hold a word, in any of the ways a text is usually kept."""
    ways = [word.encode(code) for word in words for code in ("utf-8", "utf-16-le", "utf-16-be")]
    return {name for name, content in places.items() if any(way in content for way in ways)}


def test_every_class_c_field_has_a_canary() -> None:
    """The forms above leave no class C field of domain.md's table out."""
    for form, data in (("ca", sensitive_ca()), ("af", sensitive_ca() | sensitive_af())):
        wanted = {
            p for p, info in paths(form).items() if info.data_class is DataClass.C and info.type != "object"
        }  # type: ignore[arg-type]
        assert wanted <= set(_named(data)), wanted - set(_named(data))


def _named(value: Any, path: str = "") -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for key, inner in item.items():
                yield f"{path}.{key}".removeprefix(".")
                yield from _named(inner, f"{path}.{key}".removeprefix("."))


def test_class_c_is_stored_nowhere_and_leaves_nowhere(here: World) -> None:
    """C is stored nowhere, and of C and D nothing reaches HubSpot, the logs, any answer, or the files that a backup copies.

    Not in the database's bytes, its WAL, the logs, any answer or HubSpot: of class C only the flags are kept.
    """
    contact, therapist = here.contact(), someone()
    here.sign_up(therapist, contact, data={"first_name": "Zugvogel"})
    told = [here.submit(therapist, sensitive_ca()), here.submit(therapist, sensitive_af(), form="af")]
    keyed = {"form": "ca", "occurred_at": moment(), "data": sensitive_ca()}
    for _ in range(2):
        again = here.api.post(
            f"/v1/therapists/{therapist}/submissions", json=keyed, headers={"Idempotency-Key": "once"}
        )
        assert again.status_code == 202
        told.append(again)
    for data, path in refused():
        body = {"form": "ca", "occurred_at": moment(), "data": data}
        answer = here.api.post(f"/v1/therapists/{therapist}/submissions", json=body)
        assert answer.status_code == 422
        assert path in {error["path"] for error in answer.json()["errors"]}
        told.append(answer)
    half = json.dumps({"form": "ca", "data": sensitive_ca()}).encode()[:-1]
    with httpx2.Client(base_url=here.api.base_url, headers=here.api.headers) as careless:
        told.append(careless.post(f"/v1/therapists/{therapist}/submissions", content=half))
    here.until_state(therapist, "in_sync")
    here.sync(therapist)
    here.until_state(therapist, "in_sync")
    told += [
        here.api.get(f"/v1/therapists/{therapist}{end}") for end in ("", "/timeline", "/packet", "/diff")
    ]
    told.append(here.api.get(f"/v1/therapists/{therapist}/packet", headers={"Accept": "text/markdown"}))
    told += [here.api.get("/v1/events"), here.api.get("/v1/therapists"), here.api.get("/metrics")]

    running = places(here)
    stored = {"credsync.db", "credsync.db-wal"} & set(running) or {"table submissions", "table therapists"}
    assert {*stored, "service-1.log"} <= set(running)
    kept = holding(running, "Zugvogel")
    assert kept & stored, "what may be kept is found where it is kept"
    assert {"requests", "truth"} <= kept
    assert holding(running, SECRET, DAY, "5550187") == set()
    assert holding({str(n): answer.content for n, answer in enumerate(told)}, SECRET, DAY, "5550187") == set()
    here.kill()
    here.start()
    assert holding(places(here), SECRET, DAY, "5550187") == set()
    status = here.api.get(f"/v1/therapists/{therapist}")
    assert status.status_code == 200
