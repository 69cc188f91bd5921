"""The machine words for why something waits or needs a person, each with its sentence for people.

A sentence holds no time of day and no submitted value, so that equal conditions are equal text.
"""

from __future__ import annotations

from enum import StrEnum

from credsync.core.phrases import phrase


class Reason(StrEnum):
    """Why a therapist, a link or a write is where it is. The one list; the API shows these words."""

    NONE = ""
    NOT_LOOKED_YET = "not_looked_yet"
    NO_CONTACT = "no_contact"
    CONTACT_GONE = "contact_gone"
    CONTACT_OF_TWO_THERAPISTS = "contact_of_two_therapists"
    RECORD_AWAITED = "record_awaited"
    PARENT_AWAITED = "parent_awaited"
    LOOK_FAILED = "look_failed"
    RECORD_LOST = "record_lost"
    LABEL_MOVED = "label_moved"
    SETTLING = "settling"
    OVERDUE = "overdue"
    GIVEN_UP = "given_up"
    TWO_RECORDS_IN_SLOT = "two_records_in_slot"
    RECORD_OF_TWO_THERAPISTS = "record_of_two_therapists"
    CHOSEN_BY_PERSON = "chosen_by_person"
    CHOSEN_FOR_ANOTHER = "chosen_for_another"
    MOVING_UNKNOWN = "moving_unknown"
    OLDER_THAN_SIGN_UP = "older_than_sign_up"
    OBSERVE_ONLY = "observe_only"
    RESTORED = "restored"
    RESTORED_DIFFERS = "restored_differs"
    PORTAL_PAUSED = "portal_paused"
    PORTAL_UNAUTHORIZED = "portal_unauthorized"
    MISSING_SCOPES = "missing_scopes"
    RATE_LIMITED_DAILY = "rate_limited_daily"
    NEWER_SUBMISSION = "newer_submission"
    NEWER_SIGN_UP = "newer_sign_up"
    NOT_MAPPED = "not_mapped"
    LIST_REPLACED = "list_replaced"
    SENT_BY_SYNC = "sent_by_sync"
    JOINED_ANOTHER = "joined_another"
    SEND_FAILED = "send_failed"
    NO_VERDICT = "no_verdict"
    RECORD_MISSING = "record_missing"
    PROPERTIES_REFUSED = "properties_refused"
    REFUSED_BY_HUBSPOT = "refused_by_hubspot"


