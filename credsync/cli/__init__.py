"""The command line. A command is thin: it opens what it needs, calls one room below, and says what came of it."""

from __future__ import annotations

import sys

from credsync.cli.commands import commands, hoisted
from credsync.cli.refusals import refusal_of, tell


def main() -> None:
    """The entry point `credsync`: runs the command that was asked for and exits with its code."""
    try:
        commands(args=hoisted(sys.argv[1:]), prog_name="credsync")
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        tell(str(refusal))
        sys.exit(refusal.code)
