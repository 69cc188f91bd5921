"""A few words for each reason, where a page has no room for its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from credsync.core.reasons import Reason

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NOT_LOOKED_YET: "not looked yet",
    Reason.NO_CONTACT: "no contact id",
    Reason.CONTACT_GONE: "contact gone",
    Reason.CONTACT_OF_TWO_THERAPISTS: "contact of two therapists",
    Reason.RECORD_AWAITED: "record awaited",
    Reason.PARENT_AWAITED: "Credentialing awaited first",
    Reason.LOOK_FAILED: "look not answered",
    Reason.RECORD_LOST: "record lost",
    Reason.LABEL_MOVED: "label moved",
    Reason.SETTLING: "labels settling",
    Reason.OVERDUE: "workflow overdue",
    Reason.GIVEN_UP: "record never came",
    Reason.TWO_RECORDS_IN_SLOT: "several records in a slot",
    Reason.RECORD_OF_TWO_THERAPISTS: "record of two therapists",
    Reason.CHOSEN_BY_PERSON: "chosen by a person",
    Reason.CHOSEN_FOR_ANOTHER: "record chosen for another",
    Reason.MOVING_UNKNOWN: "moving or not is unknown",
    Reason.OLDER_THAN_SIGN_UP: "older than the sign-up",
    Reason.OBSERVE_ONLY: "portal only observes",
    Reason.RESTORED: "backup restored",
    Reason.RESTORED_DIFFERS: "backup restored, HubSpot differs",
    Reason.PORTAL_PAUSED: "portal paused",
    Reason.PORTAL_UNAUTHORIZED: "token refused",
    Reason.MISSING_SCOPES: "scope missing",
    Reason.RATE_LIMITED_DAILY: "no calls left today",
    Reason.NEWER_SUBMISSION: "newer submission",
    Reason.NEWER_SIGN_UP: "newer sign-up",
    Reason.NOT_MAPPED: "not mapped",
    Reason.LIST_REPLACED: "list replaced",
    Reason.SENT_BY_SYNC: "sent by Sync now",
    Reason.JOINED_ANOTHER: "joined another write",
    Reason.SEND_FAILED: "sending failed",
    Reason.NO_VERDICT: "no verdict yet",
    Reason.RECORD_MISSING: "record missing",
    Reason.PROPERTIES_REFUSED: "properties refused",
    Reason.REFUSED_BY_HUBSPOT: "refused by HubSpot",
}
AGES: Final[Mapping[str, str]] = {"1h": "1 hour", "6h": "6 hours", "1d": "1 day", "7d": "7 days"}
"""The spans of `core.wanted.AGES`."""
