"""Answers that are no answers: wrong types, cut bodies, doubled keys, NaN, unknown words. Nothing crashes, and nothing is
concluded from garbage: no record from thin air, no absence nobody spoke of, no write that nobody confirmed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credsync.core.observations import NotSeen, Seen
from credsync.core.verdicts import Outcome
from credsync.hubspot.associations import read_associations
from credsync.hubspot.client import HubSpotClient
from credsync.hubspot.errors import HubSpotError
from credsync.hubspot.isolate import update_records
from credsync.hubspot.objects import Missing, NotRead, Record, RecordInput, batch_read, single_read
from credsync.hubspot.schema import WantedObject, account_details, read_schema
from tests.hubspot.scripted import run_in_virtual_time

GARBAGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**40,
    "",
    "x",
    "٣",
    "\u0000",
    "9" * 5_000,
    [],
    {},
    [[]],
    [None],
    {"id": {}},
    {"": ""},
]
LOOK = {
    "results": [
        {
            "from": {"id": "101"},
            "to": [
                {
                    "toObjectId": 900,
                    "associationTypes": [
                        {"category": "USER_DEFINED", "typeId": 7, "label": "Active Attested"}
                    ],
                },
                {
                    "toObjectId": 901,
                    "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": None}],
                },
            ],
            "paging": {},
        }
    ],
    "errors": [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": "nothing there",
            "context": {"fromObjectId": ["102"]},
        }
    ],
    "numErrors": 1,
}
READ = {
    "status": "COMPLETE",
    "results": [
        {"id": "900", "properties": {"npi": "1", "hs_createdate": "2026-01-01T00:00:00Z"}, "archived": False},
        {"id": "901", "properties": {"npi": None}, "createdAt": "2026-01-01T00:00:00.000Z"},
    ],
    "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["902"]}, "status": "error"}],
}
UPDATE = {
    "status": "COMPLETE",
    "results": [{"id": "900", "objectWriteTraceId": "900", "createdAt": "2026-01-01T00:00:00Z"}],
    "numErrors": 2,
    "errors": [
        {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["901"]}},
        {
            "category": "VALIDATION_ERROR",
            "message": 'Property values were not valid: [{"name": "npi", "error": "INVALID_LONG"}]',
            "context": {"objectWriteTraceId": ["902"], "propertyName": ["npi"]},
        },
    ],
}
SCHEMAS = {
    "results": [
        {
            "name": "credentialing",
            "fullyQualifiedName": "p1_credentialing",
            "objectTypeId": "2-101",
            "archived": False,
        }
    ]
}
PROPERTIES = {
    "results": [
        {
            "name": "npi",
            "type": "enumeration",
            "fieldType": "select",
            "options": [{"label": "Yes", "value": "Yes", "hidden": False}],
            "modificationMetadata": {"readOnlyValue": False},
            "calculated": False,
        }
    ]
}
ACCOUNT = {"portalId": 1234567, "timeZone": "US/Eastern", "uiDomain": "app.hubspot.com"}

FEWER = settings(max_examples=60)
Work = Callable[[HubSpotClient], Awaitable[Any]]


def asked(body: bytes, work: Work, status: int = 200) -> Any:
    """What this work makes of one answer, whatever it asks; None where it is a HubSpotError."""

    async def run() -> Any:
        answer = httpx2.MockTransport(
            lambda _: httpx2.Response(status, content=body, headers={"content-type": "application/json"})
        )
        async with (
            httpx2.AsyncClient(transport=answer) as http,
            HubSpotClient("http://127.0.0.1:9", "a-token", http=http, attempts=1, rng=Random(1)) as client,
        ):
            try:
                return await work(client)
            except HubSpotError:
                return None

    return run_in_virtual_time(run)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, the whole of it first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inside for place in places(each, (*path, key)))]


@st.composite
def broken(draw: st.DrawFn, whole: dict[str, Any]) -> bytes:
    """A good answer with one or two places spoilt, or its text cut, doubled or followed by more."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(places(document)[1:]))
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = copy.deepcopy(draw(st.sampled_from(GARBAGE)))
        else:
            del holder[path[-1]]
        if not places(document)[1:]:
            break
    text = json.dumps(document)
    match draw(st.sampled_from(("whole", "whole", "cut", "doubled", "more", "bytes"))):
        case "cut":
            text = text[: draw(st.integers(0, len(text)))]
        case "doubled":
            text = re.sub(r'("[a-zA-Z]+"): ', r"\1: null, \1: ", text, count=draw(st.integers(1, 9)))
        case "more":
            text += draw(st.sampled_from(("{}", ",", "\x00", " true", "<html>")))
        case "bytes":
            return text.encode() + draw(st.binary(min_size=1, max_size=4))
    return text.encode()


