"""Where to go after signing in: an address of this service, never another site's."""

from __future__ import annotations

from urllib.parse import urlsplit


def own_path(asked: str) -> str:
    """The path and query that was asked for, if it is one of ours; else the first page.

    >>> own_path("/therapists?state=held"), own_path("//evil.example"), own_path("https://evil.example/")
    ('/therapists?state=held', '/', '/')
    """
    try:
        parts = urlsplit(asked)
    except ValueError:
        return "/"
    ours = asked.startswith("/") and not asked.startswith("//") and not parts.scheme and not parts.netloc
    plain = asked.isprintable() and asked.isascii() and "\\" not in asked and " " not in asked
    return asked if ours and plain and parts.path not in ("/sign-in", "/sign-out") else "/"
