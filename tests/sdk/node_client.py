"""HubSpot's Node client as a process that is asked call by call; what it understood is compared with what it got.

Its models drop what they do not know and turn text into moments. So an answer that comes out of them as it went in is
one in which every field is known to them.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "node"
REMEDY = (
    "HubSpot's Node client is not installed: run the tests by `make test`, which installs it, or `npm ci` in "
    "tests/sdk/node (Debian, Ubuntu: apt-get install nodejs npm)."
)


class NodeClient:
    """One Node process for all tests; `url` and `version` say whom it asks next."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = ""
        self.version = "v3"

    @property
    def folds(self) -> bool:
        """Whether a partly failed batch is a 200 with its errors in it."""
        return self.version == "2026-09"

    def call(self, api: str, method: str, *args: Any) -> dict[str, Any]:
        """One call: `{status, headers, raw, understood}`, with `thrown` where the client threw."""
        asked = {"url": self.url, "version": self.version, "api": api, "method": method, "args": args}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the Node process ended: {self._process.wait(10)}"
        told: dict[str, Any] = json.loads(line)
        assert "broken" not in told, told["broken"]
        return told

    def understood(self, api: str, method: str, *args: Any) -> Any:
        """What a call that must go well gave, judged: nothing of the answer was dropped or changed by the models."""
        told = self.call(api, method, *args)
        assert "thrown" not in told, told
        raw = told["raw"]
        if self.folds and told["status"] == 200 and isinstance(raw, dict):
            raw = {name: value for name, value in raw.items() if name not in ("errors", "numErrors")}
        assert told["understood"] == raw
        return told["raw"]


@contextlib.contextmanager
def node_client() -> Iterator[NodeClient]:
    """The process, ended with the block. Fails with the remedy where it is not installed."""
    program = shutil.which("node") or shutil.which("nodejs")
    assert program is not None, REMEDY
    assert (HERE / "node_modules" / "@hubspot" / "api-client").is_dir(), REMEDY
    with subprocess.Popen(
        [program, "client.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield NodeClient(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
