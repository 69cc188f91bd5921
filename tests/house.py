"""The house rules of docs/architecture.md, as functions from a source tree to what breaks them."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("demo",),
    ("app",),
    ("web",),
    ("reconcile",),
    ("operate",),
    ("settings", "logs", "metrics", "error_tracker", "notices"),
    ("hubspot", "store"),
    ("core",),
    ("__init__",),
)
"""Top first. A module imports from its own part and from lower floors; two parts of one floor stay apart."""

STAIRS: tuple[tuple[frozenset[str], ...], ...] = (
    (
        frozenset({"reconcile.worker"}),
        frozenset({"reconcile.owner"}),
        frozenset({"reconcile.round"}),
        frozenset({"reconcile.observe", "reconcile.apply"}),
    ),
    (frozenset({"hubspot.associations", "hubspot.objects", "hubspot.schema"}), frozenset({"hubspot.client"})),
    (frozenset({"web.api", "web.console"}),),
)
"""Inside a part, drawn the same way: a step imports lower steps only, and two of one step stay apart."""

CORE_MAY_IMPORT = frozenset({"pydantic", "pydantic_core"})
IMPURE = frozenset(
    [
        "asyncio",
        "concurrent",
        "http",
        "logging",
        "multiprocessing",
        "os",
        "random",
        "secrets",
        "select",
        "selectors",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "threading",
        "time",
        "urllib.request",
    ]
)
CLOCKS = frozenset(
    [
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "uuid.uuid1",
        "uuid.uuid4",
        "uuid1",
        "uuid4",
    ]
)
NAMES_THAT_SAY_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
LONGEST = 400


@dataclass(frozen=True)
class Module:
    """One Python file of the tree; `name` is dotted, a package's `__init__` by the package's own name."""

    path: Path
    root: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def where(self) -> str:
        return self.path.relative_to(self.root).as_posix()

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.where)

    def in_package(self, package: str) -> bool:
        return within(self.name, package)


def within(name: str, package: str) -> bool:
    """Whether a dotted name is the package or lies in it."""
    return name == package or name.startswith(f"{package}.")


def modules(root: Path, *packages: str) -> list[Module]:
    """Every Python file of these packages, in a steady order."""
    return [Module(path, root) for package in packages for path in sorted((root / package).rglob("*.py"))]


def imports(module: Module, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, wherever in the file; `known` tells modules from their members."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            for alias in node.names:
                member = f"{base}.{alias.name}"
                yield node.lineno, member if member in known else base


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    if module.path.name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def imports_go_down(root: Path) -> Iterator[str]:
    """Floors and stairs: no import upwards, none between neighbours, no module without a floor."""
    everything = modules(root, "credsync")
    known = frozenset(module.name for module in everything)
    for module in everything:
        here = _floor(module.name)
        if here is None:
            yield f"{module.where}: has no floor; draw it in docs/architecture.md and in FLOORS"
            continue
        for line, name in imports(module, known):
            if not within(name, "credsync"):
                continue
            there = _floor(name)
            if there is None:
                yield f"{module.where}:{line}: imports {name}, which has no floor"
            elif _part(module.name) != _part(name) and there <= here:
                direction = "up to" if there < here else "sideways to"
                yield f"{module.where}:{line}: imports {direction} {name}"
            else:
                yield from _off_the_stairs(module, line, name)


def _part(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def _floor(name: str) -> int | None:
    return next((number for number, parts in enumerate(FLOORS) if _part(name) in parts), None)


def _off_the_stairs(module: Module, line: int, name: str) -> Iterator[str]:
    for stairs in STAIRS:
        here, mine = _step(module.name, stairs)
        there, other = _step(name, stairs)
        if here is not None and there is not None and there <= here and mine != other:
            yield f"{module.where}:{line}: imports {name} against the stairs inside {_part(name)}/"


def _step(name: str, stairs: tuple[frozenset[str], ...]) -> tuple[int | None, str]:
    for number, step in enumerate(stairs):
        for part in step:
            if within(name, f"credsync.{part}"):
                return number, part
    return None, ""


def no_circles(root: Path) -> Iterator[str]:
    """No module of a package reaches itself by its imports, not even by one inside a function."""
    everything = modules(root, "credsync", "credsync_sandbox")
    known = frozenset(module.name for module in everything)
    leads_to = {module.name: {name for _, name in imports(module, known)} & known for module in everything}
    reported: set[frozenset[str]] = set()
    for start in leads_to:
        circle = _way_back(start, leads_to)
        if circle and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            yield " -> ".join([*circle, start])


def _way_back(start: str, leads_to: dict[str, set[str]]) -> list[str]:
    ways, seen = [[start]], set[str]()
    while ways:
        way = ways.pop(0)
        for name in sorted(leads_to[way[-1]]):
            if name == start and len(way) > 1:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def the_sandbox_stands_alone(root: Path) -> Iterator[str]:
    """The stand-in shares no code with what it judges; only the command line starts it."""
    for module in modules(root, "credsync_sandbox"):
        for line, name in imports(module, frozenset()):
            if within(name, "credsync"):
                yield f"{module.where}:{line}: the sandbox imports {name}"
    for module in modules(root, "credsync"):
        for line, name in imports(module, frozenset()):
            if within(name, "credsync_sandbox") and not module.in_package("credsync.cli"):
                yield f"{module.where}:{line}: imports {name}; only credsync/cli may"


def core_is_pure(root: Path) -> Iterator[str]:
    """No clock, no chance, no database, no network: the standard library's quiet part and pydantic."""
    for module in modules(root, "credsync"):
        if not module.in_package("credsync.core"):
            continue
        for line, name in imports(module, frozenset()):
            top = name.split(".", maxsplit=1)[0]
            if (
                any(within(name, impure) for impure in IMPURE)
                or top not in CORE_MAY_IMPORT | {"credsync"} | sys.stdlib_module_names
            ):
                yield f"{module.where}:{line}: core imports {name}"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute | ast.Name) and _ends_with(ast.unparse(node), CLOCKS):
                yield f"{module.where}:{node.lineno}: core uses {ast.unparse(node)}"


