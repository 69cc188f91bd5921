"""What each answer, and each lack of one, becomes; how often it was asked; and what never shows."""

from __future__ import annotations

import contextlib
import gzip
import traceback
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from credsync.core.verdicts import Effect
from credsync.hubspot import errors
from credsync.hubspot.client import CallRecord, HubSpotClient, Timeouts
from credsync.hubspot.pacing import Pacing
from credsync.hubspot.paths import Bucket
from tests.hubspot.scripted import CORRELATION, TOKEN, FakeTime, Reply, Scene, error, scene

pytestmark = pytest.mark.anyio

GOOD = Reply(200, {"results": []})
HTML = Reply(200, "<html><body>Just a moment…</body></html>", {"content-type": "text/html"})
NOT_SENT, REFUSED, UNKNOWN = Effect.NOT_SENT, Effect.REFUSED, Effect.UNKNOWN
QUICK = Timeouts(connect=2.0, read=0.3, write=2.0, pool=2.0, total=0.5)


async def read(here: Scene) -> Any:
    return await here.client.call(here.client.routes.batch_read("2-1"), {"inputs": []})


async def write(here: Scene) -> Any:
    return await here.client.call(here.client.routes.batch_update("2-1"), {"inputs": []})


async def failure(here: Scene, call: Any = write) -> errors.HubSpotError:
    with pytest.raises(errors.HubSpotError) as caught:
        await call(here)
    return caught.value


async def test_an_answer_carries_its_body_status_headers_and_correlation_id() -> None:
    async with scene([Reply(207, {"results": [1]}, {"x-hubspot-ratelimit-remaining": "9"})]) as here:
        answer = await read(here)
    assert (answer.status, answer.body, answer.correlation_id) == (207, {"results": [1]}, CORRELATION)
    assert answer.headers["X-HubSpot-RateLimit-Remaining"] == "9"


async def test_a_call_says_who_asks_and_with_which_token() -> None:
    async with scene([GOOD]) as here:
        await write(here)
        asked = here.server.asked[0]
    assert asked.headers["user-agent"].startswith("credsync/")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["content-type"] == "application/json"
    assert (asked.method, asked.path) == ("POST", "/crm/objects/2026-09/2-1/batch/update")


async def test_one_connection_serves_call_after_call() -> None:
    async with scene([GOOD, error(404), GOOD, error(400), GOOD], http=None) as here:
        for _ in range(5):
            with contextlib.suppress(errors.HubSpotError):
                await read(here)
        assert here.server.connections == 1


NEVER_AGAIN = [
    (error(400), errors.Invalid, "invalid", REFUSED),
    (error(413), errors.Invalid, "invalid", REFUSED),
    (error(401, "INVALID_AUTHENTICATION"), errors.Unauthorized, "unauthorized", NOT_SENT),
    (error(403, "FORBIDDEN"), errors.Forbidden, "forbidden", NOT_SENT),
    (error(404, "OBJECT_NOT_FOUND"), errors.NotFound, "not_found", REFUSED),
    (error(409, "CONFLICT"), errors.Conflict, "conflict", REFUSED),
    (error(405), errors.Rejected, "rejected", REFUSED),
    (Reply(404, "<html>"), errors.NotFound, "not_found", NOT_SENT),
    (Reply(400, "<html>"), errors.Unavailable, "garbled_answer", NOT_SENT),
    (Reply(401, ""), errors.Unauthorized, "unauthorized", NOT_SENT),
    (Reply(403, "<html>"), errors.Forbidden, "forbidden", NOT_SENT),
    (Reply(302, "", {"location": "http://127.0.0.1:1/"}), errors.Unavailable, "redirected", NOT_SENT),
    (Reply(505, "no"), errors.Unavailable, "server_error", UNKNOWN),
    (Reply(408, ""), errors.Unavailable, "timeout", UNKNOWN),
]


@pytest.mark.parametrize(("reply", "kind", "code", "effect"), NEVER_AGAIN)
async def test_what_would_fail_again_is_asked_once(
    reply: Reply, kind: type[errors.HubSpotError], code: str, effect: Effect
) -> None:
    async with scene([reply, GOOD]) as here:
        found = await failure(here)
        assert len(here.server.asked) == 1
    assert (type(found), found.code, found.effect, found.status) == (kind, code, effect, reply.status)
    assert found.correlation_id == CORRELATION
    assert found.attempts == 1
    assert here.time.slept == []


