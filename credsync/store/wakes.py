"""Wakes between processes on PostgreSQL: what makes a round due at once says so in its own transaction.

Whoever listens (`store/listening`) hears it as the transaction commits, never before and never of one that is undone.
It is a hint: polling finds the same a little later. What may wait for company says nothing, since polling finds it
before its time, and every commit that notifies waits for the one before it.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

CHANNEL = "credsync"
SILENT = "credsync_silent"
"""Execution option of a connection that announces nothing."""

_ANNOUNCE = select(func.pg_notify(CHANNEL, bindparam("portal")))


def announce(connection: Connection, portal: str) -> None:
    """Wake the portal's owner, in whatever process it is, once this transaction commits. Many in one are one."""
    if connection.dialect.name == "postgresql" and not connection.get_execution_options().get(SILENT):
        connection.execute(_ANNOUNCE, {"portal": portal})
