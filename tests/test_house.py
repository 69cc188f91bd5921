"""The house rules hold here, and each is seen to fail on a tree that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import (
    LONGEST,
    RULES,
    core_is_pure,
    imports_go_down,
    names_say_something,
    no_circles,
    nobody_sleeps,
    nothing_is_left_for_later,
    rooms_are_small,
    the_sandbox_stands_alone,
)

Rule = Callable[[Path], Iterator[str]]

BROKEN: list[tuple[Rule, dict[str, str], str]] = [
    (
        imports_go_down,
        {"credsync/core/decide.py": "import credsync.store.links"},
        "up to credsync.store.links",
    ),
    (
        imports_go_down,
        {"credsync/core/decide.py": "from credsync import app", "credsync/app.py": ""},
        "up to credsync.app",
    ),
    (imports_go_down, {"credsync/core/decide.py": "from ..web import api"}, "up to credsync.web"),
    (imports_go_down, {"credsync/core/__init__.py": "from ..web import api"}, "up to credsync.web"),
    (imports_go_down, {"credsync/store/intake.py": "from credsync.hubspot import client"}, "sideways to"),
    (imports_go_down, {"credsync/hubspot/client.py": "from credsync.store import links"}, "sideways to"),
    (imports_go_down, {"credsync/operate/doctor.py": "def f():\n import credsync.reconcile.round"}, "up to"),
    (imports_go_down, {"credsync/__init__.py": "from credsync.core import slots"}, "up to credsync.core"),
    (imports_go_down, {"credsync/reconcile/round.py": "from .worker import run"}, "against the stairs"),
    (
        imports_go_down,
        {"credsync/reconcile/apply.py": "from . import observe", "credsync/reconcile/observe.py": ""},
        "against the stairs",
    ),
    (
        imports_go_down,
        {
            "credsync/hubspot/client.py": "from credsync.hubspot import schema",
            "credsync/hubspot/schema.py": "",
        },
        "against the stairs",
    ),
    (
        imports_go_down,
        {"credsync/web/api/sync.py": "import credsync.web.console.pages"},
        "against the stairs",
    ),
    (imports_go_down, {"credsync/attic.py": ""}, "has no floor"),
    (imports_go_down, {"credsync/cli/serve.py": "import credsync.attic"}, "has no floor"),
    (
        no_circles,
        {
            "credsync/core/a.py": "from credsync.core.b import B",
            "credsync/core/b.py": "from credsync.core import a",
        },
        "credsync.core.a -> credsync.core.b -> credsync.core.a",
    ),
    (
        the_sandbox_stands_alone,
        {"credsync_sandbox/calls.py": "from credsync.hubspot import client"},
        "imports credsync",
    ),
    (
        the_sandbox_stands_alone,
        {"credsync/app.py": "import credsync_sandbox.server"},
        "only credsync/cli may",
    ),
    (core_is_pure, {"credsync/core/decide.py": "from sqlalchemy import select"}, "core imports sqlalchemy"),
    (core_is_pure, {"credsync/core/decide.py": "import httpx2"}, "core imports httpx2"),
    (core_is_pure, {"credsync/core/decide.py": "import asyncio"}, "core imports asyncio"),
    (core_is_pure, {"credsync/core/decide.py": "from time import monotonic"}, "core imports time"),
    (core_is_pure, {"credsync/core/decide.py": "import random"}, "core imports random"),
    (core_is_pure, {"credsync/core/decide.py": "import urllib.request"}, "core imports urllib.request"),
    (core_is_pure, {"credsync/core/decide.py": "now = datetime.now(UTC)"}, "core uses datetime.now"),
    (core_is_pure, {"credsync/core/decide.py": "now = datetime.datetime.utcnow()"}, "datetime.utcnow"),
    (
        core_is_pure,
        {"credsync/core/decide.py": "x = field(default_factory=uuid.uuid4)"},
        "core uses uuid.uuid4",
    ),
    (names_say_something, {"credsync/store/utils.py": ""}, "name it after what it holds"),
    (names_say_something, {"credsync_sandbox/common/__init__.py": ""}, "name it after what it holds"),
    (rooms_are_small, {"credsync/app.py": "pass\n" * (LONGEST + 1)}, "401 lines"),
    (nothing_is_left_for_later, {"credsync/app.py": "x = 1  # TODO: two"}, "app.py:1"),
    (nothing_is_left_for_later, {"tests/test_app.py": "# FIXME"}, "test_app.py:1"),
    (nobody_sleeps, {"credsync/app.py": "import time\ntime.sleep(1)"}, "app.py:2"),
    (nobody_sleeps, {"tests/test_app.py": "from time import sleep"}, "test_app.py:1"),
]

SOUND = {
    "credsync/__init__.py": "",
    "credsync/__main__.py": "from credsync.cli import main",
    "credsync/cli/__init__.py": "import credsync.app\nimport credsync_sandbox.server",
    "credsync/app.py": "from credsync import settings\nfrom credsync.web import api",
    "credsync/settings.py": "from pathlib import Path",
    "credsync/web/api/__init__.py": "from credsync.store import intake",
    "credsync/reconcile/worker.py": "from . import round",
    "credsync/reconcile/round.py": "from credsync.operate import alerts\nfrom .observe import look",
    "credsync/reconcile/observe.py": "from credsync.hubspot.associations import read",
    "credsync/operate/alerts.py": "from credsync.store import links",
    "credsync/hubspot/associations.py": "import httpx2\nfrom credsync.hubspot.client import Client",
    "credsync/hubspot/client.py": "import asyncio",
    "credsync/store/intake.py": "from credsync.core import slots\nfrom datetime import datetime\ndatetime.now()",
    "credsync/core/slots.py": "import pydantic\nfrom datetime import datetime\nsaid = 'TODO time.sleep(1)'",
    "credsync_sandbox/server.py": "import time\ntime.sleep(0)",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_rule_holds(rule: Rule, request: pytest.FixtureRequest) -> None:
    """Every rule, over this project's own source."""
    assert list(rule(request.config.rootpath)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_lets_a_sound_house_stand(rule: Rule, tmp_path: Path) -> None:
    """A rule that finds fault with what design allows would be worked around."""
    build(tmp_path, SOUND)
    assert list(rule(tmp_path)) == []


@pytest.mark.parametrize(
    ("rule", "files", "says"), BROKEN, ids=[f"{r.__name__}-{n}" for n, (r, _, _) in enumerate(BROKEN)]
)
def test_the_rule_finds_what_breaks_it(rule: Rule, files: dict[str, str], says: str, tmp_path: Path) -> None:
    """A checker that never failed proves nothing."""
    build(tmp_path, files)
    found = list(rule(tmp_path))
    assert len(found) == 1
    assert says in found[0]


def test_every_rule_is_seen_to_fail() -> None:
    """A rule added without a broken tree of its own is found here."""
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def build(root: Path, files: dict[str, str]) -> None:
    """Write a made-up source tree."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
