"""What keeps a portal's rounds from running is told by its owner alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credsync.core.alerts import AlertKind
from credsync.hubspot.edge import Edge
from credsync.reconcile.allowance import Allowance
from credsync.reconcile.lease_holder import LeaseHolder
from credsync.reconcile.permission import Permission
from credsync.reconcile.usable import Usable
from credsync.reconcile.watch import Watch
from credsync.store import leases, portals
from credsync.store.leases import Lease, LeaseLost
from credsync.store.portals import PortalStatus
from tests.operate.scene import Scene, edge_to
from tests.sandbox.driver import Driver

pytestmark = pytest.mark.anyio


def _usable(scene: Scene, edge: Edge) -> Usable:
    allowance = Allowance(edge)
    holder = LeaseHolder(scene.database, "alpha", "ours", timedelta(hours=1), allowance, lambda: 0.0)
    permission = Permission(scene.database, edge)
    return Usable(scene.database, edge, holder, allowance, permission, Watch(scene.database, edge.portal))


def _lease(scene: Scene, owner: str) -> Lease:
    with scene.database.write() as connection:
        leases.end_all(connection)
        lease = leases.acquire(connection, "portal:alpha", owner, 3600)
    assert lease is not None
    return lease


def _status(scene: Scene) -> PortalStatus:
    with scene.database.read() as connection:
        return portals.status_of(connection, "alpha")


async def test_who_lost_the_portal_says_nothing_more_of_it(scene: Scene, sandbox: Driver) -> None:
    """The next owner found HubSpot well meanwhile; what the old one saw is no longer true."""
    old = _lease(scene, "ours")
    _lease(scene, "theirs")
    sandbox.do("/settings", {"scopes": []}, "PUT")
    edge = edge_to(sandbox.url)
    async with edge.client:
        with pytest.raises(LeaseLost):
            await _usable(scene, edge).names(old)
    assert _status(scene).problem is None


async def test_what_could_not_be_kept_is_told_again(scene: Scene, sandbox: Driver) -> None:
    """Said once a change, and not taken for said before it is kept."""
    old = _lease(scene, "ours")
    _lease(scene, "theirs")
    sandbox.do("/settings", {"scopes": []}, "PUT")
    edge = edge_to(sandbox.url)
    usable = _usable(scene, edge)
    async with edge.client:
        with pytest.raises(LeaseLost):
            await usable.names(old)
        assert await usable.names(_lease(scene, "ours")) is None
    assert _status(scene).problem_kind is AlertKind.PORTAL_UNUSABLE
