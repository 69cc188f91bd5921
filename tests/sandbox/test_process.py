"""The sandbox as a program: its options, its signals, what it keeps, how fast it is, whom it knows."""

from __future__ import annotations

import ast
import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credsync_sandbox.portal.schema import AssociationType, Schema
from credsync_sandbox.signatures import signature_v2, signature_v3
from credsync_sandbox.world.links import Links
from tests.sandbox.driver import PORTAL, Driver, running

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def process(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m credsync_sandbox` on a free port, and the address it printed."""
    portal = tmp_path / "demo.toml"
    portal.write_text(PORTAL, encoding="utf-8")
    command = [sys.executable, "-m", "credsync_sandbox", "--port", "0", "--portal", str(portal), *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            assert line.startswith("sandbox listening on http://127.0.0.1:"), (
                child.stderr and child.stderr.read()
            )
            yield child, line.split()[-1]
        finally:
            if child.poll() is None:
                child.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("early", [True, False])
def test_it_says_where_it_listens_and_ends_well_when_told_to(
    tmp_path: Path, how: signal.Signals, early: bool
) -> None:
    """Exit code 0, also when it is told at once."""
    with process(tmp_path, "--speed", "60", "--delay", "cases") as (child, url):
        if not early:
            assert httpx2.get(f"{url}/_sandbox/health").json()["speed"] == 60
        child.send_signal(how)
        assert child.wait(20) == 0


def test_a_caller_that_a_fault_keeps_hanging_does_not_hold_it_up(tmp_path: Path) -> None:
    """It ends within seconds, with code 0."""
    with process(tmp_path) as (child, url):
        httpx2.post(f"{url}/_sandbox/faults", json={"answer": "hang"})
        host, port = url.removeprefix("http://").split(":")
        request = b"GET /account-info/v3/details HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n"
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            caller.sendall(request)
            while not httpx2.get(f"{url}/_sandbox/requests").json()["requests"]:
                pass
            child.send_signal(signal.SIGTERM)
            assert child.wait(20) == 0


def test_what_was_answered_is_there_after_kill_9_and_time_went_on_where_it_stopped(tmp_path: Path) -> None:
    """`--state`: contacts, records, labels, writes, merges, what is still due."""
    state = ("--state", str(tmp_path / "state.db"), "--speed", "0")
    with process(tmp_path, *state) as (child, url), httpx2.Client(base_url=f"{url}/_sandbox") as control:
        early = control.post("/contacts", json={"delay": 0, "licenses": ["NY"]}).json()["id"]
        late = control.post("/contacts", json={"delay": "1h"}).json()["id"]
        record = control.get(f"/truth/contacts/{early}").json()["records"][0]["id"]
        httpx2.patch(
            f"{url}/crm/v3/objects/credentialing/{record}",
            headers={"Authorization": "Bearer x"},
            json={"properties": {"npi": "1"}},
        )
        other = control.post("/contacts", json={"slots": []}).json()["id"]
        merged = control.post("/records/merge", json={"primary": early, "other": other}).json()["id"]
        control.post("/time", json={"advance": "59m"})
        before = control.get("/truth").json()
        child.kill()
        child.wait(20)
    with process(tmp_path, *state) as (child, url), httpx2.Client(base_url=f"{url}/_sandbox") as control:
        assert control.get("/truth").json() == before
        assert control.get(f"/truth/contacts/{early}").json()["id"] == merged
        control.post("/time", json={"advance": "59s"})
        assert control.get(f"/truth/contacts/{late}").json()["records"] == []
        control.post("/time", json={"advance": "1s"})
        assert len(control.get(f"/truth/contacts/{late}").json()["records"]) == 3
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0


def test_rules_of_values_are_kept_over_kill_9(tmp_path: Path) -> None:
    """Published or not, and that there are none; what is enforced before the restart is enforced after it."""
    state = ("--state", str(tmp_path / "state.db"), "--speed", "0")
    about = {"object": "credentialing", "property": "npi"}
    digits = {"ruleType": "REGEX", "ruleArguments": ["[0-9]+"]}
    with process(tmp_path, *state) as (child, url), httpx2.Client(base_url=f"{url}/_sandbox") as control:
        control.put("/validations", json={**about, "rules": [digits | {"unpublished": True}, digits]})
        weekly = {"object": "credentialing", "property": "weekly"}
        control.put(
            "/validations", json={**weekly, "rules": [{"ruleType": "MIN_NUMBER", "ruleArguments": ["1"]}]}
        )
        kept = control.put("/validations", json={**weekly, "rules": []}).json()
        assert [rule["published"] for rule in kept["validations"]["credentialing"]["npi"]] == [False, True]
        child.kill()
        child.wait(20)
    with process(tmp_path, *state) as (_, url), httpx2.Client(base_url=f"{url}/_sandbox") as control:
        assert control.get("/validations").json() == kept
        contact = control.post("/contacts", json={"delay": 0}).json()["id"]
        truth = control.get(f"/truth/contacts/{contact}").json()
        record = next(one["id"] for one in truth["records"] if one["object"] == "credentialing")
        refused = httpx2.patch(
            f"{url}/crm/v3/objects/credentialing/{record}",
            headers={"Authorization": "Bearer x"},
            json={"properties": {"npi": "x"}},
        )
        assert refused.status_code == 400


def test_a_state_file_of_another_portal_is_refused(tmp_path: Path) -> None:
    """Rather than mixed."""
    with running(tmp_path, state=tmp_path / "state.db") as sandbox:
        sandbox.contact()
    with (
        pytest.raises(ValueError, match="1234567"),
        running(tmp_path, PORTAL.replace("1234567", "7654321"), state=tmp_path / "state.db"),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--portal", "nothing.toml"], 4),
        (["--delay", "soon"], 4),
        (["--latency", "soon"], 4),
        (["--faults", "nothing.json"], 4),
        (["--webhooks-late", "soon"], 4),
        (["--webhooks-doubled", "2"], 2),
        (["--speed", "-1"], 4),
        (["--what"], 2),
    ],
)
def test_bad_options_end_it_with_a_sentence(tmp_path: Path, options: list[str], code: int) -> None:
    """And no traceback."""
    portal = tmp_path / "demo.toml"
    portal.write_text(PORTAL, encoding="utf-8")
    command = [sys.executable, "-m", "credsync_sandbox", "--port", "0", "--portal", str(portal), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, "Traceback" in done.stderr, done.stdout) == (code, False, "")
    assert done.stderr.strip()


def test_a_taken_port_ends_it_with_a_sentence(tmp_path: Path) -> None:
    """Exit code 1."""
    with running(tmp_path) as sandbox:
        port = sandbox.url.rsplit(":", 1)[1]
        command = [
            sys.executable,
            "-m",
            "credsync_sandbox",
            "--port",
            port,
            "--portal",
            str(tmp_path / "demo.toml"),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert port in done.stderr


def test_a_look_at_a_thousand_contacts_takes_well_under_fifty_milliseconds(sandbox: Driver) -> None:
    """The best of five, of processor time, the caller's part in it too; a write of a hundred likewise."""
    ids = [one["id"] for one in sandbox.do("/contacts", {"count": 1000, "delay": 0})["contacts"]]
    sandbox.do("/settings", {"calls_per_10s": 1000}, method="PUT")
    records = [one["id"] for contact in ids[:50] for one in sandbox.records(contact).values()][:100]
    records = [
        one for one in records if sandbox.hubspot.get(f"/crm/v3/objects/credentialing/{one}").is_success
    ]
    inputs = [{"id": one, "properties": {"npi": "1"}} for one in records]
    assert len(sandbox.look(*ids).json()["results"]) == 1000
    assert min(_processor_time(lambda: sandbox.look(*ids)) for _ in range(5)) < 0.05
    assert min(_processor_time(lambda: sandbox.objects("update", inputs)) for _ in range(5)) < 0.05


def _processor_time(call: Callable[[], httpx2.Response]) -> float:
    """Seconds this process, which holds the server too, computes for a call that must go well."""
    began = time.process_time()
    assert call().status_code == 200
    return time.process_time() - began


def test_nothing_of_the_service_is_imported() -> None:
    """Neither written in a file nor loaded when everything of the sandbox is."""
    modules = []
    for path in sorted((ROOT / "credsync_sandbox").rglob("*.py")):
        modules.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "credsync"], path
    wanted = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    code = (
        f"import sys, importlib\nfor name in {wanted!r}: importlib.import_module(name)\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'credsync'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_signature_is_hubspots() -> None:
    """Its published test vector for version 3, and the few characters it decodes."""
    secret = "12345678-aaaa-bbbb-cccc-ddddeeeeffff"
    plain = "https://hubspot.com/?appId=1&portalId=2&userId=3"
    assert (
        signature_v3(secret, "GET", plain, b"", "1111111111")
        == "zTfXjo07jfzGouo4wvyAj3qEMUTVJ0PPYPACrluQtQI="
    )
    coded = "https://hubspot.com%2F%3FappId=1&portalId=2&userId=3"
    assert signature_v3(secret, "GET", coded, b"", "1111111111") == signature_v3(
        secret, "GET", plain, b"", "1111111111"
    )


class Inbox:
    """A web server that takes webhooks; it refuses the first deliveries, one if nothing else is said."""

    def __init__(self, refused: int = 1) -> None:
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.refused: queue.Queue[bytes] = queue.Queue()
        refusals = iter([500] * refused)
        got, turned_away = self.got, self.refused

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = next(refusals, 200)
                if status == 200:
                    got.put((dict(self.headers), body))
                else:
                    turned_away.put(body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    @contextlib.contextmanager
    def open(self) -> Iterator[str]:
        """Its address while the block runs."""
        thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{self.server.server_port}/hook?x=1"
        finally:
            self.server.shutdown()
            thread.join(5)
            self.server.server_close()


def test_changes_are_told_to_a_webhook_signed_and_again_after_a_refusal(tmp_path: Path) -> None:
    """Creation without a contact id, associations in both directions, at most 100 events a call."""
    inbox = Inbox()
    with inbox.open() as url, running(tmp_path, speed=1000) as sandbox:
        sandbox.do("/webhooks", {"url": url, "secret": "s3cret"})
        contact = sandbox.do("/contacts", {"delay": "1s", "slots": ["credentialing_active_attested"]})["id"]
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + 10
        kinds: set[str] = set()
        again = False
        while not (again and kinds == {"object.creation", "object.associationChange"}):
            assert time.monotonic() < deadline, kinds
            headers, body = inbox.got.get(timeout=10)
            stamp = headers["X-HubSpot-Request-Timestamp"]
            assert headers["X-HubSpot-Signature-v3"] == signature_v3("s3cret", "POST", url, body, stamp)
            assert abs(int(stamp) / 1000 - time.time()) < 60
            events += httpx2.Response(200, content=body).json()
            kinds = {event["subscriptionType"] for event in events if event["objectTypeId"] != "0-1"}
            again = any(event["attemptNumber"] > 0 for event in events)
        made = next(
            one
            for one in events
            if one["subscriptionType"] == "object.creation" and one["objectTypeId"] != "0-1"
        )
        assert contact not in str(made)
        assert made["portalId"] == 1234567
        linked = [one for one in events if one["subscriptionType"] == "object.associationChange"]
        assert {(one["fromObjectId"], one["toObjectId"]) for one in linked} == {
            (int(contact), made["objectId"]),
            (made["objectId"], int(contact)),
        }
        assert sandbox.do("/webhooks", method="DELETE")["url"] is None


def test_what_nobody_takes_is_tried_ten_times_in_a_day(tmp_path: Path) -> None:
    """HubSpot's own tries, spread over 24 h of the sandbox's time: then nothing is left of it."""
    inbox = Inbox(refused=10)
    with inbox.open() as url, running(tmp_path, speed=0) as sandbox:
        about = {"url": url, "secret": "s3cret", "subscriptions": ["object.creation"]}
        sandbox.do("/webhooks", about)
        sandbox.do("/contacts", {"delay": "1s", "slots": ["credentialing_active_attested"]})
        sandbox.advance("2s")
        told = httpx2.Response(200, content=inbox.refused.get(timeout=5)).json()
        tries, waited = [told[0]["attemptNumber"]], 0.0
        for again in range(9):
            wait = 60 * 2.3**again + 1
            sandbox.advance(wait)
            waited += wait
            told = httpx2.Response(200, content=inbox.refused.get(timeout=5)).json()
            tries.append(told[0]["attemptNumber"])
        give_up = time.monotonic() + 5
        while (left := sandbox.do("/webhooks", method="GET"))["waiting"]:
            assert time.monotonic() < give_up, "what was refused ten times is not given up"
        assert tries == list(range(10))
        assert 20 < waited / 3600 < 24
        assert left["failed"] == len(told)


def test_a_workflow_says_itself_that_it_is_done_signed_v2(tmp_path: Path) -> None:
    """Once its record is in its slot: the contact's id alone, at the address with the workflow's name."""
    inbox = Inbox()
    with inbox.open() as url, running(tmp_path, speed=1000) as sandbox:
        about = {"url": url, "secret": "s3cret", "subscriptions": ["contact.privacyDeletion"]}
        sandbox.do("/webhooks", {**about, "of_workflows": True})
        made = {"delay": "1s", "slots": ["credentialing_active_attested"], "link_delay": "1s"}
        contact = sandbox.do("/contacts", made)["id"]
        headers, body = inbox.got.get(timeout=10)
        assert sandbox.records(contact)["credentialing_active_attested"]["labels"]
        signed_as = f"{url}&workflow=credentialing_active_attested"
        assert headers["X-HubSpot-Signature"] == signature_v2("s3cret", "POST", signed_as, body)
        assert headers["X-HubSpot-Signature-Version"] == "v2"
        assert "X-HubSpot-Signature-v3" not in headers
        assert httpx2.Response(200, content=body).json() == {"hs_object_id": int(contact)}
        give_up = time.monotonic() + 10
        while sandbox.do("/webhooks", method="GET")["waiting"]:
            assert time.monotonic() < give_up, "what was answered is not sent again"


@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["put", "take", "cut", "cut_all"]),
            st.sampled_from("12"),
            st.sampled_from("34"),
            st.sets(st.sampled_from([10, 20, 30]), max_size=3),
        ),
        max_size=30,
    )
)
def test_both_ends_of_every_association_always_say_the_same(
    moves: list[tuple[str, str, str, set[int]]],
) -> None:
    """Whatever is put, taken, cut: what one end holds, the other holds with the inverse types."""
    schema = Schema(1)
    for type_id, label in ((10, None), (20, "A"), (30, "B")):
        schema.add_association(AssociationType(type_id, "USER_DEFINED", label, "0-1", "2-1", type_id + 1))
    links = Links(schema)
    for verb, near, far, types in moves:
        if verb == "put":
            links.put("0-1", near, "2-1", far, types)
        elif verb == "take":
            links.take("0-1", near, "2-1", far, types)
        elif verb == "cut":
            links.cut("2-1", far, "0-1", near)
        else:
            links.cut_all("2-1", far)
        there = {(a, b): t for a in "12" for b, t in links.of("0-1", "2-1", a).items()}
        back = {(a, b): t for b in "34" for a, t in links.of("2-1", "0-1", b).items()}
        assert {pair: tuple(one + 1 for one in held) for pair, held in there.items()} == back
        assert all(10 in held for held in there.values())
