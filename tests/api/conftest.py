"""One service for most tests, each with therapists of its own; and one on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.service import Service, serving
from tests.conftest import Copies


@pytest.fixture(scope="session")
def shared_service(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """On each kind of database, started once."""
    with copies(tmp_path_factory.mktemp("api")) as url, serving(url) as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    """The shared service with its clock set right."""
    shared_service.wakes.clear()
    yield shared_service
    shared_service.clock.ahead *= 0


@pytest.fixture
def on_each(database_url: str) -> Iterator[Service]:
    """A service of its own, once per kind of database."""
    with serving(database_url) as service:
        yield service
