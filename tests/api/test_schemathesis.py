"""schemathesis, set on the running service by its own OpenAPI document, finds nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from credsync.core.portal_file import parse_portal
from credsync.operate.live import Live
from credsync.web.api.calls import CALLS
from tests.api.service import DEMO, Service, serving
from tests.conftest import Copies
from tests.sandbox.driver import running

ROOT = Path(__file__).parents[2]
FAST = 10_000.0


@pytest.fixture(scope="module")
def service(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of its own, with a HubSpot to ask: its portals are paused and its tables filled with anything."""
    folder = tmp_path_factory.mktemp("schemathesis")
    with copies(folder) as url, running(tmp_path_factory.mktemp("sandbox"), DEMO) as sandbox:
        text = DEMO.replace("http://127.0.0.1:8090", sandbox.url)
        portals = {name: parse_portal(name, text) for name in ("alpha", "beta", "twofold")}
        with serving(url, lambda database: Live(database, portals, lambda _: "a-token", FAST)) as it:
            yield it


def test_schemathesis_finds_nothing(service: Service) -> None:
    """Every call, every phase, every check: what the document says is what the service does, and nothing fails."""
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "run", f"{service.url}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {service.tokens['admin']}", "--checks", "all"]
    command += ["--seed", "1", "--max-examples", "15", "--suppress-health-check", "all"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout[-6_000:] + ended.stderr[-2_000:]
    besides_the_document = len(CALLS) - 1
    assert f"Tested: {besides_the_document}\n" in ended.stdout, ended.stdout
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in ended.stdout, ended.stdout
