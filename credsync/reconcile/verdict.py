"""What a record's verdict means for each write that was in it, and what the timeline says of that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credsync.core.denials import reason_of_failure
from credsync.core.events import EventName
from credsync.core.outgoing import Carried, share_of
from credsync.core.reasons import Reason
from credsync.core.schedule import Policy, send_again_after
from credsync.core.stamps import STAMP_REFUSED
from credsync.core.verdicts import Outcome, PropertyFault, Stamp, Verdict
from credsync.core.writes import Cause, Write, WriteState
from credsync.store.rounds import Verified


@dataclass(frozen=True, slots=True)
class Ended:
    """A write after its verdict; `event` is None while it is merely tried again."""

    write: Write
    verified: Verified
    event: EventName | None


_ENDS: dict[Outcome, tuple[WriteState, Reason, EventName | None]] = {
    Outcome.WRITTEN: (WriteState.WRITTEN, Reason.NONE, EventName.WRITE_WRITTEN),
    Outcome.PARTIAL: (WriteState.PARTIAL, Reason.PROPERTIES_REFUSED, EventName.WRITE_PARTIAL),
    Outcome.REFUSED: (WriteState.REFUSED, Reason.REFUSED_BY_HUBSPOT, EventName.WRITE_REFUSED),
    Outcome.MISSING: (WriteState.WAITING, Reason.RECORD_MISSING, None),
    Outcome.UNKNOWN: (WriteState.UNKNOWN, Reason.NO_VERDICT, EventName.WRITE_UNKNOWN),
    Outcome.NOT_SENT: (WriteState.DUE, Reason.SEND_FAILED, None),
}


_TRIED_AGAIN = (Outcome.MISSING, Outcome.UNKNOWN, Outcome.NOT_SENT)
"""After a while, but for what waits until the token may do it: whoever notices that brings all of it back."""


def end_of(
    write: Write,
    carried: Carried,
    verdict: Verdict,
    now: datetime,
    policy: Policy,
    stamp: Stamp | None = None,
) -> Ended:
    """A write's new state from the verdict of the record it went to.

    A refused stamp changes nothing of it: it is told beside the write's properties, and no more.
    """
    own = share_of(verdict, carried)
    state, reason, event = _ENDS[own.outcome]
    again = None
    if own.outcome is Outcome.NOT_SENT and (stop := reason_of_failure(own.code, Reason.NONE)):
        state, reason = WriteState.WAITING, stop
    if reason is not Reason.MISSING_SCOPES and own.outcome in _TRIED_AGAIN:
        asked = timedelta(seconds=verdict.retry_after or 0)
        again = now + max(asked, send_again_after(write.attempts - 1, policy))
    told = _properties(own, carried)
    ended = replace(
        write,
        state=state,
        reason=reason,
        not_before=again,
        cause=Cause.SUCCESSOR if own.outcome is Outcome.MISSING else write.cause,
        wrote=frozenset(p["name"] for p in told if p["state"] == "written"),
        refused=frozenset(p["name"] for p in told if p["state"] == "refused"),
    )
    message = f"{own.code}: {own.message}".strip(": ") if own.outcome is not Outcome.WRITTEN else ""
    faults = [fault for fault in verdict.faults if stamp is not None and fault.name == stamp.name]
    unstamped = [{**_refused(fault), "state": STAMP_REFUSED} for fault in faults]
    verified = Verified([*told, *unstamped], own.correlation_ids, message, now)
    return Ended(ended, verified, event)


def _properties(own: Verdict, carried: Carried) -> list[dict[str, str]]:
    refused = {fault.name: fault for fault in own.faults}
    state = "written" if own.outcome in (Outcome.WRITTEN, Outcome.PARTIAL) else own.outcome.value
    told = []
    for name in dict.fromkeys([*carried.names, *refused]):
        fault = refused.get(name)
        if fault is not None:
            told.append(_refused(fault))
        else:
            told.append({"name": name, "state": state, "code": "", "message": ""})
    return told


def _refused(fault: PropertyFault) -> dict[str, str]:
    return {"name": fault.name, "state": "refused", "code": fault.code, "message": fault.message}
