"""A look gives every parent its Sight, and never takes an absence from an answer that did not give one."""

from __future__ import annotations

from typing import Any

import pytest

from credsync.core.observations import Association, NotSeen, Seen
from credsync.core.verdicts import Effect
from credsync.hubspot.associations import read_associations
from credsync.hubspot.wire import type_key
from tests.hubspot.scripted import Asked, Reply, Scene, error, scene

pytestmark = pytest.mark.anyio

UNLABELLED = {"category": "HUBSPOT_DEFINED", "typeId": 12, "label": None}
ACTIVE = {"category": "USER_DEFINED", "typeId": 12, "label": "Active Attested"}
MOVING = {"category": "USER_DEFINED", "typeId": 13, "label": "Processing for Move"}


def target(record: Any, *types: Any) -> dict[str, Any]:
    return {"toObjectId": record, "associationTypes": list(types or [UNLABELLED])}


def result(parent: Any, *targets: Any, after: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = {"from": {"id": parent}, "to": list(targets)}
    return found | ({"paging": {"next": {"after": after, "link": "x"}}} if after is not None else {})


def nothing(*parents: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": "No credentialing is associated with contact.",
        "context": {"fromObjectId": list(parents), "fromObjectType": ["contact"]},
    }


def answer(*results: Any, errors: Any = (), status: int = 200) -> Reply:
    body: dict[str, Any] = {"status": "COMPLETE", "results": list(results)}
    return Reply(status, body | ({"errors": list(errors), "numErrors": len(errors)} if errors else {}))


async def look(here: Scene, *parents: str) -> dict[str, Any]:
    return dict(await read_associations(here.client, "0-1", "2-7", parents))


@pytest.mark.parametrize("status", [200, 207])
async def test_who_has_something_and_who_has_nothing_yet(status: int) -> None:
    """An error NO_ASSOCIATIONS_FOUND means "not yet", in a 207 and folded into a 200."""
    reply = answer(
        result("1", target(33545759309, UNLABELLED, ACTIVE)), errors=[nothing("2", "3")], status=status
    )
    async with scene([reply]) as here:
        seen = await look(here, "1", "2", "3")
        assert here.server.asked[0].body == {"inputs": [{"id": "1"}, {"id": "2"}, {"id": "3"}]}
        assert here.server.asked[0].path == "/crm/associations/2026-09/0-1/2-7/batch/read"
    assert seen == {
        "1": Seen((Association("33545759309", frozenset({"HUBSPOT_DEFINED:12", "12"})),)),
        "2": Seen(),
        "3": Seen(),
    }


def test_a_portals_own_label_and_hubspots_with_the_same_number_differ() -> None:
    assert type_key("USER_DEFINED", 12) == type_key("USER_DEFINED", "12") == "12"
    assert type_key("HUBSPOT_DEFINED", 12) == "HUBSPOT_DEFINED:12"
    assert type_key("INTEGRATOR_DEFINED", 12) == "INTEGRATOR_DEFINED:12"
    assert type_key(None, 12) is type_key("USER_DEFINED", True) is type_key("USER_DEFINED", 1.5) is None


@pytest.mark.parametrize("record", ["123", 123, 10**300])
async def test_a_record_id_is_digits_whatever_its_length_or_spelling(record: Any) -> None:
    async with scene([answer(result(1, target(record)))]) as here:
        seen = await look(here, "1")
    assert [each.record_id for each in seen["1"].associations] == [str(record)]


GARBLED = [
    result("1", target(True)),
    result("1", target(12.0)),
    result("1", target(-5)),
    result("1", target("12a")),
    result("1", target("١٢")),
    result("1", target(None)),
    result("1", {"toObjectId": 5}),
    result("1", {"toObjectId": 5, "associationTypes": [{"typeId": "x"}]}),
    result("1", "5"),
    {"from": {"id": "1"}},
    {"from": {"id": "1"}, "to": {"toObjectId": 5}},
]


@pytest.mark.parametrize("garbled", GARBLED)
async def test_what_cannot_be_read_of_one_parent_is_not_seen_and_leaves_the_others(garbled: Any) -> None:
    async with scene([answer(garbled, result("2", target(5)))]) as here:
        seen = await look(here, "1", "2")
    assert seen["1"].code == "garbled"
    assert isinstance(seen["2"], Seen)


async def test_a_parent_that_is_not_mentioned_is_not_seen() -> None:
    stray = {"category": "INTERNAL_ERROR", "message": "secret-value"}
    async with scene([answer(result("1", target(5)), result("9", target(6)), errors=[stray])]) as here:
        seen = await look(here, "1", "2")
    assert set(seen) == {"1", "2"}
    assert seen["2"] == NotSeen(
        "unanswered",
        "HubSpot's answer does not mention this parent; it speaks of INTERNAL_ERROR",
        Effect.NOT_SENT,
    )


@pytest.mark.parametrize("turn", [1, -1])
async def test_an_error_of_another_kind_is_not_an_absence(turn: int) -> None:
    other = {"category": "VALIDATION_ERROR", "code": "INVALID_OBJECT_ID", "context": {"fromObjectId": ["1"]}}
    async with scene(
        [answer(result("1", target(5)), errors=[nothing("1"), other][::turn], status=207)]
    ) as here:
        seen = await look(here, "1")
    assert (seen["1"].code, seen["1"].effect) == ("invalid_object_id", Effect.REFUSED)


@pytest.mark.parametrize(
    "body", [{}, {"results": []}, {"results": None, "errors": {}}, {"status": "PENDING"}]
)
async def test_an_answer_with_neither_results_nor_errors_shows_nobody(body: Any) -> None:
    async with scene([Reply(200, body)]) as here:
        seen = await look(here, "1", "2")
    assert {each.code for each in seen.values()} == {"unanswered"}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, "<html>"), "garbled_answer"),
        (Reply(200, ""), "empty_answer"),
        (error(500), "server_error"),
        (Reply(raw=b""), "disconnected"),
        (error(400), "invalid"),
        (error(429), "rate_limited"),
        (error(404), "not_found"),
    ],
)
async def test_a_call_that_failed_is_the_sight_of_its_whole_chunk_and_no_other(
    reply: Reply, code: str
) -> None:
    def handle(asked: Asked) -> Reply:
        return reply if "0" in asked.ids else answer(errors=[nothing(*asked.ids)])

    async with scene(handle) as here:
        seen = await look(here, *map(str, range(1500)))
    assert {each.code for each in list(seen.values())[:1000]} == {code}
    assert set(list(seen.values())[1000:]) == {Seen()}
    assert seen["0"].effect is (Effect.REFUSED if code in ("invalid", "not_found") else Effect.NOT_SENT)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(401), "unauthorized"),
        (error(403, "MISSING_SCOPES"), "missing_scopes"),
        (error(429, policyName="DAILY"), "rate_limited_daily"),
    ],
)
async def test_once_the_token_or_the_day_is_gone_the_rest_is_not_asked(reply: Reply, code: str) -> None:
    async with scene([reply]) as here:
        seen = await look(here, *map(str, range(2500)))
        assert len(here.server.asked) == 1
    assert {(each.code, each.effect) for each in seen.values()} == {(code, Effect.NOT_SENT)}
    assert len(seen) == 2500
    assert (seen["0"].retry_after is not None) is (code == "rate_limited_daily")


