"""Who looks at a page, and what the page may show and offer."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from credsync.core.people import Act, Role, may
from credsync.store.acts import Actor


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who has signed in. `csrf` stands in every form and is compared when the form comes back."""

    person_id: int
    email: str
    role: Role
    session_id: int
    csrf: str
    language: str | None = None
    """What the person chose to read; None for whoever never chose."""

    @property
    def actor(self) -> Actor:
        """Who acts, where the person presses."""
        return Actor.person(self.email)

    def may(self, act: str) -> bool:
        """Whether the person may do it; templates name the act by its word."""
        return may(self.role, Act(act))


def viewer(request: Request) -> Viewer:
    """Who was admitted to this request."""
    found = request.state.viewer
    assert isinstance(found, Viewer)
    return found
