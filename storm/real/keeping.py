"""What is kept of a storm that lost something, wrote something wrong or broke off: all that its cause can be found by."""

from __future__ import annotations

import json
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import MetaData

from credsync.store.database import Database
from storm.real.stage import Stage
from tests.oracle import Evidence


def keep(
    stage: Stage, url: str, evidence: Evidence | None, wrongs: Sequence[str], logs: Sequence[Path]
) -> Path:
    """Gives the folder: what was wrong, the oracle's evidence, every process's log, every row of the database.

    `evidence.pickle` is judged again by `tests.oracle.judge`. What cannot be read any more is told in `missing.txt`.
    """
    place = Path(tempfile.mkdtemp(prefix="storm-real-evidence-"))
    missing: list[str] = []
    (place / "wrongs.txt").write_text("\n".join(wrongs) + "\n", "utf-8")
    for log in (*stage.folder.glob("*.log"), *logs):
        shutil.copy(log, place / log.name)
    try:
        evidence = evidence or stage.evidence()
        (place / "evidence.pickle").write_bytes(pickle.dumps(evidence))
    except Exception:  # noqa: BLE001 - whatever broke the storm may have broken this, too
        missing.append(traceback.format_exc())
    try:
        _dump(url, place / "database.jsonl")
    except Exception:  # noqa: BLE001 - the same
        missing.append(traceback.format_exc())
    if missing:
        (place / "missing.txt").write_text("\n".join(missing), "utf-8")
    return place


def _dump(url: str, path: Path) -> None:
    """A line a row: its table and its columns."""
    database = Database(url)
    try:
        with database.read() as connection, path.open("w", encoding="utf-8") as out:
            found = MetaData()
            found.reflect(connection)
            for table in found.sorted_tables:
                for row in connection.execute(table.select()).mappings():
                    print(json.dumps({"table": table.name, **row}, default=str), file=out)
    finally:
        database.close()
