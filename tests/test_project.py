"""What leaves the clone is whole, pinned and clean: the wheel, the pins, the Makefile, the text of every file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PINS = sorted((ROOT / "requirements").glob("*.txt"))
REMEDY = re.compile(r"^credsync: [^\n]+, then run make again\.$")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The names in the wheel, built as `make wheel` builds it."""
    place = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    [path] = place.glob("*.whl")
    with ZipFile(path) as archive:
        return frozenset(archive.namelist())


def test_the_wheel_holds_both_packages_and_their_types(wheel: frozenset[str]) -> None:
    """Whoever installs the wheel gets the service, the stand-in, and their type hints."""
    for package in ("credsync", "credsync_sandbox"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= wheel


def test_the_wheel_holds_every_file_of_the_packages(wheel: frozenset[str]) -> None:
    """Migrations, their environment and template, pages: what the code opens at run time is inside."""
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in ("credsync", "credsync_sandbox")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wanted <= wheel


def test_the_wheel_can_migrate_a_database(wheel: frozenset[str]) -> None:
    """`credsync db upgrade` works where there is no clone."""
    inside = {
        name.removeprefix("credsync/store/migrations/") for name in wheel if "/store/migrations/" in name
    }
    assert {"env.py", "script.py.mako"} <= inside
    assert any(re.fullmatch(r"versions/(?!__init__)\w+\.py", name) for name in inside)


def test_the_wheel_holds_nothing_else(wheel: frozenset[str]) -> None:
    """No test, no benchmark, no document of ours lands in somebody's site-packages."""
    assert {name.partition("/")[0] for name in wheel} == {
        "credsync",
        "credsync_sandbox",
        "credsync-0.1.0.dist-info",
    }


@pytest.mark.parametrize("pins", PINS, ids=lambda path: path.name)
def test_every_pin_is_exact_and_has_a_hash(pins: Path) -> None:
    """What is installed tomorrow is, byte for byte, what was tested today."""
    entries = re.split(r"\n(?=\S)", _without_comments(pins.read_text()))
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^\s;]+( ; .+)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+$", entry), (
            entry
        )


@pytest.mark.parametrize("pins", PINS, ids=lambda path: path.name)
def test_no_pin_names_an_index(pins: Path) -> None:
    """Where packages come from is the machine's setting, not the project's."""
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", pins.read_text())


@pytest.mark.parametrize(
    ("pins", "groups"), [("run.txt", ()), ("build.txt", ("build",)), ("dev.txt", ("build", "test", "dev"))]
)
def test_every_declared_dependency_is_pinned(pins: str, groups: tuple[str, ...]) -> None:
    """pyproject.toml and the pins are one list; `make requirements` compiles it again."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = [] if pins == "build.txt" else list(project["project"]["dependencies"])
    for group in groups:
        declared += [entry for entry in project["dependency-groups"][group] if isinstance(entry, str)]
    pinned = _pinned(ROOT / "requirements" / pins)
    for requirement in map(Requirement, declared):
        assert requirement.name in pinned, f"{requirement.name}: run make requirements"
        assert pinned[requirement.name] in requirement.specifier, f"{requirement}: run make requirements"


def test_the_pins_agree_with_each_other() -> None:
    """The tests run on the versions that the service runs on."""
    tested = _pinned(ROOT / "requirements" / "dev.txt")
    for name in ("run.txt", "build.txt"):
        assert _pinned(ROOT / "requirements" / name).items() <= tested.items()


@pytest.mark.parametrize("tests", ["sdk", "browser"])
def test_every_node_package_is_exact_has_a_hash_and_names_no_registry(tests: str) -> None:
    """What the tests need of Node, as `npm install --omit-lockfile-registry-resolved` locks it."""
    place = ROOT / "tests" / tests / "node"
    package = json.loads((place / "package.json").read_text())
    lock = json.loads((place / "package-lock.json").read_text())
    packages = lock["packages"]
    assert packages.pop("")["dependencies"] == package["dependencies"]
    assert {name.removeprefix("node_modules/") for name in packages} >= set(package["dependencies"])
    for name, version in package["dependencies"].items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for name, entry in packages.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", entry["version"]), name
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_what_the_code_imports_is_declared() -> None:
    """A package that only happens to be installed is missing where the service runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = {Requirement(entry).name for entry in project["project"]["dependencies"]}
    comes_with = {
        "pydantic_core": "pydantic",
        "starlette": "fastapi",
        "click": "typer",
        "mako": "alembic",
        "argon2": "argon2-cffi",
        "joserfc": "authlib",
    }
    known = sys.stdlib_module_names | {"credsync", "credsync_sandbox"}
    for path in [*(ROOT / "credsync").rglob("*.py"), *(ROOT / "credsync_sandbox").rglob("*.py")]:
        for name in re.findall(r"^\s*(?:from|import) +(\w+)", path.read_text(), re.MULTILINE):
            if name not in known:
                package = comes_with.get(name, name).replace("_", "-")
                assert package in declared, f"{path.relative_to(ROOT)} imports {name}"


