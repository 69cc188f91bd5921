"""The portal that is measured, and the invented therapists who apply there.

Three object types, each told by a label, licences under the contact. A Credentialing Application feeds two records
(Credentialing and License), or with `writes=3` the Address, too; all three types are always awaited and looked at.
With `by_property` a licence's slot is told by its state, as where one therapist has several: it must be read to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

NAME = "bench"
CREDENTIALING = "credentialing_active_attested"
LICENSE = "license_current"
LICENSE_NY = "license.NY"
ADDRESS = "therapist_address_current"
SLOTS = (CREDENTIALING, LICENSE, ADDRESS)
OBJECTS = {
    CREDENTIALING: "credentialing",
    LICENSE: "license",
    LICENSE_NY: "license",
    ADDRESS: "therapist_address",
}

_HEAD = """
[hubspot]
base_url = "{base_url}"
[objects.credentialing]
name = "credentialing"
[objects.license]
name = "license"
[objects.therapist_address]
name = "therapist_address"
[slots.credentialing_active_attested]
object = "credentialing"
label = "Active Attested"
{license_slot}
[slots.therapist_address_current]
object = "therapist_address"
label = "Current Address"
[definitive]
ca = [{{ slot = "credentialing_active_attested" }}]
[custom]
license_number = {{ type = "string", class = "A" }}
license_expires_on = {{ type = "date", class = "A" }}
"""
_LICENSE_BY_LABEL = """[slots.license_current]
object = "license"
label = "Current License"
"""
_LICENSE_BY_PROPERTY = """[slots.license]
object = "license"
each = "license_state"
"""
_LICENSES_WRITE = """
[[writes]]
form = "ca"
to = "license"
each = "education_and_training.licenses"
key = "state"
fields = { license_number = "number", expires_on = "expiry" }
"""
_WRITES = (
    """
[[writes]]
form = "ca"
to = "definitive"
fields = { npi = "npi_and_caqh.npi", bio = "practice_preferences.bio", submitted_at = "submitted_at" }
""",
    """
[[writes]]
form = "ca"
to = "license_current"
fields = { license_number = "custom.license_number", expires_on = "custom.license_expires_on" }
""",
    """
[[writes]]
form = "ca"
to = "therapist_address_current"
fields = { street = "practice_preferences.treating_address.line1", city = "practice_preferences.treating_address.city" }
""",
)


def portal_text(base_url: str, writes: int = 2, *, by_property: bool = False) -> str:
    """The portal file, with HubSpot at `base_url` and that many of the three object types written."""
    slot = _LICENSE_BY_PROPERTY if by_property else _LICENSE_BY_LABEL
    maps = (_WRITES[0], _LICENSES_WRITE, _WRITES[2]) if by_property else _WRITES
    return _HEAD.format(base_url=base_url, license_slot=slot) + "".join(maps[:writes])


def check_digit(nine: str) -> str:
    """The tenth digit of an NPI: Luhn over 80840 and the first nine.

    >>> check_digit("123456789")
    '3'
    """
    total = 24
    for place, digit in enumerate(map(int, nine)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


@dataclass(frozen=True, slots=True)
class Applicant:
    """An invented therapist, told apart by a number that every value of theirs holds."""

    number: int
    by_property: bool = False
    wordy: bool = False
    """Tells more of itself than a HubSpot with a rule about it takes."""

    @property
    def bio(self) -> str:
        """What it tells of itself."""
        return f"Invented therapist {self.number}" + (" who goes on" * 10 if self.wordy else "")

    @property
    def id(self) -> str:
        """The backend's UUID."""
        return str(uuid5(NAMESPACE_DNS, f"therapist-{self.number}.bench.example"))

    @property
    def npi(self) -> str:
        """A number with a right check digit."""
        nine = f"1{self.number:08d}"
        return nine + check_digit(nine)

    def application(self) -> dict[str, Any]:
        """The Credentialing Application's data."""
        licence = {"number": f"NY-{self.number:06d}", "expiry": "2027-05-31"}
        custom = {"license_number": licence["number"], "license_expires_on": licence["expiry"]}
        listed = {"education_and_training": {"licenses": [{"state": "NY", **licence}]}}
        return {
            **(listed if self.by_property else {"custom": custom}),
            "sign_up": {"first_name": "Testina", "last_name": "Sample", "state": "NY"},
            "npi_and_caqh": {"npi": self.npi, "taxonomy": "1041C0700X"},
            "practice_preferences": {
                "bio": self.bio,
                "treating_address": {
                    "line1": f"{self.number} Example Plaza",
                    "city": "New York",
                    "state": "NY",
                    "postal_code": "10001",
                },
            },
        }

    def expected(self, writes: int = 2) -> dict[str, dict[str, str]]:
        """What each written slot's record must hold in the end."""
        records = {
            CREDENTIALING: {"npi": self.npi, "bio": f"Invented therapist {self.number}"},
            LICENSE: {"license_number": f"NY-{self.number:06d}", "expires_on": "2027-05-31"},
            ADDRESS: {"street": f"{self.number} Example Plaza", "city": "New York"},
        }
        if self.wordy:
            del records[CREDENTIALING]["bio"]
        slots = {slot: LICENSE_NY if self.by_property and slot == LICENSE else slot for slot in SLOTS}
        return {slots[slot]: records[slot] for slot in SLOTS[:writes]}

    def sends(self, writes: int = 2) -> dict[str, dict[str, str]]:
        """What is to be written on each slot's record, whether HubSpot takes it or not."""
        wanted = self.expected(writes)
        return {
            slot: values | ({"bio": self.bio} if slot == CREDENTIALING else {})
            for slot, values in wanted.items()
        }
