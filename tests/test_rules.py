"""docs/rules.md and the tests it names say the same: each rule's sentence is the first line of its test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"^\| (?P<rule>.+?) \| (?P<tests>`tests/.+`) \|$", re.MULTILINE)


def rules() -> list[tuple[str, str]]:
    """Every rule with every test that is said to show it."""
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    return [
        (row["rule"], test.strip("` ")) for row in _ROW.finditer(text) for test in row["tests"].split("`, `")
    ]


def first_line(test: str) -> str:
    """The first line of a test's docstring; the test must be there."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name
    ]
    assert found, f"{test} is not there"
    return (ast.get_docstring(found[0]) or "").partition("\n")[0]


@pytest.mark.parametrize(("rule", "test"), rules(), ids=[test for _, test in rules()])
def test_each_rule_is_the_first_line_of_a_test(rule: str, test: str) -> None:
    assert first_line(test) == rule


def test_the_page_has_rules() -> None:
    """An unreadable page would show nothing."""
    assert len({rule for rule, _ in rules()}) > 60
