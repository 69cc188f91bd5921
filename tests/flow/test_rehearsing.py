"""docs/rehearsing.md, run as it stands, block by block in one shell: a sandbox stands for the real portal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from credsync_sandbox.app import build_app
from credsync_sandbox.server import in_thread
from tests.flow.world import PORTAL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rehearsing.md").read_text(encoding="utf-8")
FENCED = re.findall(r"^```(sh|text)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BLOCKS = [
    (block, FENCED[place + 1][1] if FENCED[place + 1 :][:1] and FENCED[place + 1][0] == "text" else "")
    for place, (kind, block) in enumerate(FENCED)
    if kind == "sh"
]
"""Each block of commands, and what the page says it prints (empty where it says nothing)."""
MARK = "=== block"


def free_ports(count: int) -> list[str]:
    """Ports of loopback that nobody listens on."""
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in with_ports]
    for each in with_ports:
        each.close()
    return ports


def shown(lines: str, output: str) -> list[str]:
    """The lines of a text block that the output does not have; `…` stands for anything."""
    patterns = [".*".join(map(re.escape, re.split(r"\s*…\s*", line.strip()))) for line in lines.splitlines()]
    return [pattern for pattern in patterns if not re.search(pattern, output)]


@contextmanager
def shell(script: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run the script to its end and give what it said; whatever it started is ended with it."""
    said = folder / "said"
    with said.open("w") as out:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        code = process.wait(150)
        text = said.read_text(encoding="utf-8")
        assert code == 0, f"block {text.count(MARK)} ended with {code}:\n{text[-3000:]}"
        yield text
    except subprocess.TimeoutExpired:
        pytest.fail(f"the page waits for something that does not come:\n{said.read_text()[-3000:]}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def test_the_page_on_rehearsing_runs_as_it_stands(tmp_path: Path) -> None:
    """Export, sandbox, service looking and then writing, faults, the truth, and nothing left behind."""
    assert len(BLOCKS) >= 9
    (tmp_path / "portals").mkdir()
    portal = tmp_path / "portals" / "alpha.toml"
    text = PORTAL.read_text(encoding="utf-8")
    portal.write_text(text)
    with in_thread(build_app(portal)) as real:
        change = {"object": "therapist_address", "label": "Current Address", "maxToObjectIds": 1}
        httpx2.put(f"{real.url}/_sandbox/schema", json=change).raise_for_status()
        portal.write_text(text.replace("http://127.0.0.1:8090", real.url))
        sandbox, service = free_ports(2)
        script = "".join(f"printf '\\n{MARK} {place}\\n'\n{block}" for place, (block, _) in enumerate(BLOCKS))
        script = script.replace("8090", sandbox).replace("8081", service)
        before_the_end = "cp -r rehearsal kept\n"
        script = script.replace("kill $SERVICE $SANDBOX\n", f"{before_the_end}kill $SERVICE $SANDBOX\n")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CREDSYNC_")},
            "PATH": f"{_programs(tmp_path)}:{os.environ['PATH']}",
            "CREDSYNC_HUBSPOT_TOKEN_ALPHA": "the-real-one",
        }
        with shell(script, tmp_path, environment) as said:
            parts = re.split(rf"^{MARK} \d+\n", said, flags=re.MULTILINE)[1:]
        assert len(parts) == len(BLOCKS)
        for (block, lines), part in zip(BLOCKS, parts, strict=True):
            assert shown(lines, part) == [], f"not printed by\n{block}\nwhich printed\n{part}"
        asked = httpx2.get(f"{real.url}/_sandbox/requests").json()["requests"]
    assert asked, "the real portal was read"
    assert {one["method"] for one in asked} == {"GET"}
    exported = json.loads((tmp_path / "kept" / "schema.json").read_text())
    limits = [
        one.get("maxToObjectIds") for one in exported["objects"]["therapist_address"]["labels"]["contact"]
    ]
    assert 1 in limits
    truth = json.loads(
        next(line for line in parts[-2].splitlines() if line.startswith('{"id"')).split('}{"total"')[0] + "}"
    )
    address = next(one for one in truth["records"] if "therapist_address_current" in one["slots"])
    assert (address["properties"]["street"], address["properties"]["city"]) == ("4 Lane", "Albany")
    assert not (tmp_path / "rehearsal").exists()


def _programs(tmp_path: Path) -> Path:
    """`credsync` of this very Python, and a `curl` where the machine has none."""
    programs = tmp_path / "programs"
    programs.mkdir()
    _program(programs / "credsync", f'exec "{sys.executable}" -m credsync "$@"')
    if shutil.which("curl") is None:
        _program(programs / "curl", f'exec "{sys.executable}" "{ROOT / "tests" / "flow" / "curl.py"}" "$@"')
    return programs


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_curl_for_machines_without_one_sends_what_curl_sends(tmp_path: Path) -> None:
    """A GET, a POST of data, another method with a header; it fails where `-f` says so."""
    portal = tmp_path / "demo.toml"
    portal.write_text(PORTAL.read_text(encoding="utf-8"))

    def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "tests" / "flow" / "curl.py"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)

    with in_thread(build_app(portal)) as sandbox:
        host = sandbox.url.removeprefix("http://")
        assert '"status":"ok"' in curl("-sf", f"{host}/_sandbox/health").stdout
        assert '"id":"5"' in curl("-sf", f"{host}/_sandbox/contacts", "-d", '{"id": "5"}').stdout
        headers = ("-H", "Authorization: Bearer x", "-H", "Content-Type: application/json")
        gone = curl("-sf", "-X", "DELETE", *headers, f"{host}/crm/v3/objects/0-1/5", "-o", "body")
        assert (gone.returncode, gone.stdout, (tmp_path / "body").read_text()) == (0, "", "")
        assert curl("-sf", *headers, f"{host}/crm/v3/objects/0-1/5").returncode == 22
    assert curl("-sf", f"{host}/_sandbox/health").returncode == 7
