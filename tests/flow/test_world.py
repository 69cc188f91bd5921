"""The world of the end-to-end tests leaves nothing running."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from tests.flow.conftest import Fresh
from tests.flow.world import World


def test_a_service_that_does_not_start_leaves_no_sandbox_behind(tmp_path: Path, fresh: Fresh) -> None:
    """A setting that credsync does not know stops its start; the sandbox had started by then."""
    with fresh.database(tmp_path) as url, pytest.raises(AssertionError, match="ended early"):
        World(tmp_path, url, token=fresh.token, settings={"no_such_setting": "1"})
    told = (tmp_path / "sandbox.log").read_text(encoding="utf-8")
    address = re.search(r"sandbox listening on (http://\S+)", told)
    assert address is not None
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{address[1]}/_sandbox/truth")