@FEWER
@given(broken(LOOK))
def test_a_look_concludes_nothing_from_garbage(body: bytes) -> None:
    found = asked(body, lambda client: read_associations(client, "0-1", "2-1", ["101", "102", "103"]))
    assert found.keys() == {"101", "102", "103"}
    said = body.decode("utf-8", "replace")
    for parent, sight in found.items():
        assert isinstance(sight, Seen | NotSeen)
        if isinstance(sight, Seen):
            assert f'"{parent}"' in said or f" {parent}" in said, "nobody spoke of it"
            assert sight.associations or "NO_ASSOCIATIONS_FOUND" in said or '"to": []' in said
            for each in sight.associations:
                assert re.fullmatch("[0-9]+", each.record_id)
                assert each.record_id in said


@FEWER
@given(broken(READ))
def test_a_read_makes_up_no_record_and_no_absence(body: bytes) -> None:
    found = asked(body, lambda client: batch_read(client, "2-1", ["900", "901", "902"], ["npi"]))
    said = body.decode("utf-8", "replace")
    assert found.keys() == {"900", "901", "902"}
    for record, reading in found.items():
        if isinstance(reading, NotRead):
            continue
        assert record in said, "nobody spoke of it"
        if isinstance(reading, Record):
            assert reading.id == record
            assert all(value is None or isinstance(value, str) for value in reading.properties.values())
        else:
            assert isinstance(reading, Missing)


@FEWER
@given(broken(UPDATE), st.sampled_from([200, 207, 201]))
def test_a_write_is_confirmed_by_a_word_about_it_and_nothing_else(body: bytes, status: int) -> None:
    inputs = [RecordInput(each, {"npi": "1"}) for each in ("900", "901", "902")]
    found = asked(body, lambda client: update_records(client, "2-1", inputs), status)
    said = body.decode("utf-8", "replace")
    assert found.keys() == {"900", "901", "902"}
    for record, verdict in found.items():
        if verdict.outcome is Outcome.WRITTEN:
            assert record in said, "nobody spoke of it"


@FEWER
@given(st.one_of(broken(SCHEMAS), broken(PROPERTIES)))
def test_names_are_read_or_told_to_be_unreadable(body: bytes) -> None:
    wanted = [WantedObject("credentialing", "credentialing")]
    found = asked(body, lambda client: read_schema(client, wanted, contact_properties=True, value_rules=True))
    if found is not None:
        for item in found.objects.values():
            assert re.fullmatch(r"[A-Za-z0-9_.:/-]+", item.type_id)
            assert all(name == known.name for name, known in item.properties.items())


@FEWER
@given(broken(ACCOUNT))
def test_an_account_is_named_by_digits_or_not_at_all(body: bytes) -> None:
    found = asked(body, account_details)
    assert found is None or re.fullmatch("[0-9]+", found.portal_id)


@FEWER
@given(broken({"id": "900", "properties": {"npi": "1"}, "archived": False}))
def test_a_single_read_names_what_became_of_it_by_digits(body: bytes) -> None:
    found = asked(body, lambda client: single_read(client, "0-1", "900"))
    assert isinstance(found, Record | Missing | NotRead)
    if isinstance(found, Record):
        assert re.fullmatch("[0-9]+", found.id)
        assert found.id in body.decode("utf-8", "replace")


@pytest.mark.parametrize("status", [200, 207, 400, 401, 403, 404, 409, 413, 423, 429, 477, 500, 521])
@settings(max_examples=10)
@given(
    broken(
        LOOK
        | {"category": "VALIDATION_ERROR", "message": "no", "correlationId": "c", "errorType": "RATE_LIMIT"}
    )
)
def test_whatever_the_status_garbage_ends_in_a_verdict_of_each(status: int, body: bytes) -> None:
    looked = asked(body, lambda client: read_associations(client, "0-1", "2-1", ["101"]), status)
    assert status in (200, 207) or isinstance(looked["101"], NotSeen)
    written = asked(
        body, lambda client: update_records(client, "2-1", [RecordInput("900", {"npi": "1"})]), status
    )
    assert status in (200, 207) or written["900"].outcome is not Outcome.WRITTEN


def test_paging_without_end_comes_to_an_end() -> None:
    """Each page names a next one: the look is given up, and its memory with it."""
    calls = 0

    async def run() -> Any:
        def page(_: httpx2.Request) -> httpx2.Response:
            nonlocal calls
            calls += 1
            more = {"paging": {"next": {"after": str(calls)}}}
            return httpx2.Response(200, json={"results": [{"from": {"id": "101"}, "to": [], **more}], **more})

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(page)) as http:
            client = HubSpotClient("http://127.0.0.1:9", "a-token", http=http, attempts=1, speed=1_000)
            sight = (await read_associations(client, "0-1", "2-1", ["101"]))["101"]
            with pytest.raises(HubSpotError):
                await read_schema(client, [WantedObject("credentialing", "credentialing")])
            return sight

    assert isinstance(run_in_virtual_time(run), NotSeen)
    assert calls < 1_200
