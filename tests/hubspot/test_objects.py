"""A batch gives every input its verdict, whichever of HubSpot's shapes the answer has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from credsync.core.verdicts import Effect, Outcome, PropertyFault, Verdict
from credsync.hubspot.objects import Missing, NotRead, Record, RecordInput, batch_read, batch_update
from tests.hubspot.scripted import CORRELATION, Asked, Reply, Scene, error, scene

pytestmark = pytest.mark.anyio

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def written(record: Any, **more: Any) -> dict[str, Any]:
    return {"id": record, "createdAt": "2026-01-02T03:04:05.678Z", "properties": {}} | more


async def write(here: Scene, *ids: str) -> dict[str, Verdict]:
    return await batch_update(
        here.client, "2-7", [RecordInput(each, {"a": "x", "b": None}, f"t{each}") for each in ids]
    )


async def test_an_input_holds_the_id_the_trace_and_an_empty_text_for_what_is_cleared() -> None:
    async with scene([Reply(200, {"results": [written("1")]})]) as here:
        await batch_update(here.client, "2-7", [RecordInput("1", {"a": "x", "b": None})])
        assert here.server.asked[0].body == {
            "inputs": [{"id": "1", "properties": {"a": "x", "b": ""}, "objectWriteTraceId": "1"}]
        }


async def test_results_are_read_by_id_in_any_order_and_tell_the_creation_time() -> None:
    body = {"results": [written("3"), written(2), written("1", createdAt="soon")]}
    async with scene([Reply(200, body)]) as here:
        verdicts = await write(here, "1", "2", "3")
    assert verdicts == {
        "1": Verdict(Outcome.WRITTEN, correlation_ids=(CORRELATION,)),
        "2": Verdict(Outcome.WRITTEN, correlation_ids=(CORRELATION,), created_at=CREATED),
        "3": Verdict(Outcome.WRITTEN, correlation_ids=(CORRELATION,), created_at=CREATED),
    }


@pytest.mark.parametrize("status", [200, 207])
async def test_missing_records_are_told_by_context_ids(status: int) -> None:
    item = {"category": "OBJECT_NOT_FOUND", "message": "secret-value", "context": {"ids": ["2", 3]}}
    body = {"results": [written("1")], "errors": [item], "numErrors": 1}
    async with scene([Reply(status, body)]) as here:
        verdicts = await write(here, "1", "2", "3")
    assert {key: each.outcome for key, each in verdicts.items()} == {
        "1": Outcome.WRITTEN,
        "2": Outcome.MISSING,
        "3": Outcome.MISSING,
    }
    assert verdicts["2"].correlation_ids == (CORRELATION,)


@pytest.mark.parametrize("trace", ["t2", ["t2"]])
async def test_a_refused_record_is_told_by_its_trace_id(trace: Any) -> None:
    item = {
        "category": "VALIDATION_ERROR",
        "code": "INVALID_OPTION",
        "message": "secret-value was not an option",
        "context": {"objectWriteTraceId": trace, "propertyName": ["a"]},
    }
    async with scene([Reply(207, {"results": [written("1"), written("2")], "errors": [item]})]) as here:
        verdicts = await write(here, "1", "2")
    assert verdicts["1"].outcome is Outcome.WRITTEN
    assert (verdicts["2"].outcome, verdicts["2"].code) == (Outcome.REFUSED, "INVALID_OPTION")
    assert verdicts["2"].faults == (
        PropertyFault("a", "INVALID_OPTION", "HubSpot refused the value of a: INVALID_OPTION"),
    )
    assert "secret-value" not in repr(verdicts)


@pytest.mark.parametrize(
    ("category", "outcome"),
    [("RATE_LIMITS", Outcome.NOT_SENT), ("INTERNAL_ERROR", Outcome.UNKNOWN), ("CONFLICT", Outcome.REFUSED)],
)
async def test_an_error_of_one_record_means_what_its_category_means(category: str, outcome: Outcome) -> None:
    item = {"category": category, "context": {"ids": ["1"]}}
    async with scene([Reply(207, {"errors": [item]})]) as here:
        assert (await write(here, "1"))["1"].outcome is outcome


async def test_a_refused_records_own_list_of_faults_is_read_wherever_it_stands() -> None:
    """In a partly failed batch an entry is a refusal of its own: nested errors, or JSON inside its message."""
    nested = {
        "category": "VALIDATION_ERROR",
        "message": "secret-value",
        "errors": [{"code": "INVALID_OPTION", "message": "secret-value", "context": {"propertyName": ["a"]}}],
        "context": {"objectWriteTraceId": ["t1"]},
    }
    hidden = {
        "category": "VALIDATION_ERROR",
        "message": 'Property values were not valid: [{"isValid":false,"message":"secret-value","error":"INVALID_LONG","name":"b"}]',
        "context": {"ids": ["2"]},
    }
    async with scene([Reply(207, {"results": [written("3")], "errors": [nested, hidden]})]) as here:
        verdicts = await write(here, "1", "2", "3")
    assert [each.outcome for each in verdicts.values()] == [
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.WRITTEN,
    ]
    assert [(each.name, each.code) for each in verdicts["1"].faults] == [("a", "INVALID_OPTION")]
    assert [(each.name, each.code) for each in verdicts["2"].faults] == [("b", "INVALID_LONG")]
    assert "secret-value" not in repr(verdicts)


NOBODYS = {"category": "VALIDATION_ERROR", "code": "INVALID_DATE", "context": {"propertyName": ["a"]}}


@pytest.mark.parametrize(
    ("answered", "errors", "outcome", "named"),
    [
        (["1", "2"], [NOBODYS], Outcome.REFUSED, ["a"]),
        (["1"], [NOBODYS, NOBODYS], Outcome.REFUSED, []),
        (["1"], [NOBODYS], Outcome.UNKNOWN, []),
        (["1", "2"], [NOBODYS | {"category": "INTERNAL_ERROR", "code": ""}], Outcome.UNKNOWN, []),
        (["1", "2"], [], Outcome.UNKNOWN, []),
    ],
)
async def test_an_error_that_names_no_record_is_that_of_the_one_without_a_verdict(
    answered: list[str], errors: list[Any], outcome: Outcome, named: list[str]
) -> None:
    """Of several only when there are as many such errors; else nobody knows, and the record is read back."""
    body = {"results": [written(each) for each in answered], "errors": errors}
    async with scene([Reply(207, body)]) as here:
        verdicts = await write(here, "1", "2", "3")
    assert verdicts["3"].outcome is outcome
    assert [each.name for each in verdicts["3"].faults] == named
    assert {verdicts[each].outcome for each in answered} == {Outcome.WRITTEN}


async def test_a_404_is_that_of_the_records_it_names() -> None:
    """A path that is gone is no record's fault: nobody is refused for good because of it."""
    body = {"errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["2"]}}]}
    async with scene([error(404, "OBJECT_NOT_FOUND", **body)]) as here:
        verdicts = await write(here, "1", "2")
        alone = await write(here, "7")
    assert verdicts["1"].outcome is Outcome.NOT_SENT
    assert verdicts["2"].outcome is alone["7"].outcome is Outcome.MISSING


async def test_a_result_that_is_archived_is_no_record_any_more() -> None:
    """It took the values with it into the bin."""
    async with scene([Reply(200, {"results": [written("1", archived=True)]})]) as here:
        assert (await write(here, "1"))["1"].outcome is Outcome.MISSING


async def test_a_result_under_a_new_id_is_known_by_its_trace() -> None:
    """A merged record answers under the id it was merged into."""
    async with scene([Reply(200, {"results": [written("99", objectWriteTraceId="t1")]})]) as here:
        assert (await write(here, "1"))["1"].outcome is Outcome.WRITTEN


async def test_a_record_without_a_verdict_is_unknown() -> None:
    async with scene([Reply(200, {"results": [written("1"), written("7"), "x"]})]) as here:
        verdicts = await write(here, "1", "2")
    assert set(verdicts) == {"1", "2"}
    assert (verdicts["2"].outcome, verdicts["2"].code) == (Outcome.UNKNOWN, "no_verdict")
    assert verdicts["2"].correlation_ids == (CORRELATION,)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {}),
        Reply(200, {"results": []}),
        Reply(207, {"status": "COMPLETE"}),
        Reply(200, ""),
        Reply(204),
    ],
)
async def test_a_good_status_with_nothing_in_it_leaves_all_unknown(reply: Reply) -> None:
    async with scene([reply]) as here:
        verdicts = await write(here, "1", "2")
        assert len(here.server.asked) == 1
    assert {(each.outcome, each.code, each.correlation_ids) for each in verdicts.values()} == {
        (Outcome.UNKNOWN, "empty_answer", (CORRELATION,))
    }


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [
        (error(401), Outcome.NOT_SENT, "unauthorized"),
        (error(403, "MISSING_SCOPES"), Outcome.NOT_SENT, "missing_scopes"),
        (error(429, policyName="DAILY"), Outcome.NOT_SENT, "rate_limited_daily"),
        (error(429), Outcome.NOT_SENT, "rate_limited"),
        (error(404), Outcome.NOT_SENT, "not_found"),
        (error(409), Outcome.REFUSED, "conflict"),
        (error(400), Outcome.REFUSED, "VALIDATION_ERROR"),
        (error(503), Outcome.UNKNOWN, "server_error"),
        (Reply(200, "<html>"), Outcome.UNKNOWN, "garbled_answer"),
        (Reply(raw=b""), Outcome.UNKNOWN, "disconnected"),
    ],
)
async def test_a_call_that_failed_is_the_verdict_of_all_and_raises_nothing(
    reply: Reply, outcome: Outcome, code: str
) -> None:
    async with scene([reply]) as here:
        verdicts = await write(here, "1", "2")
    assert {(each.outcome, each.code) for each in verdicts.values()} == {(outcome, code)}
    assert (verdicts["1"].retry_after is not None) is code.startswith("rate_limited")
    assert "secret-value" not in repr(verdicts)


