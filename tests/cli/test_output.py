"""Tables and pairs, on a terminal and in a pipe."""

from __future__ import annotations

import sys

import pytest

from credsync.cli.output import say_pairs, say_table

UUID = "0191a7c2-0000-7000-8000-00000000000a"
PROSE = "HubSpot has not created this record yet; credsync keeps looking until it is there."


def test_a_terminal_gets_wrapped_prose_and_whole_ids(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last column wraps, under its own heading."""
    _on_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    say_table(("state", "therapist", "why"), [("waiting", UUID, PROSE)])
    _, first, *more = capsys.readouterr().out.splitlines()
    assert f"waiting  {UUID}  HubSpot" in first
    column = first.index("HubSpot")
    assert len(more) > 1
    assert all(line[:column].isspace() and len(line) <= 80 for line in more)
    assert " ".join([first[column:], *(line.strip() for line in more)]) == PROSE


def test_a_terminal_too_narrow_for_a_column_of_prose_wraps_by_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No id is cut to make room."""
    _on_a_terminal(monkeypatch)
    say_table(("therapist", "record", "why"), [(UUID, "9" * 30, PROSE)])
    assert f"{UUID}  {'9' * 30}  {PROSE}" in capsys.readouterr().out


def test_colour_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A state is coloured there by how bad it is; the word itself says it everywhere."""
    say_pairs({"state": "refused", "why": None})
    assert capsys.readouterr().out == "state  refused\n"
    _on_a_terminal(monkeypatch)
    say_pairs({"state": "refused", "why": None})
    assert "\x1b[31mrefused" in capsys.readouterr().out


def test_a_pipe_gets_one_line_a_row_however_wide(capsys: pytest.CaptureFixture[str]) -> None:
    """For grep and awk; nothing is shown as a dash, so that columns stay columns."""
    say_table(("state", "contact", "why"), [("waiting", None, PROSE * 9), ("held", "77", "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split("  ")[:2] == ["waiting", "-"]
    assert lines[2].split() == ["held", "77", "-"]
    assert len(lines) == 3


def _on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output as a terminal of 80 columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