PASSING = [423, 429, 477, 500, 501, 502, 503, 504, 521, 522, 523, 524]


@pytest.mark.parametrize("status", PASSING)
@pytest.mark.parametrize("call", [read, write])
async def test_what_may_pass_is_asked_again_until_it_has(status: int, call: Any) -> None:
    async with scene([error(status), error(status), GOOD] if status != 429 else [error(429), GOOD]) as here:
        assert (await call(here)).status == 200
        assert len(here.server.asked) == (2 if status == 429 else 3)
    assert 0 < sum(here.time.slept) <= 15.5


@pytest.mark.parametrize("status", [*PASSING, 0])
async def test_trying_again_has_an_end_in_number_and_in_time(status: int) -> None:
    """At most five attempts and about 15 s of waiting."""
    async with scene([error(status) if status else Reply(raw=b"")]) as here:
        found = await failure(here)
        assert 2 <= len(here.server.asked) <= 5
        assert found.attempts == len(here.server.asked)
    assert sum(here.time.slept) <= 15.5
    assert found.effect is (NOT_SENT if status in (423, 429, 477) else UNKNOWN)


@pytest.mark.parametrize("status", [423, 429, 500])
async def test_a_failed_read_changed_nothing(status: int) -> None:
    async with scene([error(status)]) as here:
        assert (await failure(here, read)).effect is NOT_SENT


async def test_waits_run_faster_with_the_speed_of_the_sandbox() -> None:
    async with scene([error(423), GOOD], speed=10.0) as here:
        await read(here)
    assert 0.2 <= sum(here.time.slept) <= 0.3


async def test_a_locked_record_is_given_two_seconds() -> None:
    async with scene([error(423), GOOD]) as here:
        await write(here)
    assert 2 <= here.time.slept[0] <= 2.5


async def test_an_account_being_moved_is_given_the_time_it_names() -> None:
    async with scene([Reply(477, {}, {"retry-after": "7"}), GOOD]) as here:
        await write(here)
    assert 7 <= here.time.slept[0] <= 7.5


async def test_a_wait_longer_than_the_budget_is_the_callers() -> None:
    async with scene([Reply(477, {}, {"retry-after": "3600"})]) as here:
        found = await failure(here)
        assert len(here.server.asked) == 1
    assert (found.code, found.retry_after, here.time.slept) == ("migrating", 3600, [])


@pytest.mark.parametrize(("headers", "pause"), [({}, 10.0), ({"retry-after": "3"}, 3.0)])
async def test_a_met_rate_limit_pauses_its_bucket_and_only_that(
    headers: dict[str, str], pause: float
) -> None:
    limited = Reply(429, {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}, headers)
    async with scene([limited, GOOD]) as here:
        before = here.time.at
        await read(here)
        assert here.time.at - before == pytest.approx(pause)
        assert here.client.pacing.paused_for(Bucket.ASSOCIATIONS) == 0


async def test_a_rate_limit_met_again_and_again_is_told_with_its_policy() -> None:
    async with scene([error(429, "RATE_LIMITS", policyName="TEN_SECONDLY_ROLLING")]) as here:
        found = await failure(here)
    assert isinstance(found, errors.RateLimited)
    assert (found.policy, found.daily, found.code, found.retry_after) == (
        "TEN_SECONDLY_ROLLING",
        False,
        "rate_limited",
        10.0,
    )


async def test_a_long_pause_is_told_to_the_next_caller_instead_of_slept() -> None:
    async with scene([Reply(429, {}, {"retry-after": "600"}), GOOD]) as here:
        assert (await failure(here)).retry_after == 600
        found = await failure(here)
        assert len(here.server.asked) == 1
    assert (found.code, found.effect, found.attempts) == ("rate_limited", NOT_SENT, 0)
    assert found.retry_after == pytest.approx(600)


DAILY = [
    error(429, "RATE_LIMITS", policyName="DAILY"),
    error(429, "RATE_LIMITS", message="You have reached your daily limit."),
    Reply(429, {}, {"x-hubspot-ratelimit-daily-remaining": "0"}),
]