_SENTENCES: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.NOT_LOOKED_YET: phrase(
        "This was just reported; credsync has not looked in HubSpot yet and does so in its next round."
    ),
    Reason.NO_CONTACT: phrase(
        "The therapist's HubSpot contact id is not known yet; everything waits until the backend sends it."
    ),
    Reason.CONTACT_GONE: phrase(
        "HubSpot no longer has this contact. Restore it in HubSpot, or have the backend send the contact that took its place."
    ),
    Reason.CONTACT_OF_TWO_THERAPISTS: phrase(
        "HubSpot merged the contacts of two therapists into one, so nothing is written for either. Have the backend send "
        "the right contact id for one of them."
    ),
    Reason.RECORD_AWAITED: phrase(
        "HubSpot has not created (or labelled) this record yet; credsync keeps looking."
    ),
    Reason.PARENT_AWAITED: phrase(
        "This record hangs on the Credentialing, which is not there yet; credsync keeps looking."
    ),
    Reason.LOOK_FAILED: phrase(
        "HubSpot did not answer the last look; nothing is concluded from that and credsync looks again."
    ),
    Reason.RECORD_LOST: phrase(
        "The record was deleted, merged or unlinked in HubSpot; its successor is awaited."
    ),
    Reason.LABEL_MOVED: phrase(
        "The record is still there but holds this slot no more (its label or property changed in HubSpot, or another "
        "Credentialing counts now); the record that gets the slot is awaited."
    ),
    Reason.SETTLING: phrase(
        "After an Extended Sign Up the labels may still move; nothing is written until they have settled."
    ),
    Reason.OVERDUE: phrase(
        "The HubSpot workflow is later than usual; credsync keeps looking, and an administrator may check it."
    ),
    Reason.GIVEN_UP: phrase(
        "The record never appeared; credsync now looks once a day while something submitted waits for it, else when "
        "something happens. Re-enrol the contact in its HubSpot workflow, "
        "then press Sync now."
    ),
    Reason.TWO_RECORDS_IN_SLOT: phrase(
        "Several records hold this slot in HubSpot and none is written. Remove the label from the wrong one, or choose one."
    ),
    Reason.RECORD_OF_TWO_THERAPISTS: phrase(
        "This record is associated with the contacts of two therapists and is not written. Correct the association in "
        "HubSpot, or choose whose it is."
    ),
    Reason.CHOSEN_BY_PERSON: phrase("A person chose this record among several."),
    Reason.CHOSEN_FOR_ANOTHER: phrase(
        "The record in this slot is also under another therapist's contact, and a person chose it for them, so it is not "
        "written for this one. Take it off this contact in HubSpot; this therapist's own record is awaited."
    ),
    Reason.MOVING_UNKNOWN: phrase(
        "Nobody has said whether the therapist is moving, which decides the Credentialing; the sign-up will, or the "
        "backend may."
    ),
    Reason.OLDER_THAN_SIGN_UP: phrase(
        "This was submitted before the latest sign-up, and the record took the slot after it, so it is not written by "
        "itself. Press Sync now including held data if it should be."
    ),
    Reason.OBSERVE_ONLY: phrase(
        "The portal only observes: nothing is written. Press Sync now to send it once the portal writes."
    ),
    Reason.RESTORED: phrase(
        "A backup of credsync's database was restored, which cannot know whether this was sent. credsync compares it with "
        "HubSpot as soon as the record is found, and sends nothing by itself; press Sync now to send this."
    ),
    Reason.RESTORED_DIFFERS: phrase(
        "A backup of credsync's database was restored, and HubSpot shows something else than this, which may be newer. "
        "Have the backend submit again what it submitted since; else compare (credsync sync ID --dry-run), and press Sync "
        "now to send this."
    ),
    Reason.PORTAL_PAUSED: phrase(
        "The portal is paused; everything goes on where it stopped when it is resumed."
    ),
    Reason.PORTAL_UNAUTHORIZED: phrase(
        "HubSpot does not take the portal's token. Set a valid one; credsync tries once a minute and goes on by itself."
    ),
    Reason.MISSING_SCOPES: phrase(
        "The portal's token may not do this with this object type. Add the scope that the portal's alert names to the app "
        "in HubSpot (crm.objects.custom.read to look, crm.objects.custom.write to write); credsync tries once a minute "
        "and catches up by itself."
    ),
    Reason.RATE_LIMITED_DAILY: phrase(
        "HubSpot's calls of the day are used up, so credsync neither looks nor writes until the next day of the account; "
        "then it goes on by itself."
    ),
    Reason.NEWER_SUBMISSION: phrase("A newer submission has replaced all of it."),
    Reason.NEWER_SIGN_UP: phrase(
        "It was held, and then the latest sign-up's own data was written, so it is not sent any more, not even what "
        "that data does not say. Submit it again if it should be there."
    ),
    Reason.NOT_MAPPED: phrase("The portal file maps nothing of it to HubSpot any more."),
    Reason.LIST_REPLACED: phrase("A newer submission's list no longer has this item."),
    Reason.SENT_BY_SYNC: phrase("Sync now sent it with everything else."),
    Reason.JOINED_ANOTHER: phrase("It goes out with another write of the same form."),
    Reason.SEND_FAILED: phrase(
        "HubSpot did not take the write (it was busy or out of reach); it is sent again."
    ),
    Reason.NO_VERDICT: phrase(
        "HubSpot did not say whether the write arrived; credsync reads the record back before sending again."
    ),
    Reason.RECORD_MISSING: phrase("HubSpot no longer knows the record; credsync looks for its successor."),
    Reason.PROPERTIES_REFUSED: phrase(
        "HubSpot refused some of the properties; the others are written. Correct what is named, then submit it again or "
        "press Sync now."
    ),
    Reason.REFUSED_BY_HUBSPOT: phrase(
        "HubSpot refused the write; correct what it names, then press Sync now."
    ),
}


OWED_BY_NO_WORKFLOW = frozenset(
    {Reason.CONTACT_GONE, Reason.RECORD_LOST, Reason.LABEL_MOVED, Reason.CHOSEN_FOR_ANOTHER}
)
"""Why a slot is empty though the workflow that fills it did its work: being late is no fault of its."""


SEEN_OF_EMPTY = frozenset({Reason.CONTACT_GONE, Reason.CHOSEN_FOR_ANOTHER})
"""Why a slot is empty as a look itself tells: it stands before whatever was known of it, and however long it lasts."""


def sentence(reason: Reason | str) -> str:
    """The sentence for people that belongs to a reason."""
    return _SENTENCES[Reason(reason)]
