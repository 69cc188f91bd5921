"""Databases that fail, end to end: nothing accepted is lost, nothing is accepted that is not kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url

from tests.conftest import migrate
from tests.databases import own_server
from tests.flow.broken_databases import BrokenPostgres, BrokenSqlite
from tests.flow.commit_cutter import CommitCutter, cutting
from tests.flow.conftest import on_postgres, on_sqlite
from tests.flow.forms import ca
from tests.flow.world import ACTIVE, ADDRESS, World, moment, someone, until, world

Broken = BrokenPostgres | BrokenSqlite
WAITS = {"sqlite": "?timeout=0.3", "postgresql": "?options=-c%20lock_timeout%3D300"}
"""How long the service waits for somebody else's lock: short here."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def breakable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Broken]]:
    """A world on each kind, on PostgreSQL with a server of its own."""
    folder = tmp_path_factory.mktemp("failing")
    if request.param == "sqlite":
        fresh = on_sqlite(request.getfixturevalue("migrated_sqlite"), folder)
        with fresh.database(folder) as url:
            waits = url + WAITS[request.param]
            with world(folder, waits, token=fresh.token, delay="1s") as here:
                yield here, BrokenSqlite(folder / "credsync.db")
        return
    with own_server() as server:
        template = server.create_database()
        migrate(server.url(template))
        fresh = on_postgres(server, template)
        with fresh.database(folder) as url:
            waits = url + WAITS[request.param]
            with world(folder, waits, token=fresh.token, delay="1s") as here:
                yield here, BrokenPostgres(server, url.rpartition("/")[2])


class Backend:
    """A backend that sends each submission until it is taken, with its key."""

    def __init__(self, here: World) -> None:
        self.here = here
        self.taken: list[str] = []
        self.refused: list[tuple[str, dict[str, Any], str]] = []

    def submits(self, therapist: str, contact: str) -> httpx2.Response:
        """Once; what is refused is kept to be sent again."""
        body = {
            "form": "ca",
            "occurred_at": moment(),
            "data": ca(),
            "moving": False,
            "portal": "demo",
            "contact_id": contact,
        }
        return self._send(therapist, body, str(uuid.uuid4()))

    def sends_again(self) -> None:
        """What was refused, until it is taken."""
        while self.refused:
            self._send(*self.refused.pop(0))

    def _send(self, therapist: str, body: dict[str, Any], key: str) -> httpx2.Response:
        address = f"/v1/therapists/{therapist}/submissions"
        answer = self.here.api.post(address, json=body, headers={"Idempotency-Key": key})
        if answer.status_code == 202:
            self.taken.append(therapist)
        else:
            self.refused.append((therapist, body, key))
        return answer


def _said(here: World, event: str) -> int:
    return len([line for line in here.log_lines() if line["event"] == event])


@pytest.mark.parametrize("how", ["busy", "full", "read_only", "restarted"])
def test_a_database_that_fails_is_503_at_the_door_and_goes_on_by_itself(
    breakable: tuple[World, Broken], how: str
) -> None:
    """Intake accepts or refuses; what it accepts is kept.

    While nothing can be stored a call is refused with when to send it again; rounds begin again with nobody's help; the
    log says it once.
    """
    here, broken = breakable
    if not hasattr(broken, how):
        pytest.skip(
            "in tests/api and tests/reconcile: the system has no such way for a running process's SQLite"
        )
    before = {event: _said(here, event) for event in ("database.failed", "database.answers")}
    backend = Backend(here)
    waits = someone()
    backend.submits(waits, here.contact(delay="300s"))
    until(lambda: here.link(waits, ACTIVE).get("looks"), 20, "the first look for somebody who waits")
    with getattr(broken, how)(here):

        def refused() -> httpx2.Response | None:
            answer = backend.submits(someone(), here.contact(delay="1s"))
            return answer if answer.status_code != 202 else None

        answer = until(refused, 20, "a refusal")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["errors"][0]["code"] == "database_unavailable"
        until(lambda: _said(here, "database.failed") > before["database.failed"], 20, "the log to say so")
        refused()
    until(lambda: backend.sends_again() or not backend.refused, 20, "all to be taken")
    for therapist in backend.taken:
        here.until_state(therapist, "in_sync", 40)
    until(
        lambda: _said(here, "database.answers") > before["database.answers"], 20, "the log to say it is over"
    )
    for event, count in before.items():
        assert _said(here, event) == count + 1, event
    for therapist in set(backend.taken):
        [contact] = [t.body["contact_id"] for t in here.told if therapist in t.path and t.answered][:1]
        records = here.records(contact)
        assert [records[slot]["writes"] for slot in (ACTIVE, ADDRESS)] == [1, 1]


@pytest.fixture
def cut(tmp_path: Any, request: pytest.FixtureRequest) -> Iterator[tuple[World, CommitCutter]]:
    """A world whose way to PostgreSQL can be cut."""
    server = request.getfixturevalue("postgres")
    fresh = on_postgres(server, request.getfixturevalue("migrated_postgres"))
    with (
        fresh.database(tmp_path) as url,
        cutting(str(server.address.host), server.address.port or 5432) as cutter,
    ):
        through = make_url(url).set(host="127.0.0.1", port=cutter.port).render_as_string(hide_password=False)
        with world(tmp_path, through, token=fresh.token, delay="1s") as here:
            yield here, cutter


def test_a_connection_lost_in_the_middle_of_any_commit_loses_and_doubles_nothing(
    cut: tuple[World, CommitCutter],
) -> None:
    """Whether a commit took place is not known: a fact is refused and sent again with its key; a write is read back.

    Every commit that mentions a therapist is cut for somebody, before it arrives and after: the first is intake's, the
    others the rounds'.
    """
    here, cutter = cut
    backend = Backend(here)
    people = {someone(): here.contact(delay="1s") for _ in range(10)}
    cuts = [
        cutter.cut(therapist, 1 + number // 2, arrives=bool(number % 2))
        for number, therapist in enumerate(people)
    ]
    answers = [backend.submits(therapist, contact).status_code for therapist, contact in people.items()]
    assert answers == [503] * 2 + [202] * 8, "the first commit of each is intake's"
    until(lambda: backend.sends_again() or not backend.refused, 20, "all to be taken")
    for therapist in people:
        here.until_state(therapist, "in_sync", 60)
    assert sum(cut.done for cut in cuts) >= 8
    for therapist, contact in people.items():
        records = here.records(contact)
        assert [records[slot]["writes"] for slot in (ACTIVE, ADDRESS)] == [1, 1]
        timeline = here.api.get(f"/v1/therapists/{therapist}/timeline").json()["events"]
        assert [e["event"] for e in timeline].count("form.submitted") == 1
