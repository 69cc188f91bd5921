"""docs/sandbox.md says what is, and its examples work."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from credsync_sandbox.hubspot.faults import SHAPES
from credsync_sandbox.main import parser
from credsync_sandbox.settings import Settings
from tests.sandbox.driver import PORTAL, Driver, running

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"


def examples() -> list[Any]:
    """Every JSON block, its ellipses made empty."""
    text = DOCS.read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def test_every_endpoint_setting_option_and_fault_is_named() -> None:
    """What is not written down does not exist for others."""
    text = DOCS.read_text(encoding="utf-8")
    source = (DOCS.parents[1] / "credsync_sandbox" / "app.py").read_text(encoding="utf-8")
    paths = {path.split("{")[0].strip("/") for path in re.findall(r'route\(f?"(/[^"]*)"', source)}
    assert {"contacts", "esu", "truth", "requests/summary"} <= paths
    words = [*paths, *(each.name for each in fields(Settings)), *SHAPES]
    words += [
        option for action in parser()._actions for option in action.option_strings if option.startswith("--")
    ]
    assert [word for word in words if word not in text and word != "--help"] == []


def test_the_examples_of_a_contact_and_a_fault_are_taken_as_they_stand(sandbox: Driver) -> None:
    """Word for word, in the portal of these tests."""
    contact, fault, *_ = examples()
    contact["licenses"].pop()
    assert sandbox.do("/contacts", contact)["contacts"][0]["id"] == "237058651"
    assert sandbox.do("/faults", fault)["left"] == 3


def test_a_licence_by_state_and_type_is_taken_where_the_slot_has_two_values(tmp_path: Path) -> None:
    """The example's second licence."""
    portal = PORTAL.replace('each = "license_state"', 'each = ["license_state", "license_type"]')
    with running(tmp_path, portal) as sandbox:
        made = sandbox.contact(licenses=[{"state": "CA", "type": "PT"}, {"type": "OT", "state": "NY"}])
        assert [one["slot"] for one in made["planned"][-2:]] == ["license.CA.PT", "license.NY.OT"]
        record = sandbox.records(made["id"])["license.NY.OT"]
        assert record["properties"] == {"license_state": "NY", "license_type": "OT"}
        sandbox.do("/contacts", {"licenses": ["NY"]}, status=400)


def test_the_example_of_the_truth_has_the_fields_the_truth_has(sandbox: Driver) -> None:
    """No more and no fewer."""
    told = examples()[2]
    contact = sandbox.contact(delay={"therapist_address": "1h", "credentialing": 0})
    truth = sandbox.truth(contact["id"])
    assert set(told) == set(truth)
    assert set(told["records"][0]) == set(truth["records"][0])
    assert set(told["pending"][0]) == set(truth["pending"][0])


def test_the_example_of_a_schema_file_starts_a_sandbox(tmp_path: Path) -> None:
    """As it stands."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(examples()[3]), encoding="utf-8")
    with running(tmp_path, schema=path) as sandbox:
        assert sandbox.do("/health", method="GET")["objects"]["credentialing"] == "2-167795973"
        assert sandbox.contact()["planned"][0]["type_id"] == "2-167795973"
