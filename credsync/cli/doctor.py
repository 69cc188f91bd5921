"""`credsync doctor`: what is well, what somebody should look at, and what does not work, each with its remedy."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from credsync.cli.opening import settings_of
from credsync.cli.output import Json, say, say_json, say_table
from credsync.cli.refusals import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credsync.core.portal import Portal
    from credsync.operate.doctor import Finding
    from credsync.settings import Settings, SettingsError


def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Examine settings, database, and each portal as HubSpot has it. Changes nothing; exit 1 if something fails."""
    settings = settings_of(ctx)
    import anyio

    from credsync.app import edge_to
    from credsync.operate.doctor import Level, examine, worst

    findings = anyio.run(examine, settings, _portals(settings), edge_to)
    if as_json:
        say_json({"worst": worst(findings), "findings": [asdict(each) for each in findings]})
    else:
        say_table(("", "examined", "found"), [_row(each) for each in findings])
        counts = {level: sum(each.level is level for each in findings) for level in Level}
        say("\n" + ", ".join(f"{count} {level}" for level, count in counts.items() if count))
    if worst(findings) is Level.FAILING:
        raise typer.Exit(Code.FAILED)


def _portals(settings: Settings) -> Mapping[str, Portal] | SettingsError:
    from credsync.app import load_portals
    from credsync.settings import SettingsError

    try:
        return load_portals(settings.portals)
    except SettingsError as error:
        return error


def _row(finding: Finding) -> tuple[str, str, str]:
    remedy = f" To do: {finding.remedy.rstrip('.')}." if finding.remedy else ""
    return finding.level.value, finding.name, f"{finding.message}{remedy}"
