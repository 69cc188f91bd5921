"""What the loss of a record owes: which writes its successor gets again (domain.md, rules: Loss, ESU)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from credsync.core.links import Link, LinkHistory, LinkState
from credsync.core.reasons import Reason
from credsync.core.writes import Cause, Write, WriteState

MADE_FOR_IT = timedelta(seconds=10)
"""A record made so shortly before an Extended Sign Up was made for it: the backend reports what it has begun."""


def gone_meanwhile(
    writes: Iterable[Write], link: Link, present: Collection[str], now: datetime
) -> Sequence[LinkHistory]:
    """What a slot was last written to, when that is no longer there once it is no longer ambiguous.

    While it was ambiguous it had no holder that could have been seen to go.
    """
    if link.state is not LinkState.FOUND:
        return ()
    written = (WriteState.WRITTEN, WriteState.PARTIAL)
    last = {w.key: w.record_id for w in writes if w.slot == link.slot and w.state in written}
    records = {record_id for record_id in last.values() if record_id is not None}
    return [
        LinkHistory(link.slot, record_id, None, now, Reason.RECORD_LOST)
        for record_id in sorted(records - set(present))
    ]


def after_loss(
    stored: Iterable[Write], lost: Iterable[LinkHistory], enrolment: int, enrolment_since: datetime | None
) -> list[Write]:
    """The stored writes, with what a lost record's successor is owed in the current enrolment.

    A deleted or unlinked record's successor gets the enrolment's data again. After a mere label move what was written
    stays written, unless this enrolment wrote it to a holder from before its own sign-up: one that was found, or is
    known to have been made, before it.
    """
    writes = list(stored)
    for loss in lost:
        stale = enrolment_since is not None and (
            (loss.found_at is not None and loss.found_at <= enrolment_since)
            or (loss.created_at is not None and loss.created_at <= enrolment_since - MADE_FOR_IT)
        )
        owed = loss.reason is Reason.RECORD_LOST or stale
        for index, write in enumerate(list(writes)):
            if write.slot != loss.slot or write.record_id != loss.record_id:
                continue
            if write.state is WriteState.UNKNOWN:
                writes[index] = replace(
                    write,
                    state=WriteState.WAITING,
                    reason=loss.reason,
                    cause=Cause.SUCCESSOR,
                    not_before=None,
                )
            elif (
                owed
                and write.enrolment == enrolment
                and write.state in (WriteState.WRITTEN, WriteState.PARTIAL)
            ):
                _owe(writes, write, loss.reason)
    return writes


def _owe(writes: list[Write], write: Write, reason: Reason) -> None:
    """Put all that was sent, or is about to be, under a lost write's key into one unsent row: the one there, or a new one."""
    without = (WriteState.SUPERSEDED, WriteState.HELD)
    same = [w for w in writes if w.key == write.key and w.state not in without]
    carried = frozenset(s for w in same for s in w.submissions)
    for index, row in enumerate(writes):
        if row.key == write.key and row.state in (WriteState.WAITING, WriteState.DUE):
            cause = Cause.SYNC if row.cause is Cause.SYNC else Cause.SUCCESSOR
            writes[index] = replace(row, submissions=carried, cause=cause)
            return
    writes.append(_successor(write, carried, reason))


def _successor(write: Write, carried: frozenset[int], reason: Reason) -> Write:
    return replace(
        write,
        id=None,
        submissions=carried,
        state=WriteState.WAITING,
        reason=reason,
        cause=Cause.SUCCESSOR,
        record_id=None,
        attempts=0,
        sent_at=None,
        wrote=frozenset(),
        refused=frozenset(),
        not_before=None,
    )
