"""What a measure stands on that needs no service: a folder, a sandbox, its judge, and the portal that is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.judge import Judge
from bench.portal import NAME
from bench.processes import Process, sandbox_process, temporary_folder
from credsync.core.portal import Portal
from credsync.core.portal_file import parse_portal


@dataclass(frozen=True, slots=True)
class Ground:
    """A running sandbox; a service may be started on the folder."""

    folder: Path
    sandbox: Process
    judge: Judge
    portal: Portal


@contextmanager
def ground(*, writes: int = 2, speed: float = 1.0) -> Iterator[Ground]:
    """All of it, until the block ends."""
    with ExitStack() as undo:
        folder = undo.enter_context(temporary_folder())
        sandbox = undo.enter_context(sandbox_process(folder, speed=speed, writes=writes))
        judge = undo.enter_context(closing(Judge(sandbox.url)))
        text = (folder / "portals" / f"{NAME}.toml").read_text(encoding="utf-8")
        yield Ground(folder, sandbox, judge, parse_portal(NAME, text))
