"""The kinds of wrong the oracle tells apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CANARY = "canary"
"""What a test puts into every class C and D field; in nothing that reaches HubSpot may it be found."""


class Rule(StrEnum):
    """The kinds of wrong."""

    CREATED = "credsync creates nothing in HubSpot"
    CANARY = "neither class C nor class D reaches HubSpot"
    STRANGER = "a record of a contact that no therapist, or another one, has"
    NO_SLOT = "a record that holds none of the therapist's slots"
    AMBIGUOUS = "two records in one slot, or one record under two therapists: none is written"
    OTHER_PARENT = "a two-hop record is written under the definitive record alone"
    NO_LOOK = "every round looks before it writes"
    UNASKED = "a write happens because something was submitted"
    OLDER = "an older submission never overwrites a newer"
    OLDER_THAN_SIGN_UP = (
        "a submission older than the latest sign-up never goes to a record that took the slot after it"
    )
    SETTLING = "an unchanged holder stays unwritten for settle_after"
    OBSERVED = "observe-only writes nothing, and leaving it sends nothing by itself"
    PAUSED = "a paused portal is left alone"
    TOO_OFTEN = "written no more often than there are causes"
    AGAIN = "a write carries the values of its own submissions alone"
    MISSING = "what was submitted is on its record in the end"
    SILENT = "nothing ends in silence: what is not on its record is not shown in sync"
    POISON = "a value that is refused delays nobody else by more than a round"
    LOG = "the sandbox's log and its truth agree"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that must not be."""

    rule: Rule
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"