@pytest.mark.parametrize("reply", DAILY)
async def test_the_daily_limit_is_told_at_once_and_ends_at_midnight_of_the_account(reply: Reply) -> None:
    """Seen at 23:00 in New York, where it is already the next day in UTC."""
    async with scene([reply], now=lambda: datetime(2026, 11, 1, 3, 0, tzinfo=UTC)) as here:
        here.client.time_zone = ZoneInfo("America/New_York")
        first, second = await failure(here), await failure(here, read)
        assert len(here.server.asked) == 1, "nothing is sent on that day any more"
    for found in (first, second):
        assert isinstance(found, errors.RateLimited)
        assert (found.daily, found.code, found.effect) == (True, "rate_limited_daily", NOT_SENT)
        assert found.retry_after == 3605, "HubSpot's clock may be a little behind ours"
    assert here.time.slept == []


async def test_missing_scopes_are_named() -> None:
    entry = {"message": "…", "context": {"requiredGranularScopes": ["crm.objects.custom.write", "crm.x"]}}
    async with scene([error(403, "MISSING_SCOPES", errors=[entry])]) as here:
        found = await failure(here)
    assert isinstance(found, errors.MissingScopes)
    assert (found.code, found.scopes) == ("missing_scopes", ("crm.objects.custom.write", "crm.x"))
    assert "crm.objects.custom.write" in found.message


NONSENSE = [
    (HTML, "garbled_answer"),
    (Reply(200, b"\xff\xfe\x00{"), "garbled_answer"),
    (Reply(200, "[1, 2]"), "garbled_answer"),
    (Reply(200, "[" * 100_000), "garbled_answer"),
    (Reply(200, '{"id": ' + "9" * 5000 + "}"), "garbled_answer"),
    (Reply(200, b"no gzip", {"content-encoding": "gzip"}), "garbled_answer"),
    (Reply(200, ""), "empty_answer"),
    (Reply(200, "  \n"), "empty_answer"),
    (Reply(204), "empty_answer"),
]


@pytest.mark.parametrize(("reply", "code"), NONSENSE)
async def test_nonsense_is_asked_again_by_a_read_and_leaves_a_write_unknown(reply: Reply, code: str) -> None:
    async with scene([reply, GOOD]) as here:
        assert (await read(here)).status == 200
        assert len(here.server.asked) == 2
    async with scene([reply, GOOD]) as here:
        found = await failure(here, write)
        assert len(here.server.asked) == 1
    assert (found.code, found.effect) == (code, UNKNOWN)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    bomb = Reply(200, gzip.compress(b" " * 5_000_000), {"content-encoding": "gzip"})
    for reply in (bomb, Reply(200, b" " * 300_000)):
        async with scene([reply], most_bytes=100_000) as here:
            found = await failure(here)
            assert len(here.server.asked) == 1
        assert (found.code, found.effect) == ("too_large", UNKNOWN)


async def test_a_good_answer_may_be_packed() -> None:
    async with scene([Reply(200, gzip.compress(b'{"results": []}'), {"content-encoding": "gzip"})]) as here:
        assert (await read(here)).body == {"results": []}


