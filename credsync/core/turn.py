"""Whose turn it is: who has to do something before a therapist's data gets on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from credsync.core.reasons import Reason
from credsync.core.states import NEEDS_A_PERSON, TherapistState


class Turn(StrEnum):
    """Who acts next."""

    NOBODY = "nobody"
    HUBSPOT = "hubspot"
    CREDSYNC = "credsync"
    SUCCESS = "success"
    ADMIN = "admin"
    THERAPIST = "therapist"


_OF_A_WAIT: Final = {
    Reason.NONE: Turn.CREDSYNC,
    Reason.NOT_LOOKED_YET: Turn.CREDSYNC,
    Reason.NO_CONTACT: Turn.ADMIN,
    Reason.CONTACT_GONE: Turn.SUCCESS,
    Reason.CONTACT_OF_TWO_THERAPISTS: Turn.SUCCESS,
    Reason.RECORD_AWAITED: Turn.HUBSPOT,
    Reason.PARENT_AWAITED: Turn.HUBSPOT,
    Reason.LOOK_FAILED: Turn.CREDSYNC,
    Reason.RECORD_LOST: Turn.SUCCESS,
    Reason.LABEL_MOVED: Turn.SUCCESS,
    Reason.SETTLING: Turn.HUBSPOT,
    Reason.OVERDUE: Turn.HUBSPOT,
    Reason.GIVEN_UP: Turn.SUCCESS,
    Reason.TWO_RECORDS_IN_SLOT: Turn.SUCCESS,
    Reason.RECORD_OF_TWO_THERAPISTS: Turn.SUCCESS,
    Reason.CHOSEN_BY_PERSON: Turn.CREDSYNC,
    Reason.CHOSEN_FOR_ANOTHER: Turn.SUCCESS,
    Reason.MOVING_UNKNOWN: Turn.THERAPIST,
    Reason.OLDER_THAN_SIGN_UP: Turn.SUCCESS,
    Reason.OBSERVE_ONLY: Turn.ADMIN,
    Reason.RESTORED: Turn.CREDSYNC,
    Reason.RESTORED_DIFFERS: Turn.SUCCESS,
    Reason.PORTAL_PAUSED: Turn.ADMIN,
    Reason.PORTAL_UNAUTHORIZED: Turn.ADMIN,
    Reason.MISSING_SCOPES: Turn.ADMIN,
    Reason.NEWER_SUBMISSION: Turn.NOBODY,
    Reason.NEWER_SIGN_UP: Turn.SUCCESS,
    Reason.NOT_MAPPED: Turn.ADMIN,
    Reason.LIST_REPLACED: Turn.NOBODY,
    Reason.SENT_BY_SYNC: Turn.NOBODY,
    Reason.JOINED_ANOTHER: Turn.CREDSYNC,
    Reason.SEND_FAILED: Turn.CREDSYNC,
    Reason.NO_VERDICT: Turn.CREDSYNC,
    Reason.RECORD_MISSING: Turn.CREDSYNC,
    Reason.PROPERTIES_REFUSED: Turn.SUCCESS,
    Reason.REFUSED_BY_HUBSPOT: Turn.SUCCESS,
}


def whose_turn(state: TherapistState, reason: Reason, *, portal_runs: bool = True) -> Turn:
    """Who acts next for a therapist in this state for this reason.

    A portal that does not run is an admin's turn for everybody who waits.

    >>> whose_turn(TherapistState.WAITING, Reason.RECORD_AWAITED)
    <Turn.HUBSPOT: 'hubspot'>
    """
    if state is TherapistState.IN_SYNC:
        return Turn.NOBODY
    if state in NEEDS_A_PERSON:
        return Turn.SUCCESS
    return _OF_A_WAIT.get(reason, Turn.CREDSYNC) if portal_runs else Turn.ADMIN
