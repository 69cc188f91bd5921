"""The one seam of live questions: every call read-only, from the reserve, within the patience of whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import anyio
import pytest
from sqlalchemy import func, select

from credsync.hubspot.errors import HubSpotError, RateLimited, Unavailable
from credsync.hubspot.paths import Route, Routes
from credsync.operate.live import AskLater, Live, ReserveUsedUp
from credsync.settings import SettingsError
from credsync.store.database import Database
from credsync.store.live_reads import SEATS
from credsync.store.tables import live_reads
from tests.operate.scene import portal_of
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio
SPEED = 20.0
WINDOW = 10.0 / SPEED


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """With the machine's own clock."""
    opened = Database(database_url)
    yield opened
    opened.close()


def live_to(sandbox: Driver, database: Database, speed: float = SPEED) -> Live:
    return Live(database, {"alpha": portal_of(sandbox.url)}, lambda _: "a-token", speed)


def account_of(number: int) -> Route:
    """A call that differs from every other."""
    return Routes().single_read("0-1", str(number))


async def ask(live: Live, patience: float, *routes: Route, about: str = "a question") -> list[str]:
    """The code of each call's end; empty for one that was answered, if only with "no such contact"."""
    codes = []
    async with live.asking("alpha", about, patience) as asking:
        for route in routes:
            try:
                await asking.client.call(route)
                codes.append("")
            except HubSpotError as error:
                codes.append(error.code)
    return [code.replace("not_found", "") for code in codes]


def calls(sandbox: Driver) -> list[datetime]:
    """When HubSpot got each call."""
    listed = sandbox.do("/requests", method="GET")["requests"]
    return sorted(datetime.fromisoformat(each["at"]) for each in listed)


@pytest.fixture
async def known(sandbox: Driver, database: Database) -> Live:
    """Questions to a portal whose names are kept; no call is counted yet."""
    live = live_to(sandbox, database)
    async with live.asking("alpha", "names", 5.0) as asking:
        assert asking.names is not None
    sandbox.do("/requests", method="DELETE")
    with database.write() as connection:
        connection.execute(live_reads.delete())
    return live


async def test_hubspot_gets_no_more_than_four_calls_in_any_window(
    known: Live, sandbox: Driver, database: Database
) -> None:
    """People's questions are at most four calls in any window of ten seconds, over all processes.

    However many ask at once; those who wait get their turn.
    """
    other = live_to(sandbox, database)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            for number in range(1, 4):
                for live, base in ((known, 100), (other, 200)):
                    routes = [account_of(base * number + each) for each in range(2)]
                    tasks.start_soon(lambda a=live, b=routes: ask(a, 20.0, *b))  # type: ignore[misc]
    got = calls(sandbox)
    assert len(got) == 12
    for first, fifth in zip(got, got[SEATS:], strict=False):
        assert fifth - first >= timedelta(seconds=WINDOW)


async def test_who_has_no_patience_hears_when_to_ask_again(known: Live, sandbox: Driver) -> None:
    """The fifth call would have to wait longer than its asker does; HubSpot never gets it."""
    slow = live_to(sandbox, known.database, speed=1.0)
    codes = await ask(slow, 5.0, *map(account_of, range(1, 7)))
    assert codes == [""] * 4 + ["reserve_used_up"] * 2
    assert len(calls(sandbox)) == 4
    async with slow.asking("alpha", "another", 5.0) as asking:
        with pytest.raises(ReserveUsedUp) as told:
            await asking.client.call(account_of(9))
        assert 0 < (told.value.retry_after or 0) <= 10
        with pytest.raises(AskLater, match="Ask again in") as later:
            _ = asking.cut_short
    assert 0 < later.value.seconds <= 10


