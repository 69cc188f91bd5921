"""The database: there, reachable, on the right version, keeping what it says it kept; and the tokens in it."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from credsync.core.alert_words import AlertText, words_of
from credsync.core.alerts import AlertKind, Cause, Holding
from credsync.core.denials import Denied
from credsync.operate.doctor_webhooks import webhooks_that_came
from credsync.operate.findings import Finding, advice, failing, ok
from credsync.store import schema
from credsync.store.clock import Clock, say_time
from credsync.store.database import Database
from credsync.store.portals import statuses
from credsync.store.tokens import any_token

CONNECT_SECONDS = 5


def examine_database(url: str, clock: Clock) -> list[Finding]:
    """Opens it and looks; makes no file and changes nothing."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return [failing("database", "The setting `database_url` is no database address.", _ADDRESSES)]
    kind = parsed.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        return [failing("database", f"credsync does not work on {kind}.", _ADDRESSES)]
    if kind == "sqlite":
        absent = _file(parsed)
        if absent is not None:
            return [absent]
    elif "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    try:
        database = Database(parsed.render_as_string(hide_password=False), clock)
    except (SQLAlchemyError, OSError, ValueError, ImportError) as error:
        return [_unreachable(parsed, error)]
    try:
        return _opened(database, parsed)
    except (SQLAlchemyError, OSError) as error:
        return [_unreachable(parsed, error)]
    finally:
        database.close()


_ADDRESSES = "set `database_url` to sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


def _file(url: URL) -> Finding | None:
    """What keeps a SQLite file from being opened, if anything does."""
    if not url.database or url.database == ":memory:":
        return failing(
            "database",
            "The database lives in memory: all is lost when the process ends.",
            "set `database_url` to sqlite:///FILE",
        )
    path = Path(url.database)
    if not path.exists():
        there = next(parent for parent in (path.absolute()).parents if parent.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            return failing(
                "database",
                f"There is no {path}, and {there} does not let it be made.",
                "let the service's user write there, or set `database_url` to another place",
            )
        return failing("database", f"There is no {path} yet.", "run `credsync db upgrade`, which makes it")
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        return failing(
            "database",
            f"{path} or its directory may not be written.",
            "let the service's user write both (SQLite keeps its log beside the file)",
        )
    return None


def _opened(database: Database, url: URL) -> list[Finding]:
    where = url.database if database.is_sqlite else f"{url.host or 'the local server'}, {url.database}"
    with database.read() as connection:
        durable = _sqlite(connection) if database.is_sqlite else _postgresql(connection)
    findings = [ok("database", f"The database answers: {where}."), durable]
    try:
        schema.check(database)
    except schema.SchemaMismatch as error:
        return [
            *findings,
            failing("schema", str(error), "run `credsync db upgrade` (after a backup), then start again"),
        ]
    findings.append(ok("schema", f"The schema is on version {schema.wanted_version()}."))
    with database.read() as connection:
        findings.append(_tokens(connection))
        findings += _portals(connection)
        named = [status.name for status in statuses(connection)]
        findings += webhooks_that_came(connection, named, database.clock.now())
    return findings


def _sqlite(connection: Connection) -> Finding:
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if journal == "wal" and synchronous == 2:
        return ok(
            "durability", "SQLite keeps a write-ahead log and writes it through (WAL, synchronous=FULL)."
        )
    return failing(
        "durability",
        f"SQLite cannot keep its write-ahead log here (journal_mode is {journal}, synchronous {synchronous}).",
        "put the file on a local disk; network file systems cannot hold it",
    )


def _postgresql(connection: Connection) -> Finding:
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if connection.exec_driver_sql(f"SHOW {name}").scalar() == "off"
    ]
    if not off:
        return ok("durability", "PostgreSQL writes through what it commits.")
    return advice(
        "durability",
        f"PostgreSQL may lose what it committed when its machine fails: off are {', '.join(off)}.",
        f"set {', '.join(off)} to on; an accepted submission must survive a power cut",
    )


def _tokens(connection: Connection) -> Finding:
    if any_token(connection):
        return ok("tokens", "There is at least one API token.")
    return advice(
        "tokens",
        "There is no API token, so nobody may call the API.",
        "run `credsync token create NAME --scope intake`, and give the token to the backend",
    )


def _portals(connection: Connection) -> list[Finding]:
    findings = []
    for status in statuses(connection):
        name = f"portal {status.name}: rounds"
        findings += [_denied(status.name, each) for each in status.denied]
        if status.paused_by_us:
            words = words_of(Cause(status.name, AlertKind.PORTAL_UNAUTHORIZED), Holding())
            findings.append(failing(name, f"{words.title} (401). {words.message}", _remedy(words)))
        elif status.paused_at is not None:
            why = f": {status.paused_reason}" if status.paused_reason else ""
            message = f"{status.paused_by} paused the portal{why}."
            findings.append(
                advice(name, message, f"run `credsync portal resume {status.name}` when it may go on")
            )
        elif status.problem:
            until = f" Until {say_time(status.problem_until)}." if status.problem_until is not None else ""
            message = f"The last round could not run: {status.problem.rstrip('.')}.{until}"
            findings.append(advice(name, message, "the findings on this portal below say what to do"))
    return findings


def _denied(portal: str, denied: Denied) -> Finding:
    """What HubSpot said last; it is not asked here, so it may have changed its mind since."""
    cause = Cause(portal, AlertKind.PORTAL_FORBIDDEN, denied.object, verb=denied.verb.value)
    words = words_of(cause, Holding(details={"scopes": denied.scopes}))
    name = f"portal {portal}: {denied.object} ({denied.verb.value})"
    return failing(name, f"{words.title} (403, as HubSpot last said). {words.message}", _remedy(words))


def _remedy(words: AlertText) -> str:
    return f"{words.remedy[:1].lower()}{words.remedy[1:].rstrip('.')}"


def _unreachable(url: URL, error: Exception) -> Finding:
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    password = url.password
    if password:
        said = said.replace(str(password), "***")
    message = f"The database does not answer ({type(error).__name__}): {said[:300].rstrip('.')}."
    return failing(
        "database", message, "start it, or correct `database_url` (host, port, user, password, name)"
    )
