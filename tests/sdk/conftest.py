"""HubSpot's Python client on a fresh sandbox, once for each version of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conftest import sandbox, server
from tests.sandbox.driver import VERSIONS, Driver
from tests.sdk.python_client import Client

__all__ = ["sandbox", "server"]


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, sandbox: Driver) -> Iterator[Client]:
    """The client; its connections are closed at the end."""
    made = Client(sandbox.url, request.param)
    yield made
    made.close()