def test_no_file_names_a_registry_or_somebodys_home() -> None:
    """Neither belongs to the project, and both break on the next machine."""
    hosts = (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"), ("deb", "debian", "org"))
    homes = r"(?<![\w.<>-])/(?:home|Users)/\w|(?<![\w.<>-])/roo[t]\b|(?<![\w.<>-])/work/(?:main|shared)\b"
    forbidden = re.compile("|".join([*(re.escape(".".join(host)) for host in hosts), homes]))
    for path, text in _texts():
        found = forbidden.search(text)
        assert not found, f"{path.relative_to(ROOT)}: {found and found[0]}"


def test_every_command_a_document_shows_exists() -> None:
    """`make X` in a code block of README or docs/ is a target of the Makefile."""
    shown = {
        (path.name, target)
        for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        if path.exists()
        for block in re.findall(
            r"^```(?:console|sh|bash|shell)\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE
        )
        for target in re.findall(r"^(?:\$ +)?make +([a-z][\w-]*)", block, re.MULTILINE)
    }
    assert {target for _, target in shown} <= _targets(), shown


def test_make_alone_lists_every_target() -> None:
    """A person who types `make` sees what there is, a sentence each."""
    listed = _make().stdout
    assert set(re.findall(r"^make ([a-z-]+) +\S", listed, re.MULTILINE)) == _targets() - {"help"}


def test_the_makefile_says_what_to_do_where_python_is_too_old(tmp_path: Path) -> None:
    """One sentence with the remedy, on a machine whose python3 is of another age."""
    old = _program(tmp_path / "old python3", "exit 1")
    made = _make("setup", f"PYTHON={old}", cwd=_bare_clone(tmp_path), path=_bare_path(tmp_path))
    assert made.returncode != 0
    assert REMEDY.match(made.stderr.splitlines()[0])
    assert "Python 3.11" in made.stderr


def test_the_makefile_says_what_to_do_where_ensurepip_is_missing(tmp_path: Path) -> None:
    """Bare Debian: python3 is there, its venv module makes nothing, and there is no pip either."""
    bare = _program(
        tmp_path / "bare python3",
        f'case "$1 $2" in "-m venv"|"-m virtualenv"|"-m pip") echo missing >&2; exit 1;; esac\n'
        f'exec "{sys.executable}" "$@"',
    )
    clone = _bare_clone(tmp_path)
    made = _make("setup", f"PYTHON={bare}", cwd=clone, path=_bare_path(tmp_path))
    assert made.returncode != 0
    assert REMEDY.match(made.stderr.splitlines()[0])
    assert "apt-get install python3-venv" in made.stderr
    assert not (clone / ".venv").exists()


def test_the_makefile_says_what_to_do_where_node_is_missing_or_too_old(tmp_path: Path) -> None:
    """One sentence with the remedy, for somebody who is not root."""
    clone = _bare_clone(tmp_path)
    judge = clone / "tests" / "sdk" / "node"
    judge.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (judge / name).write_text((ROOT / "tests" / "sdk" / "node" / name).read_text())
    path = _bare_path(tmp_path)
    for program in (None, "node"):
        if program:
            _program(Path(path) / "npm", "exit 0")
            _program(Path(path) / program, "exit 1")
        made = _make("tests/sdk/node/node_modules/.installed", cwd=clone, path=path)
        assert made.returncode != 0
        [said] = [line for line in made.stderr.splitlines() if line.startswith("credsync:")]
        assert REMEDY.match(said)
        assert "apt-get install nodejs npm" in said
        assert not (judge / "node_modules").exists()


def test_the_makefile_says_what_to_do_where_no_browser_is(tmp_path: Path) -> None:
    """One sentence with the remedy, for somebody who is not root."""
    clone = _bare_clone(tmp_path)
    made = _make("-o", ".venv/.installed-dev", ".venv/.browser", cwd=clone, path=_bare_path(tmp_path))
    assert made.returncode != 0
    [said] = [line for line in made.stderr.splitlines() if line.startswith("credsync:")]
    assert REMEDY.match(said)
    assert "apt-get install chromium" in said
    assert not (clone / ".venv" / ".browser").exists()


def test_the_makefile_installs_node_where_root_may(tmp_path: Path) -> None:
    """On Debian as root; then the client itself, by its lock."""
    clone = _bare_clone(tmp_path)
    judge = clone / "tests" / "sdk" / "node"
    judge.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        (judge / name).write_text((ROOT / "tests" / "sdk" / "node" / name).read_text())
    path = _bare_path(tmp_path, "mkdir", "touch", "chmod", "cp")
    log = tmp_path / "log"
    _program(Path(path) / "id", "echo 0")
    npm = f'echo "npm $*" >> "{log}"; mkdir -p node_modules'
    _program(tmp_path / "npm", npm)
    _program(tmp_path / "node", "exit 0")
    _program(
        Path(path) / "apt-get",
        f'echo "apt-get $*" >> "{log}"; [ "$1" = update ] || cp "{tmp_path}/npm" "{tmp_path}/node" "{path}"',
    )
    made = _make("tests/sdk/node/node_modules/.installed", cwd=clone, path=path)
    assert made.returncode == 0, made.stderr
    update, install, ci = log.read_text().splitlines()
    assert update.startswith("apt-get update")
    assert install.endswith("nodejs npm")
    assert ci.startswith("npm ci --ignore-scripts")
    assert (judge / "node_modules" / ".installed").exists()


def _make(
    *arguments: str, cwd: Path = ROOT, path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "LC_ALL": "C"}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def _bare_clone(tmp_path: Path) -> Path:
    """The Makefile alone, in a directory whose name has a space."""
    clone = tmp_path / "a clone"
    clone.mkdir()
    (clone / "Makefile").write_text((ROOT / "Makefile").read_text())
    return clone


def _bare_path(tmp_path: Path, *more: str) -> str:
    """A PATH with make and what its recipes call, and no Python, uv, virtualenv or Node that the machine may have."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "sh", "cat", "rm", "sed", *more):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    return str(programs)


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _targets() -> set[str]:
    [line] = re.findall(r"^\.PHONY: ([a-z -]+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return set(line.split())


def _pinned(pins: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", pins.read_text(), re.MULTILINE))


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


@cache
def _texts() -> list[tuple[Path, str]]:
    """Every file of the project that git would keep; all but hidden directories where there is no git."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part[0] == "." or part == "node_modules" for part in path.relative_to(ROOT).parts)
        ]
    return [
        (path, path.read_text(errors="ignore")) for path in paths if path.is_file() and path.suffix != ".pyc"
    ]