async def test_a_call_asks_for_a_thousand_and_for_each_only_once() -> None:
    """A call costs the same for 1 and for 1,000 contacts: one call per 1,000."""
    async with scene(lambda asked: answer(errors=[nothing(*asked.ids)])) as here:
        seen = await look(here, *map(str, range(2001)), "0", "1")
        assert [len(each.ids) for each in here.server.asked] == [1000, 1000, 1]
    assert len(seen) == 2001


async def test_nobody_to_look_at_is_no_call() -> None:
    async with scene([answer()]) as here:
        assert await look(here) == {}
        assert here.server.asked == []


async def test_pages_of_different_parents_travel_together_and_are_put_together() -> None:
    first = answer(
        result("1", target(10), target(11, ACTIVE), after="a1"),
        result("2", target(20), after=77),
        result("3", target(30)),
    )
    second = answer(result("1", target(11, MOVING), target(12), after="a2"), result("2", target(21)))
    async with scene([first, second, answer(result("1", target(13)))]) as here:
        seen = await look(here, "1", "2", "3")
        assert [each.body["inputs"] for each in here.server.asked[1:]] == [
            [{"id": "1", "after": "a1"}, {"id": "2", "after": "77"}],
            [{"id": "1", "after": "a2"}],
        ]
    assert [each.record_id for each in seen["1"].associations] == ["10", "11", "12", "13"]
    assert seen["1"].associations[1].type_ids == {"12", "13"}
    assert [each.record_id for each in seen["2"].associations] == ["20", "21"]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (error(500), "server_error"),
        (answer(), "unanswered"),
        (answer(errors=[nothing("1")]), "unanswered"),
        (answer(result("1", target(True))), "garbled"),
        (answer(result("1", target(11), after="a1")), "garbled"),
    ],
)
async def test_half_a_list_is_not_taken_for_the_whole(second: Reply, code: str) -> None:
    """The last: a cursor that comes again would lead round in a circle."""
    first = answer(result("1", target(10), after="a1"), result("2", target(20)))
    async with scene([first, second]) as here:
        seen = await look(here, "1", "2")
    assert seen["1"].code == code
    assert isinstance(seen["2"], Seen)


async def test_a_parent_told_twice_in_one_answer_is_put_together() -> None:
    async with scene([answer(result("1", target(10)), result("1", target(10, ACTIVE), target(11)))]) as here:
        seen = await look(here, "1")
    assert [(each.record_id, len(each.type_ids)) for each in seen["1"].associations] == [("10", 2), ("11", 1)]