def _ends_with(dotted: str, endings: frozenset[str]) -> bool:
    return any(dotted == ending or dotted.endswith(f".{ending}") for ending in endings)


def names_say_something(root: Path) -> Iterator[str]:
    """A drawer for everything is where things are lost."""
    for module in modules(root, "credsync", "credsync_sandbox", "tests", "bench"):
        if NAMES_THAT_SAY_NOTHING & set(module.name.split(".")):
            yield f"{module.where}: name it after what it holds"


def rooms_are_small(root: Path) -> Iterator[str]:
    """A file far above 250 lines usually holds two jobs."""
    for module in modules(root, "credsync", "credsync_sandbox"):
        length = len(module.text.splitlines())
        if length > LONGEST:
            yield f"{module.where}: {length} lines; {LONGEST} at most"


def nothing_is_left_for_later(root: Path) -> Iterator[str]:
    """What is open is an issue, not a comment."""
    for module in modules(root, "credsync", "credsync_sandbox", "tests", "bench"):
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            if token.type == tokenize.COMMENT and any(
                word in token.string for word in ("TODO", "FIXME", "XXX")
            ):
                yield f"{module.where}:{token.start[0]}: {token.string}"


def nobody_sleeps(root: Path) -> Iterator[str]:
    """Waiting goes through the clock that is handed in; a test that sleeps is slow on good days and red on bad."""
    for module in modules(root, "credsync", "tests"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep":
                yield f"{module.where}:{node.lineno}: time.sleep"
            elif isinstance(node, ast.ImportFrom) and node.module == "time" and _names(node, "sleep"):
                yield f"{module.where}:{node.lineno}: from time import sleep"


def _names(node: ast.ImportFrom, name: str) -> bool:
    return any(alias.name == name for alias in node.names)


RULES: tuple[Callable[[Path], Iterator[str]], ...] = (
    imports_go_down,
    no_circles,
    the_sandbox_stands_alone,
    core_is_pure,
    names_say_something,
    rooms_are_small,
    nothing_is_left_for_later,
    nobody_sleeps,
)