async def test_ten_seconds_of_patience_reach_the_next_seats(known: Live, sandbox: Driver) -> None:
    """What the command line has is as long as the window: its question is finished in one go."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        with known.database.write() as connection:
            connection.execute(live_reads.delete())

    live = Live(known.database, known.portals, lambda _: "a-token", 1.0, sleep)
    assert await ask(live, 10.0, *map(account_of, range(1, 7))) == [""] * 6
    assert len(waited) == 1
    assert 5 < waited[0] <= 10


async def test_an_unfinished_question_goes_on_where_it_stopped(known: Live, sandbox: Driver) -> None:
    """An answered call is not made again; another question knows nothing of it."""
    slow = live_to(sandbox, known.database, speed=1.0)
    routes = [
        Routes().schemas(),
        Routes().account(),
        Routes().properties("0-1"),
        account_of(1),
        account_of(2),
    ]
    assert (await ask(slow, 5.0, *routes))[-1] == "reserve_used_up"
    with known.database.write() as connection:
        connection.execute(live_reads.delete())
    sandbox.do("/requests", method="DELETE")
    assert await ask(slow, 5.0, *routes[:3]) == [""] * 3
    assert calls(sandbox) == []
    assert await ask(slow, 5.0, routes[0]) == [""]
    assert len(calls(sandbox)) == 1, "a question that was finished is forgotten"


async def test_a_question_changes_nothing_in_hubspot(known: Live, sandbox: Driver) -> None:
    """There is no way to write through it."""
    async with known.asking("alpha", "q", 5.0) as asking:
        with pytest.raises(ValueError, match="changes nothing"):
            await asking.client.call(Routes().batch_update("2-101"), {"inputs": []})
    assert calls(sandbox) == []


async def test_a_hubspot_that_hangs_costs_no_more_than_the_patience(known: Live, sandbox: Driver) -> None:
    """The call that hangs ends, and those after it are not made."""
    sandbox.do("/faults", {"match": {}, "times": None, "answer": "hang"})
    with anyio.fail_after(5):
        codes = await ask(known, 0.3, *map(account_of, range(1, 4)))
    assert codes == ["timeout"] * 3
    with known.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(live_reads)).scalar_one() == 1


async def test_a_refused_call_is_made_once(known: Live, sandbox: Driver) -> None:
    """Trying again is for whoever asks: a 429 is told, and the pause it asks for is kept."""
    sandbox.do("/faults", {"match": {}, "times": 1, "answer": {"status": 429}})
    async with known.asking("alpha", "q", 5.0) as asking:
        with pytest.raises(RateLimited):
            await asking.client.call(account_of(1))
        with pytest.raises(RateLimited, match="pause that is still on"):
            await asking.client.call(account_of(2))
    assert len(calls(sandbox)) == 1


async def test_a_hubspot_out_of_reach_is_told_as_such(known: Live) -> None:
    """As an error that becomes a value further up; its seat counts, since it may have arrived."""
    portal = portal_of("http://127.0.0.1:9")
    live = Live(known.database, {"alpha": portal}, lambda _: "a-token", SPEED)
    async with live.asking("alpha", "q", 5.0) as asking:
        assert "HubSpot cannot be asked" in asking.problem
        with pytest.raises(Unavailable):
            await asking.client.call(account_of(1))
    with known.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(live_reads)).scalar_one() > 0


async def test_what_is_missing_is_named(known: Live) -> None:
    """No token, an unusable one, no portal file: each with what to set."""

    def no_token(_: object) -> str:
        raise SettingsError("Portal alpha has no token: set CREDSYNC_HUBSPOT_TOKEN_ALPHA.")

    for token_of, name, said in (
        (no_token, "alpha", "CREDSYNC_HUBSPOT_TOKEN_ALPHA"),
        (lambda _: "two words", "alpha", "cannot be reached"),
        (lambda _: "a-token", "gone", "gone.toml"),
    ):
        live = Live(known.database, known.portals, token_of)
        with pytest.raises(SettingsError, match=said):
            async with live.asking(name, "q", 5.0):
                pass
