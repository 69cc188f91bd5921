"""Signing in at an OpenID Connect provider: there, and back."""

from __future__ import annotations

import base64
import hmac
import json
from http import HTTPStatus
from typing import Final

import structlog
from anyio import CapacityLimiter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from credsync.core.phrases import phrase
from credsync.store.digests import new_secret
from credsync.store.people import BadEmail, EmailTaken
from credsync.store.provider_people import admit
from credsync.web.asking import change
from credsync.web.console.context import ConsoleContext
from credsync.web.console.guard import Refusal
from credsync.web.console.own_path import own_path
from credsync.web.console.provider import Flow, Known, Provider, ProviderFault
from credsync.web.console.render import HEADERS
from credsync.web.console.session_door import by_tls, set_cookie
from credsync.web.console.sign_in import open_session

_log = structlog.get_logger("credsync")
_BACK: Final = "/sign-in/back"
_LASTS: Final = 10 * 60
"""Seconds that somebody may take at the provider."""
NOBODY: Final = phrase("Nobody was signed in")
_NONE_SET: Final = phrase("No provider is set up here: sign in with a password.")
_ANEW: Final = phrase(
    "The answer does not belong to a sign-in that was begun in this browser. Begin anew on the sign-in page."
)
_FAULT: Final = phrase(
    "The provider did not say who you are in a way that holds. Try again; the log of the service says what was wrong."
)
_SAID_NO: Final = phrase("The provider did not let you in. Try again, or ask whoever runs it.")
_NO_GROUP: Final = phrase("None of your groups gives you a role here. Ask an admin which group does.")
_DISABLED: Final = phrase("An admin has disabled you here. Ask an admin to let you in again.")
_NO_ADDRESS: Final = phrase("The provider names no verified e-mail address of yours. Ask whoever runs it.")
_TAKEN: Final = phrase(
    "Somebody here signs in with your e-mail address by a password. Ask an admin to disable that person under another address first."
)


class SignInElsewhere:
    """The handlers. State, nonce and PKCE's secret are in a cookie of their own, so that an answer counts only in the
    browser that asked, and only once: the cookie is dropped with it.
    """

    def __init__(self, context: ConsoleContext, limiter: CapacityLimiter) -> None:
        self._context = context
        self._limiter = limiter
        self._provider = Provider(context.oidc) if context.oidc is not None else None

    async def sign_in_elsewhere(self, request: Request) -> Response:
        """To the provider."""
        provider = self._known_provider()
        flow, back = (
            Flow(new_secret(), new_secret(), new_secret()),
            own_path(request.query_params.get("next", "")),
        )
        try:
            address = await provider.address(
                flow, self._redirect_uri(request), self._context.database.clock.now()
            )
        except ProviderFault as fault:
            raise _told(fault) from None
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER, HEADERS)
        kept = json.dumps([flow.state, flow.nonce, flow.verifier, back]).encode()
        response.set_cookie(
            self._cookie,
            base64.urlsafe_b64encode(kept).decode(),
            max_age=_LASTS,
            path="/",
            secure=by_tls(self._context),
            httponly=True,
            samesite="lax",
        )
        return response

    async def come_back(self, request: Request) -> Response:
        """Back from the provider: whoever it knows is signed in, in a new session."""
        provider, asked = self._known_provider(), request.query_params
        flow, back = self._begun(request)
        if asked.get("iss", provider.oidc.issuer) != provider.oidc.issuer:
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _ANEW)
        if "error" in asked or not asked.get("code"):
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _SAID_NO)
        now = self._context.database.clock.now()
        try:
            known = await provider.identify(asked["code"], flow, self._redirect_uri(request), now)
        except ProviderFault as fault:
            raise _told(fault) from None
        secret = await change(self._context.database, self._limiter, lambda c: self._open(c, request, known))
        response = RedirectResponse(back, HTTPStatus.SEE_OTHER, HEADERS)
        set_cookie(response, self._context, secret)
        response.delete_cookie(
            self._cookie, path="/", secure=by_tls(self._context), httponly=True, samesite="lax"
        )
        return response

    def _open(self, connection: Connection, request: Request, known: Known) -> str:
        if known.role is None:
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _NO_GROUP)
        now = self._context.database.clock.now()
        try:
            person = admit(connection, known.issuer, known.subject, known.email, known.role, now)
        except BadEmail:
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _NO_ADDRESS) from None
        except EmailTaken:
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _TAKEN) from None
        if person is None:
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _DISABLED)
        return open_session(connection, request, self._context, person)

    def _begun(self, request: Request) -> tuple[Flow, str]:
        """What this browser began with. Raises `Refusal` where the answer's state is another's or none."""
        try:
            kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(self._cookie, "")))
            state, nonce, verifier, back = (str(each) for each in kept)
        except (ValueError, TypeError):
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _ANEW) from None
        if not state or not hmac.compare_digest(
            state.encode(), request.query_params.get("state", "").encode()
        ):
            raise Refusal(HTTPStatus.FORBIDDEN, NOBODY, _ANEW)
        return Flow(state, nonce, verifier), own_path(back)

    def _known_provider(self) -> Provider:
        if self._provider is None:
            raise Refusal(HTTPStatus.NOT_FOUND, NOBODY, _NONE_SET)
        return self._provider

    def _redirect_uri(self, request: Request) -> str:
        return f"{(self._context.public_url or str(request.base_url)).rstrip('/')}{_BACK}"

    @property
    def _cookie(self) -> str:
        return "__Host-credsync-there" if by_tls(self._context) else "credsync-there"


def _told(fault: ProviderFault) -> Refusal:
    _log.error(
        "people.provider_failed",
        error=str(fault),
        remedy="check oidc_issuer, oidc_client_id and the client secret",
    )
    return Refusal(HTTPStatus.BAD_GATEWAY, NOBODY, _FAULT)
