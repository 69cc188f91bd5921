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
    Page("GET", "/live", "live", Act.LOOK),
    Page("POST", "/language", "language", None),
    Page("GET", "/therapists", "therapists", Act.LOOK),
    Page("GET", "/therapists.csv", "therapists_csv", Act.EXPORT),
    Page("GET", "/therapists/{uuid}", "therapist", Act.LOOK),
    Page("GET", "/therapists/{uuid}/report", "report", Act.EXPORT),
    Page("GET", "/therapists/{uuid}/sync", "ask_sync", Act.SYNC),
    Page("POST", "/therapists/{uuid}/sync", "sync", Act.SYNC),
    Page("GET", "/therapists/{uuid}/links/{slot}", "ask_choice", Act.CHOOSE),
    Page("POST", "/therapists/{uuid}/links/{slot}", "choose", Act.CHOOSE),
    Page("POST", "/therapists/{uuid}/notes", "note", Act.NOTE),
    Page("GET", "/workflows", "workflows", Act.LOOK),
    Page("GET", "/workflows/{portal}/{slot}", "workflow", Act.LOOK),
    Page("GET", "/workflows/{portal}/{slot}/enrol.csv", "enrol_csv", Act.EXPORT),
    Page("GET", "/alerts", "alerts", Act.LOOK),
    Page("GET", "/alerts/{id}", "alert", Act.LOOK),
    Page("POST", "/alerts/{id}/acknowledge", "acknowledge", Act.ACKNOWLEDGE),
    Page("GET", "/alerts/{id}/sync", "ask_sync_all", Act.SYNC),
    Page("POST", "/alerts/{id}/sync", "sync_all", Act.SYNC),
    Page("GET", "/settings", "settings", Act.LOOK),
    Page("POST", "/settings/portals/{name}/pause", "pause", Act.PAUSE),
    Page("POST", "/settings/portals/{name}/resume", "resume", Act.PAUSE),
    Page("GET", "/sign-in", "sign_in_page", None),
    Page("POST", "/sign-in", "sign_in", None),
    Page("GET", "/sign-in/elsewhere", "sign_in_elsewhere", None),
    Page("GET", "/sign-in/back", "come_back", None),
    Page("POST", "/sign-out", "sign_out", Act.LOOK),
    Page("GET", "/set-up/{token}", "set_up_page", None),
    Page("POST", "/set-up/{token}", "set_up", None),
    Page("GET", "/sessions", "own_sessions", Act.LOOK),
    Page("POST", "/sessions/{id}/end", "end_session", Act.LOOK),
    Page("GET", "/people", "people", Act.PEOPLE),
    Page("POST", "/people", "add_person", Act.PEOPLE),
    Page("GET", "/people/{id}", "person", Act.PEOPLE),
    Page("POST", "/people/{id}/role", "change_role", Act.PEOPLE),
    Page("POST", "/people/{id}/link", "new_link", Act.PEOPLE),
    Page("POST", "/people/{id}/disable", "disable_person", Act.PEOPLE),
    Page("POST", "/people/{id}/enable", "enable_person", Act.PEOPLE),
    Page("GET", "/tokens", "tokens", Act.TOKENS),
    Page("POST", "/tokens", "create_token", Act.TOKENS),
    Page("POST", "/tokens/revoke", "revoke_token", Act.TOKENS),
    Page("GET", "/audit", "audit", Act.AUDIT),
)
