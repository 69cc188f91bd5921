"""HubSpot's own clients on a fresh sandbox, once for each version of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conftest import sandbox, server
from tests.sandbox.driver import VERSIONS, Driver
from tests.sdk.node_client import NodeClient, node_client
from tests.sdk.python_client import Client

__all__ = ["sandbox", "server"]


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, sandbox: Driver) -> Iterator[Client]:
    """The client; its connections are closed at the end."""
    made = Client(sandbox.url, request.param)
    yield made
    made.close()


@pytest.fixture(scope="module")
def node_process() -> Iterator[NodeClient]:
    """HubSpot's Node client, one process for a file's tests."""
    with node_client() as made:
        yield made


@pytest.fixture(params=VERSIONS)
def node(request: pytest.FixtureRequest, sandbox: Driver, node_process: NodeClient) -> NodeClient:
    """It, asking this test's sandbox in each version."""
    node_process.url, node_process.version = sandbox.url, request.param
    return node_process
