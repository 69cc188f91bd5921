"""Who comes in: the session that a cookie names. What a form must carry, so that no other site can send it."""

from __future__ import annotations

import hmac
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from credsync.core.phrases import phrase
from credsync.web.console.viewer import Viewer

MOST_FORM_BYTES = 64 * 1024
_MOST_FIELDS = 1_000


class Door(Protocol):
    """Finds who has signed in."""

    async def viewer_of(self, request: Request) -> Viewer | None:
        """Whose session the request's cookie names; None for nobody's, one that ended, and none at all."""


class BadForm(Exception):
    """The form cannot be taken; the message says why, for people."""


def from_here(request: Request, public_url: str | None) -> bool:
    """Whether a form was sent by a page of this service (Fetch, Origin header): browsers say where it came from.

    Compared with the request's own host, and with `public_url` where a proxy in front has another.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in (None, "same-origin", "none")
    given = urlsplit(origin)
    if public_url is not None:
        known = urlsplit(public_url)
        if (given.scheme, given.netloc) == (known.scheme, known.netloc):
            return True
    return given.scheme in ("http", "https") and given.netloc == request.headers.get("host", "")


async def read_form(request: Request) -> dict[str, list[str]]:
    """A form's fields, each with its values. Raises `BadForm`."""
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise BadForm(phrase("The form was not sent as a form."))
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            raise BadForm(phrase("The form is too large."))
    try:
        return parse_qs(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise BadForm(phrase("The form cannot be read.")) from None


def carries(form: dict[str, list[str]], csrf: str) -> bool:
    """Whether the form carries the session's token; compared in constant time."""
    given = form.get("csrf", [""])[0]
    return hmac.compare_digest(given.encode(), csrf.encode())
