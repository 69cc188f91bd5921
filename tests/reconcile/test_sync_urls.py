"""The contact's link to the therapist's page: written once to each, known before or not, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from credsync.core.portal_file import parse_portal
from credsync.hubspot.edge import Edge
from credsync.reconcile.sync_urls import SyncUrls
from credsync.store import leases
from credsync.store.tables import therapists
from tests.operate.scene import PORTAL_TOML, Scene, edge_to, uuid_of
from tests.sandbox.driver import Driver, Switch, app_of, driving

pytestmark = pytest.mark.anyio
TOML = PORTAL_TOML + '[contact]\nsync_url = "credsync_url"\n'


@pytest.fixture
def with_link(hubspot: tuple[Switch, str], tmp_path: Path) -> Iterator[Driver]:
    """A sandbox whose contacts have the property."""
    switch, url = hubspot
    switch.app = app_of(tmp_path, TOML.format(url="http://127.0.0.1:9", mode="write"))
    with driving(switch.app, url) as driver:
        yield driver


def edge_of(sandbox: Driver, mode: str = "write") -> Edge:
    return edge_to(sandbox.url, parse_portal("alpha", TOML.format(url=sandbox.url, mode=mode)))


async def turn(scene: Scene, edge: Edge, urls: SyncUrls) -> int:
    """One turn of the worker at them; gives how many were due."""
    contacts = await urls.due(scene.clock.now())
    if contacts:
        with scene.database.write() as connection:
            lease = leases.acquire(connection, "portal:alpha", "test", 3600) or leases.Lease(
                "portal:alpha", "test", 1
            )
        await urls.write(contacts, await edge.names(scene.clock.now()), lease)
    return len(contacts)


def link_of(sandbox: Driver, contact: str) -> str | None:
    value: str | None = sandbox.truth(contact)["properties"].get("credsync_url")
    return value


async def test_each_contact_gets_its_link_once(scene: Scene, with_link: Driver) -> None:
    """The one value written without a submit is the contact's link to the therapist's page.

    `sync_url` is written once to each contact, in batches, and never for what a person changes there later.
    """
    edge = edge_of(with_link)
    urls = SyncUrls(scene.database, edge, "https://credsync.example/")
    async with edge.client:
        for number in range(1, 131):
            with_link.contact(id=str(1000 + number), delay="never", quiet=True)
            scene.sign_up(number, str(1000 + number))
        assert await turn(scene, edge, urls) == 100, "a full batch goes at once"
        assert await turn(scene, edge, urls) == 0, "the others wait for company"
        scene.clock.wait(60)
        assert await turn(scene, edge, urls) == 30
        assert link_of(with_link, "1001") == f"https://credsync.example/therapists/{uuid_of(1)}"
        assert link_of(with_link, "1130") == f"https://credsync.example/therapists/{uuid_of(130)}"
        with_link.do("/records/edit", {"id": "1001", "properties": {"credsync_url": "edited"}})
        scene.sign_up(1, "1001")
        scene.clock.wait(timedelta(days=2).total_seconds())
        assert await turn(scene, edge, urls) == 0
        assert link_of(with_link, "1001") == "edited"
        assert with_link.truth("1002")["writes"] == 1


async def test_therapists_known_before_get_theirs(scene: Scene, with_link: Driver) -> None:
    """Known before the portal file had `sync_url`, or under another contact: they get it too."""
    with_link.contact(id="101", delay="never")
    with_link.contact(id="102", delay="never")
    scene.sign_up(1, "101")
    edge = edge_of(with_link)
    urls = SyncUrls(scene.database, edge, "https://credsync.example")
    async with edge.client:
        without = SyncUrls(scene.database, edge_to(with_link.url), "https://credsync.example")
        scene.clock.wait(3600)
        assert await without.due(scene.clock.now()) == [], "not in the portal file yet"
        assert await turn(scene, edge, urls) == 1
        with scene.database.write() as connection:
            connection.execute(update(therapists).values(contact_id=None))
        scene.sign_up(1, "102")
        scene.clock.wait(60)
        assert await turn(scene, edge, urls) == 1
        assert link_of(with_link, "102") == f"https://credsync.example/therapists/{uuid_of(1)}"


async def test_nothing_is_written_while_observing_or_without_an_address(
    scene: Scene, with_link: Driver
) -> None:
    with_link.contact(id="101", delay="never")
    scene.sign_up(1, "101")
    scene.clock.wait(3600)
    observing, writing = edge_of(with_link, "observe"), edge_of(with_link)
    async with observing.client, writing.client:
        assert await turn(scene, observing, SyncUrls(scene.database, observing, "https://x.example")) == 0
        assert await turn(scene, writing, SyncUrls(scene.database, writing, None)) == 0


async def test_a_missing_contact_is_told_and_tried_once_a_day(scene: Scene, with_link: Driver) -> None:
    """One contact that HubSpot does not have keeps nobody else from theirs, and is no 404 loop."""
    with_link.contact(id="101", delay="never")
    scene.sign_up(1, "101")
    scene.sign_up(2, "999")
    edge = edge_of(with_link)
    urls = SyncUrls(scene.database, edge, "https://credsync.example")
    async with edge.client:
        scene.clock.wait(60)
        assert await turn(scene, edge, urls) == 2
        assert link_of(with_link, "101")
        scene.clock.wait(23 * 3600)
        assert await turn(scene, edge, urls) == 0
        scene.clock.wait(3700)
        assert await turn(scene, edge, urls) == 1


async def test_a_property_that_is_not_there_rests_all_of_them(scene: Scene, sandbox: Driver) -> None:
    """HubSpot has no such property: said once, asked for nobody, tried again by itself."""
    sandbox.contact(id="101", delay="never")
    scene.sign_up(1, "101")
    edge = edge_of(sandbox)
    urls = SyncUrls(scene.database, edge, "https://credsync.example")
    async with edge.client:
        scene.clock.wait(60)
        assert await turn(scene, edge, urls) == 1
        assert await turn(scene, edge, urls) == 0
        assert sandbox.truth("101")["writes"] == 0
        scene.clock.wait(900)
        assert await turn(scene, edge, urls) == 1
