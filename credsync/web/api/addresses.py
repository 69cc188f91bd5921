"""What an address names: a therapist by UUID, a portal by name."""

from __future__ import annotations

import re

from starlette.requests import Request

from credsync.core.forms import Fault, nearest
from credsync.core.portal import Portal
from credsync.web.api.context import ApiContext
from credsync.web.api.problems import Problem, invalid

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
UUID_EXPECTED = "must be a UUID, such as 0b9f1c3e-52a4-4d1e-9a51-7d6f3a1f0c11"


def therapist_id_of(request: Request) -> str:
    """The UUID in the address, in lower case. Raises `Problem` 422 for what is none."""
    text = str(request.path_params["uuid"])
    if is_uuid(text):
        return text.lower()
    raise invalid([Fault("uuid", "invalid_uuid", UUID_EXPECTED)])


def is_uuid(text: str) -> bool:
    """Whether a therapist's UUID may be written so."""
    return _UUID.fullmatch(text) is not None


def therapist_url(therapist_id: str) -> str:
    """Where a therapist's status is."""
    return f"/v1/therapists/{therapist_id}"


def unknown_therapist() -> Problem:
    """404: nobody has this UUID."""
    fault = Fault("uuid", "unknown_therapist", "is no therapist known here")
    return Problem("not-found", "No therapist has this UUID; a PUT or a sign-up makes one.", [fault])


def portal_of(request: Request, context: ApiContext) -> Portal:
    """The portal in the address. Raises `Problem` 404, naming those there are."""
    name = str(request.path_params["name"])
    portal = context.portals.get(name)
    if portal is None:
        guess = nearest(name, context.portals)
        meant = f"did you mean {guess}?" if guess else f"known: {', '.join(sorted(context.portals))}"
        fault = Fault("name", "unknown_portal", f"is no portal here; {meant}")
        raise Problem("not-found", f"No portal has this name; {meant}", [fault])
    return portal
