"""Every refusal and failure as RFC 9457 `application/problem+json`: one shape, every bad field named, no value echoed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from credsync.core.forms import Fault, nearest


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title, and when it is told."""

    status: int
    title: str
    told: str


KINDS: Final[Mapping[str, Kind]] = {
    "broken-body": Kind(400, "The body cannot be read", "Not UTF-8, not JSON, or nested too deeply."),
    "bad-key": Kind(
        400, "The Idempotency-Key cannot be used", "Not one header of 1 to 255 visible ASCII characters."
    ),
    "no-token": Kind(401, "A token is needed", "No token, or one that nobody holds."),
    "not-signed": Kind(
        401, "HubSpot's signature is needed", "No valid signature, a stale one, or one for another address."
    ),
    "scope": Kind(403, "The token may not do this", "The token lacks the scope that is named."),
    "not-found": Kind(404, "Not found", "No such address, therapist, portal or alert."),
    "method": Kind(405, "This method is not known here", "`Allow` names those that are."),
    "not-acceptable": Kind(406, "No such format", "`Accept` names neither JSON nor Markdown."),
    "contact-taken": Kind(
        409, "The contact belongs to another therapist", "`therapist_id` names who has it."
    ),
    "portal-differs": Kind(
        409, "The therapist lives in another portal", "`portal` names it; a therapist never changes portals."
    ),
    "nothing-to-choose": Kind(409, "There is nothing to choose", "The slot is not ambiguous."),
    "chosen-for-another": Kind(
        409, "The record was chosen for another therapist", "`therapist_id` names for whom."
    ),
    "key-reused": Kind(
        409, "The Idempotency-Key was used before", "The same key came with another body or address."
    ),
    "too-large": Kind(413, "The body is too large", "A body has at most 1 MiB."),
    "media-type": Kind(415, "The body must be JSON", "`Content-Type` is not `application/json`."),
    "ask-later": Kind(
        429, "HubSpot was asked often enough for now", "`Retry-After` tells when asking again goes on."
    ),
    "pressed-too-often": Kind(
        429,
        "Sync now was pressed often enough",
        "`Retry-After` tells when it is taken again; nothing was changed.",
    ),
    "invalid": Kind(422, "The request is not valid", "`errors` names every bad field."),
    "failed": Kind(
        500, "Something failed here", "Not the caller's fault; `instance` is the id to look for in the log."
    ),
    "hubspot-unusable": Kind(503, "HubSpot cannot be asked", "A setting is missing; `detail` names it."),
    "unavailable": Kind(
        503, "Not available now", "Nothing was stored; the same call may be sent again as it is."
    ),
}
"""Every kind of problem the API tells. The name is the fragment of the problem's `type`, which the docs page shows."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_BY_STATUS: Final = {404: "not-found", 405: "method", 413: "too-large", 415: "media-type", 422: "invalid"}


class Problem(Exception):
    """An answer that is not the one asked for. `detail` and `errors` hold no submitted value."""

    def __init__(
        self,
        kind: str,
        detail: str,
        errors: Iterable[Fault] = (),
        *,
        headers: Mapping[str, str] | None = None,
        instance: str | None = None,
        **more: str,
    ) -> None:
        self.kind, self.detail, self.errors = kind, detail, tuple(errors)
        self.headers = dict(headers or {})
        self.instance, self.more = instance, more
        super().__init__(f"{kind}: {', '.join(fault.code for fault in self.errors)}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.kind].status

    def body(self) -> dict[str, Any]:
        """The problem document."""
        kind = KINDS[self.kind]
        said: dict[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
        }
        if self.instance is not None:
            said["instance"] = self.instance
        errors = [{"path": e.path, "code": e.code, "message": e.message} for e in self.errors]
        return {**said, **self.more, "errors": errors}

    def response(self) -> Response:
        """The problem as an HTTP answer."""
        return Response(
            json.dumps(self.body(), ensure_ascii=False, separators=(",", ":")).encode(),
            self.status,
            {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers},
            "application/problem+json",
        )


def shown_name(name: str) -> str:
    """A submitted name as a path shows it: itself if it is a plain word, else `*`."""
    return name if _PLAIN.fullmatch(name) else "*"


def unknown_name(path: str, code: str, what: str, name: str, known: Iterable[str]) -> Fault:
    """The fault of a name that is none of `known`, with the nearest. The name itself is not repeated."""
    words = list(known)
    guess = nearest(name, words)
    meant = f"did you mean {guess}?" if guess else f"known: {', '.join(words)}"
    return Fault(path, code, f"is no {what}; {meant}")


def invalid(errors: Iterable[Fault]) -> Problem:
    """422 with every fault."""
    found = tuple(errors)
    count = "One field is" if len(found) == 1 else f"{len(found):,} fields are"
    return Problem("invalid", f"{count} not as expected; nothing was stored.", found)


def broken(code: str, message: str) -> Problem:
    """400: the body as a whole cannot be read."""
    return Problem("broken-body", f"The body {message}.", [Fault("", code, message)])


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """What the framework itself refuses: no such address, no such method."""
    kind = _BY_STATUS.get(status, "failed" if status >= 500 else "broken-body")
    detail = {
        "not-found": "There is nothing at this address; /docs lists what there is.",
        "method": f"This address takes {(headers or {}).get('allow', 'other methods')}.",
    }.get(kind, KINDS[kind].told)
    return Problem(kind, detail, headers=headers)
