"""Rules an administrator sets for a property's values: told by HubSpot's call or not, enforced either way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.driver import VERSIONS, Driver

PATHS = {"v3": "/crm/v3/property-validations", "2026-03": "/crm/property-validations/2026-03"}
JULY = "1782864000000"
"""2026-07-01 in milliseconds."""

CASES: list[tuple[str, str, list[str], str, str]] = [
    ("npi", "ALPHANUMERIC", ["NUMERIC_ONLY"], "123", "12a"),
    ("npi", "ALPHANUMERIC", ["ALPHA_ONLY"], "abc", "12a"),
    ("npi", "ALPHANUMERIC", ["ALPHANUMERIC"], "12a", "12-a"),
    ("npi", "FORMAT", ["UPPER"], "NY 1", "Ny 1"),
    ("npi", "FORMAT", ["LOWER"], "ny", "nY"),
    ("npi", "FORMAT", ["CAPITALIZATION"], "Ny", "ny"),
    ("npi", "MAX_LENGTH", ["3"], "123", "1234"),
    ("npi", "MIN_LENGTH", ["3"], "123", "12"),
    ("npi", "REGEX", ["[A-Z]{2}-[0-9]+", "Two letters, a number"], "NY-7", "NY7"),
    ("npi", "SPECIAL_CHARACTERS", ["NOT_ALLOWED"], "NY 7", "NY#7"),
    ("npi", "WHITESPACE", ["TRIM"], "a b", " a"),
    ("npi", "WHITESPACE", [], "ab", "a b"),
    ("weekly", "MAX_NUMBER", ["99.5"], "99.5", "99.6"),
    ("weekly", "MIN_NUMBER", ["1"], "1", "0.9"),
    ("weekly", "DECIMAL", ["1"], "1.50", "1.25"),
    ("submitted_on", "START_DATE", [JULY], "2026-07-01", "2026-06-30"),
    ("submitted_on", "END_DATE", [JULY], "2026-07-01", "2026-07-02"),
    ("submitted_on", "DAYS_OF_WEEK", ["WEDNESDAY"], "2026-07-01", "2026-07-02"),
    ("attested_at", "START_DATETIME", [JULY], "2026-07-01T00:00:00Z", "2026-06-30T23:59:59Z"),
    ("attested_at", "END_DATETIME", [JULY], "2026-07-01T00:00:00Z", "2026-07-01T00:00:01Z"),
]


def credentialing(sandbox: Driver) -> str:
    """A Credentialing's id."""
    found = sandbox.records(sandbox.contact()["id"])["credentialing_active_attested"]["id"]
    return str(found)


def rule(sandbox: Driver, name: str, kind: str, arguments: list[str], **more: Any) -> None:
    """Set one rule."""
    rules = [{"ruleType": kind, "ruleArguments": arguments}]
    sandbox.do(
        "/validations", {"object": "credentialing", "property": name, "rules": rules, **more}, method="PUT"
    )


@pytest.mark.parametrize(("name", "kind", "arguments", "good", "bad"), CASES)
def test_each_kind_of_rule_takes_the_one_and_refuses_the_other(
    sandbox: Driver, name: str, kind: str, arguments: list[str], good: str, bad: str
) -> None:
    """Clearing the property keeps every rule."""
    rule(sandbox, name, kind, arguments)
    record = credentialing(sandbox)
    for value, status in ((good, 200), (bad, 400), ("", 200)):
        answer = sandbox.objects("update", [{"id": record, "properties": {name: value}}])
        assert answer.status_code == status, answer.text
        if status == 400:
            assert answer.json()["errors"][0]["context"]["propertyName"] == [name]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rules_of_a_type_are_told_but_for_the_unpublished(sandbox: Driver, version: str) -> None:
    """The unpublished one is enforced all the same."""
    rule(sandbox, "weekly", "MIN_NUMBER", ["1"])
    rule(sandbox, "npi", "REGEX", ["[0-9]+"], unpublished=True)
    path = PATHS["v3"] if version == "v3" else PATHS["2026-03"].replace("2026-03", version)
    type_id = sandbox.do("/health", method="GET")["objects"]["credentialing"]
    told = sandbox.hubspot.get(f"{path}/{type_id}").json()["results"]
    expected = {"ruleType": "MIN_NUMBER", "ruleArguments": ["1"], "shouldApplyNormalization": False}
    assert told == [{"propertyName": "weekly", "propertyValidationRules": [expected]}]
    assert sandbox.hubspot.get(f"{path}/{type_id}/weekly").json()["results"] == [expected]
    assert sandbox.hubspot.get(f"{path}/{type_id}/npi").json()["results"] == []
    assert sandbox.hubspot.get(f"{path}/{type_id}/npx").status_code == 404
    record = credentialing(sandbox)
    assert (
        sandbox.objects("update", [{"id": record, "properties": {"npi": "x"}}], version=version).status_code
        == 400
    )
    sandbox.do(
        "/validations", {"object": "credentialing", "property": "npi", "rules": []}, method="PUT", status=200
    )
    assert sandbox.objects("update", [{"id": record, "properties": {"npi": "x"}}]).status_code == 200
    assert set(sandbox.do("/validations", method="GET")["validations"]["credentialing"]) == {"weekly"}


@pytest.mark.parametrize("tells", ["all", "names", "nothing"])
def test_a_refusal_tells_as_much_as_it_is_set_to(sandbox: Driver, tells: str) -> None:
    """The value and the property, the property alone, or no more than that something was wrong."""
    sandbox.do("/settings", {"refusals_tell": tells}, method="PUT")
    inputs = [{"id": credentialing(sandbox), "properties": {"medicare": "Perhaps", "npi": "1"}}]
    answer = sandbox.objects("update", inputs)
    body = answer.json()
    assert (answer.status_code, body["category"]) == (400, "VALIDATION_ERROR")
    assert ("Perhaps" in answer.text) is (tells == "all")
    assert ("medicare" in json.dumps(body)) is (tells != "nothing")
    assert ("errors" in body) is (tells != "nothing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"object": "nothing", "property": "npi", "rules": []},
        {"object": "credentialing", "property": "npx", "rules": []},
        {"object": "credentialing", "property": "npi", "rules": "x"},
        {"object": "credentialing", "property": "npi", "rules": [{"ruleType": "ODD"}]},
        {"object": "credentialing", "property": "npi", "rules": [{"ruleType": "MAX_LENGTH"}]},
        {
            "object": "credentialing",
            "property": "npi",
            "rules": [{"ruleType": "REGEX", "ruleArguments": ["("]}],
        },
        {"object": "credentialing", "property": "npi", "rules": [], "odd": 1},
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_nothing_changed(sandbox: Driver, wrong: dict[str, Any]) -> None:
    """With what is wrong."""
    assert sandbox.do("/validations", wrong, method="PUT", status=400)["error"]
    assert sandbox.do("/validations", method="GET") == {"validations": {}}
    sandbox.do("/settings", {"refusals_tell": "much"}, method="PUT", status=400)