async def test_a_record_stands_in_a_batch_once_and_a_batch_holds_a_hundred() -> None:
    async with scene([Reply()]) as here:
        with pytest.raises(AssertionError, match="once"):
            await write(here, "1", "1")
        with pytest.raises(AssertionError, match="100"):
            await write(here, *map(str, range(101)))


async def test_reading_tells_records_from_missing_ones_and_from_silence() -> None:
    item = {"category": "OBJECT_NOT_FOUND", "message": "…", "context": {"ids": ["2"]}}
    other = {"category": "VALIDATION_ERROR", "context": {"ids": ["5"]}}
    results = [
        written("1", properties={"stage": "attested", "gone": None, "odd": 7}),
        written("4", archived=True),
        written("6", createdAt=None, properties={"hs_createdate": "2026-01-02T03:04:05.678Z"}),
    ]
    async with scene([Reply(207, {"results": results, "errors": [item, other]})]) as here:
        found = await batch_read(here.client, "2-7", ["1", "2", "3", "4", "5", "6"], ["stage", "gone"])
        assert here.server.asked[0].body["properties"] == ["stage", "gone"]
    assert found["1"] == Record("1", {"stage": "attested", "gone": None}, CREATED)
    assert found["2"] == found["4"] == Missing()
    assert found["3"] == NotRead("unanswered", "HubSpot's answer does not mention this record")
    assert (found["5"].code, found["5"].effect) == ("validation_error", Effect.REFUSED)  # type: ignore[union-attr]
    assert found["6"].created_at == CREATED  # type: ignore[union-attr]


async def test_reading_goes_in_hundreds_and_a_failure_hits_its_own() -> None:
    def handle(asked: Asked) -> Reply:
        return (
            error(500) if "0" in asked.ids else Reply(200, {"results": [written(each) for each in asked.ids]})
        )

    async with scene(handle) as here:
        found = await batch_read(here.client, "2-7", [*map(str, range(250)), "0"], [])
        assert {len(each.ids) for each in here.server.asked} == {100, 50}
    assert len(found) == 250
    assert [each for each in found if isinstance(found[each], NotRead)] == [str(each) for each in range(100)]
