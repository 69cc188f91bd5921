"""What is wrong with a form, as values: every fault named, none of them holding what was submitted."""

from __future__ import annotations

from dataclasses import dataclass

CODES: dict[str, str] = {
    "unknown_field": "no section or field of this name; the nearest known name is told",
    "forbidden_field": "class D: never accepted under any name, empty or not",
    "wrong_type": 'another JSON type is expected; nothing is coerced (`"5"` is not 5, 1 is not true)',
    "missing": "what names an item is absent: a licence's state, and what else the portal tells its records by",
    "empty": "an empty text in a list; leave it out",
    "too_long": "more characters than the field takes",
    "too_many": "more items than the list takes",
    "invalid_characters": "control characters, half a surrogate pair, what turns the direction of writing; in names, words and choices also "
    "invisible characters, in names also markup and formulas",
    "separator": "a `;` inside a choice, where HubSpot separates choices",
    "invalid_date": "not a calendar day written YYYY-MM-DD",
    "invalid_datetime": "not an RFC 3339 date-time",
    "missing_zone": "a date-time without its zone",
    "date_order": "a day that comes before the one it must not precede",
    "out_of_range": "a number outside its bounds, or not finite",
    "not_allowed": "none of the few words the field takes (case counts)",
    "invalid_email": "not an e-mail address",
    "invalid_phone": "not an E.164 telephone number",
    "invalid_state": "not a USPS state code",
    "invalid_postal_code": "not a ZIP code",
    "invalid_npi": "not an NPI: ten digits, starting 1 or 2, with a right check digit",
    "invalid_taxonomy": "not an NUCC taxonomy code",
    "invalid_caqh_id": "not a CAQH id",
    "invalid_language": "not a BCP 47 language tag",
    "duplicate_item": "the second licence of the same state and type, or a second item for one record of the portal",
    "confirmed_with_fields": "`confirmed` beside other fields of its section",
    "more_faults": "the list of faults was cut here",
    "flag_differs": "warning: the flag sent says otherwise than the answers sent with it; the flag is taken",
}
"""Every code a fault or a warning may bear, and what it means."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where, a machine's word from `CODES`, and a sentence that tells what is expected.

    `path` is dotted with item indexes: `education_and_training.licenses[1].expiry`; "" is the whole form.
    Neither `path` nor `message` ever holds a submitted value.
    """

    path: str
    code: str
    message: str


class FormFaults(Exception):
    """The form was refused; `faults` names everything that is wrong with it, not only the first."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__(", ".join(f"{fault.path or 'form'}: {fault.code}" for fault in faults))