BROKEN = [
    (Reply(raw=b""), "disconnected"),
    (Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"), "disconnected"),
    (Reply(raw=b"this is not HTTP\r\n\r\n"), "disconnected"),
    (Reply(200, "{}", delay=2.0), "timeout"),
    (Reply(200, '{"results": [1, 2, 3, 4, 5, 6, 7]}', drip=0.05), "timeout"),
]


@pytest.mark.parametrize(("reply", "code"), BROKEN)
async def test_a_broken_or_too_slow_answer_is_asked_for_again_and_else_in_doubt(
    reply: Reply, code: str
) -> None:
    """Only what is to time out is given little time: on a busy machine the others must not time out, too."""
    timeouts = QUICK if code == "timeout" else None
    async with scene([reply, GOOD], timeouts=timeouts) as here:
        assert (await write(here)).status == 200
        await here.server.was_asked(2)
    async with scene([reply], timeouts=timeouts, attempts=2) as here:
        found = await failure(here)
        await here.server.was_asked(2)
    assert (found.code, found.effect, found.status) == (code, UNKNOWN, None)


async def test_nobody_there_means_nothing_was_sent() -> None:
    async with scene([GOOD]) as here:
        url = here.server.url
    fake = FakeTime()
    async with HubSpotClient(url, TOKEN, clock=fake.clock, sleep=fake.sleep) as client:
        with pytest.raises(errors.Unavailable) as caught:
            await client.call(client.routes.batch_update("2-1"), {})
    assert (caught.value.code, caught.value.effect, caught.value.attempts) == ("unreachable", NOT_SENT, 5)


async def test_what_the_first_attempt_may_have_done_stays_in_doubt() -> None:
    """A time-out and then a 401: the second was turned away, the first may have written."""
    async with scene([Reply(raw=b""), error(401)]) as here:
        assert (await failure(here)).effect is UNKNOWN
    async with scene([Reply(raw=b""), error(400)]) as here:
        assert (await failure(here)).effect is REFUSED


@pytest.mark.parametrize("reply", [row[0] for row in (*NEVER_AGAIN, *BROKEN)] + [HTML, *DAILY])
async def test_neither_the_token_nor_what_hubspot_quotes_is_in_an_error(reply: Reply) -> None:
    async with scene([reply], timeouts=QUICK, attempts=1) as here:
        found = await failure(here)
        shown = (
            "".join(traceback.format_exception(found)) + repr(found) + repr(vars(found)) + repr(here.client)
        )
        shown += repr(vars(here.client)) + repr(vars(here.client._exchange))
    assert TOKEN not in shown
    assert "secret-value" not in shown


@pytest.mark.parametrize("token", ["", "has blank", "new\nline", "ümlaut"])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        HubSpotClient("https://api.hubapi.com", token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("url", ["api.hubapi.com", "ftp://x", "https://me:pw@host", "https://host?x=1", ""])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        HubSpotClient(url, TOKEN)


async def test_every_attempt_is_told_to_the_observer_and_takes_a_seat() -> None:
    told: list[CallRecord] = []
    fake = FakeTime()
    pacing = Pacing(2, clock=fake.clock, sleep=fake.sleep)
    async with scene([error(500), error(500), GOOD], pacing=pacing, on_call=told.append) as here:
        before = fake.at
        await here.client.call(here.client.routes.batch_update("2-1"), {"inputs": []}, inputs=7)
        assert fake.at - before == pytest.approx(10.05), "the third attempt waited for a seat"
    assert [(each.status, each.code, each.attempt, each.inputs) for each in told] == [
        (500, "server_error", 1, 7),
        (500, "server_error", 2, 7),
        (200, "", 3, 7),
    ]
    assert told[0].template == "/crm/objects/2026-09/{type}/batch/update"
    assert told[0].correlation_id == CORRELATION


async def test_a_given_pool_is_used_and_left_open() -> None:
    async with httpx2.AsyncClient() as pool, scene([GOOD], http=pool) as here:
        await read(here)
        await here.client.aclose()
        assert not pool.is_closed


async def test_faults_are_read_from_errors_and_from_the_json_in_the_message() -> None:
    hidden = (
        'Property values were not valid: [{"isValid":false,"message":"secret-value-42 was not a valid long.",'
        '"error":"INVALID_LONG","name":"age"},{"isValid":false,"message":"no","error":"PROPERTY_DOESNT_EXIST","name":"b"}]'
    )
    entry = {"message": "no", "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["b"]}}
    async with scene([error(400, message=hidden, errors=[entry])]) as here:
        found = await failure(here)
    assert [(each.code, each.properties) for each in found.items] == [
        ("PROPERTY_DOESNT_EXIST", ("b",)),
        ("INVALID_LONG", ("age",)),
    ]
    assert "INVALID_LONG" in str(found)
    assert "secret-value" not in str(found) + repr(found.items)


@pytest.mark.parametrize("message", ["[{", "x: [{]", "[{}]", "[{" * 9000, None, 7])
async def test_a_message_that_holds_no_list_says_nothing(message: Any) -> None:
    async with scene([error(400, message=message, errors="no", context=[])]) as here:
        assert (await failure(here)).items == ()


async def test_who_may_no_longer_call_makes_no_attempt_more_not_even_a_second() -> None:
    """A process that was frozen in the middle of a round sends nothing of what is left of it."""

    class NoLongerOurs(Exception):
        pass

    allowed = [True, False]

    def guard() -> None:
        if not allowed.pop(0):
            raise NoLongerOurs

    async with scene([error(503), GOOD]) as here:
        here.client.guard = guard
        with pytest.raises(NoLongerOurs):
            await write(here)
        assert len(here.server.asked) == 1
