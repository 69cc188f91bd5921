"""One address for both: what the console knows goes to it, all else to the API."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from credsync.web.api.app import build_api
from credsync.web.api.calls import CALLS
from credsync.web.api.context import ApiContext
from credsync.web.console.app import STATIC, build_console
from credsync.web.console.context import ConsoleContext
from credsync.web.console.pages import PAGES
from credsync.web.console.provider import Oidc
from credsync.web.console.session_door import SessionDoor


def build_site(context: ApiContext, oidc: Oidc | None = None) -> ASGIApp:
    """API and console over one database; with `oidc` people may sign in at that provider."""
    pages = ConsoleContext(
        context.database,
        context.portals,
        context.policy,
        context.wake,
        context.public_url,
        context.live,
        oidc,
    )
    return site(build_api(context), build_console(pages, SessionDoor(pages)))


def site(api: ASGIApp, console: ASGIApp) -> ASGIApp:
    """Sends each request where it belongs.

    An address belongs to whoever has its first segment in the list of calls or of pages. At one that nobody has, a
    browser (`Accept: text/html`) is told so by a page, a program by a problem document.
    """
    programs = frozenset(_first(call.path) for call in CALLS)
    people = frozenset(_first(page.path) for page in PAGES) | {STATIC}
    assert not programs & people, "a page and a call share a first segment"

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; starting and ending are the API's."""
        app = api
        if scope["type"] == "http":
            first = _first(scope["path"])
            if first in people or (first not in programs and _wants_a_page(scope)):
                app = console
        await app(scope, receive, send)

    return serve


def _first(path: str) -> str:
    return path.lstrip("/").partition("/")[0].partition(".")[0]


def _wants_a_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
