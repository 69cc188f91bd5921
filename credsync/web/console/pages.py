"""The list of pages: each address, who may open it, and the handler that answers. Everything else follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from credsync.core.people import Act


@dataclass(frozen=True, slots=True)
class Page:
    """One address and method. `act` is what a person must be allowed; None where nobody has signed in yet.

    A GET changes nothing; a POST carries the session's token and comes from a page of this service.
    """

    method: str
    path: str
    handler: str
    act: Act | None


PAGES: Final = (
    Page("GET", "/", "today", Act.LOOK),
    Page("GET", "/therapists", "therapists", Act.LOOK),
    Page("GET", "/therapists.csv", "therapists_csv", Act.EXPORT),
    Page("GET", "/therapists/{uuid}", "therapist", Act.LOOK),
    Page("GET", "/therapists/{uuid}/report", "report", Act.EXPORT),
    Page("GET", "/therapists/{uuid}/sync", "ask_sync", Act.SYNC),
    Page("POST", "/therapists/{uuid}/sync", "sync", Act.SYNC),
    Page("GET", "/therapists/{uuid}/links/{slot}", "ask_choice", Act.CHOOSE),
    Page("POST", "/therapists/{uuid}/links/{slot}", "choose", Act.CHOOSE),
    Page("POST", "/therapists/{uuid}/notes", "note", Act.NOTE),
)
