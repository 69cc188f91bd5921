"""Turns a template and what it shows into a page, with the headers every page has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from credsync.core.durations import say_duration
from credsync.store.timeline import SAID
from credsync.web.console import reason_words, words
from credsync.web.console.telling import Tongue
from credsync.web.console.viewer import Viewer

_HERE: Final = Path(__file__).parent
POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"""Nothing but what this service itself sends is run, shown, called or posted to; nobody frames it."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Renderer:
    """Renders templates; everything shown is escaped, and a name that a template lacks is an error."""

    def __init__(self, frame: Mapping[str, Any]) -> None:
        """`frame` is what every page shows: see `base.html`."""
        self._frame = frame
        self._environments = {language: self._environment(language) for language in words.LANGUAGES}

    def _environment(self, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        translations, tongue = words.catalogue(language), Tongue(language)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            translations.gettext, translations.ngettext, newstyle=True
        )
        environment.filters |= {
            "moment": say_moment,
            "span": say_span,
            "count": tongue.number,
            "said": tongue.said,
            "details": partial(say_details, said=tongue.said),
        }
        environment.globals |= {
            **self._frame,
            "asset": asset,
            "language": language,
            "LANGUAGES": words.LANGUAGES,
            "STATES": words.STATES,
            "REASONS": reason_words.REASONS,
            "AGES": reason_words.AGES,
            "LINK_STATES": words.LINK_STATES,
            "WRITE_STATES": words.WRITE_STATES,
            "PROPERTY_STATES": words.PROPERTY_STATES,
            "EVENTS": words.EVENTS,
            "FORMS": words.FORMS,
            "TURNS": words.TURNS,
            "SCOPES": words.SCOPES,
            "KINDS": words.KINDS,
            "AWAITED": words.AWAITED,
            "ROLES": words.ROLES,
            "PORTAL_STATES": words.PORTAL_STATES,
        }
        return environment

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **shown: Any,
    ) -> HTMLResponse:
        """A whole page. `viewer` is None for whoever has not signed in."""
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        environment = self._environments[words.language_of(request)]
        text = environment.get_template(template).render(viewer=viewer, path=request.url.path, **shown)
        return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


def file_to_keep(text: str, media_type: str, name: str) -> Response:
    """A text that the browser keeps as a file of this name."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)


@lru_cache
def asset(name: str) -> str:
    """The address of a static file: it names the content, so that it may be kept for ever."""
    digest = sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def say_moment(text: str | None) -> str:
    """A moment of a status for people, in UTC; the page's script shows it in the viewer's zone.

    >>> say_moment("2025-08-26T00:13:08.065521Z")
    '2025-08-26 00:13:08 UTC'
    """
    return "" if text is None else datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")


def say_span(seconds: float | None) -> str:
    """Seconds for people.

    >>> say_span(65)
    '1 min 5 s'
    """
    return "" if seconds is None else say_duration(timedelta(seconds=seconds))


def say_details(details: Mapping[str, Any], said: Callable[[str], str] = str) -> str:
    """What an event has to say beside its name, without what people said, which stands apart.

    >>> say_details({"form": "ca", "attempt": 1, "said": "please", "refused": ["medicare: not_an_option"]})
    'form: ca · attempt: 1 · refused: medicare: not_an_option'
    """
    told = {name: value for name, value in details.items() if name != SAID and value not in (None, "", [])}
    return " · ".join(
        f"{said(words.DETAILS.get(name, name.replace('_', ' ')))}: "
        f"{', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in told.items()
    )
