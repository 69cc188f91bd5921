"""Names of real people are taken as they are written, and two spellings that look alike are one."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

import pytest
from sqlalchemy import select

from credsync.store.tables import submissions, therapists
from tests.api.service import AT, Service, new_address

NAMES = [
    "O'Neil",
    "O\u2019Neil",
    "Ñuñez",
    "X",
    "Jo" * 40,
    "Smith-Jones, Jr.",
    "D'Angelo y García",
    "van der Berg",
    "Nguyễn",
    "Þórr",
    "李",
    "Sørensen (née Åkesson)",
    "نیک\u200cپور",
    "null",
    "True",
    "-",
]
CA = {"form": "ca", "occurred_at": AT, "portal": "alpha"}


def kept(service: Service, table: Any, address: str) -> Any:
    column = table.c.id if table is therapists else table.c.therapist_id
    with service.read() as connection:
        rows = connection.execute(select(table).where(column == address.rpartition("/")[2])).all()
    (row,) = rows
    return row


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_persons_name_is_taken_as_it_is(service: Service, name: str) -> None:
    """By every call that takes one, and found again by it."""
    address = new_address()
    data = {"sign_up": {"first_name": name, "last_name": name}, "personal_information": {"aliases": [name]}}
    assert service.put(address, {"portal": "alpha", "name": name}).status_code == 201
    assert service.post(f"{address}/submissions", {**CA, "data": data}).status_code == 202
    assert kept(service, therapists, address).name == name
    assert kept(service, submissions, address).data == data
    found = service.get("/v1/therapists", params={"q": name, "limit": 500}).json()["therapists"]
    assert address.rpartition("/")[2] in {each["id"] for each in found}


def test_a_sign_up_names_its_therapist(service: Service) -> None:
    """The name of a sign-up is the therapist's where none is known."""
    address = new_address()
    data = {"first_name": "Ana María", "last_name": "O'Neil Ñuñez"}
    body = {"kind": "first", "occurred_at": AT, "portal": "alpha", "data": data}
    assert service.post(f"{address}/sign-ups", body).status_code == 202
    assert kept(service, therapists, address).name == "Ana María O'Neil Ñuñez"


@pytest.mark.parametrize("name", ["Ñuñez", "Nguyễn", "Åkesson", "한국"])
def test_two_spellings_of_one_name_are_one_submission(service: Service, name: str) -> None:
    """What differs in its normal form alone (NFC, NFD) is the same data, and kept as NFC."""
    address = new_address()
    answers = [
        service.post(
            f"{address}/submissions",
            {**CA, "data": {"sign_up": {"last_name": normalize(form, name)}}},
        ).json()
        for form in ("NFD", "NFC", "NFD")
    ]
    assert [answer["new"] for answer in answers] == [True, False, False]
    assert len({answer["submission_id"] for answer in answers}) == 1
    assert kept(service, submissions, address).data == {"sign_up": {"last_name": normalize("NFC", name)}}


def test_a_therapists_name_is_kept_as_nfc(service: Service) -> None:
    """NFC/NFD twins of one name are one: kept as NFC, and found by either spelling."""
    address = new_address()
    twin = normalize("NFD", "Zo\u00eb Nu\u00f1ez-Twin")
    assert service.put(address, {"portal": "alpha", "name": twin}).status_code == 201
    assert kept(service, therapists, address).name == normalize("NFC", twin)
    for asked in (twin, normalize("NFC", twin)):
        found = service.get("/v1/therapists", params={"q": asked}).json()["therapists"]
        assert [each["id"] for each in found] == [address.rpartition("/")[2]]
