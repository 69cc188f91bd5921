"""Asks an OpenID Connect provider who somebody is: authorization code with PKCE, and an ID token that is verified whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote_plus

import httpx2
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from credsync.core.people import Role

_PATIENCE: Final = 10.0
_KEPT: Final = timedelta(minutes=10)
_SKEW: Final = 60
_SIGNED_BY: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""By a key of the provider's own; never `none`, and never by a secret that others have."""
_RANK: Final = {role: rank for rank, role in enumerate(Role)}


class ProviderFault(Exception):
    """The provider cannot be used or said something that does not hold; the message says what, for whoever runs it."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """What is set of a provider. `groups` gives the role of each group that the claim `groups_claim` may name."""

    issuer: str
    client_id: str
    client_secret: str
    groups: Mapping[str, Role]
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class Flow:
    """What binds an answer to the browser that asked: kept in its cookie until then."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody as the provider knows them, by issuer and subject. `role` is None where no group gives one."""

    issuer: str
    subject: str
    email: str | None
    role: Role | None


class Provider:
    """One provider. What it says of itself is read when first needed, and anew after ten minutes."""

    def __init__(self, oidc: Oidc) -> None:
        self.oidc = oidc
        self._about: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at: datetime | None = None

    async def address(self, flow: Flow, redirect_uri: str, now: datetime) -> str:
        """Where to send the browser. Raises `ProviderFault`."""
        await self._read(now)
        return str(
            prepare_grant_uri(
                self._endpoint("authorization_endpoint"),
                self.oidc.client_id,
                "code",
                redirect_uri,
                "openid email",
                flow.state,
                nonce=flow.nonce,
                code_challenge=create_s256_code_challenge(flow.verifier),
                code_challenge_method="S256",
            )
        )

    async def identify(self, code: str, flow: Flow, redirect_uri: str, now: datetime) -> Known:
        """Who came back with this code. Raises `ProviderFault`."""
        await self._read(now)
        given = await self._exchange(code, flow, redirect_uri)
        claims = self._verified(given, flow, now)
        email = claims.get("email")
        usable = isinstance(email, str) and claims.get("email_verified", True) is True
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderFault("the ID token's sub is no name")
        return Known(self.oidc.issuer, subject, email if usable else None, self._role(claims))

    async def _read(self, now: datetime) -> None:
        if self._read_at is not None and self._read_at <= now < self._read_at + _KEPT:
            return
        address = f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
        about = await self._json("GET", address)
        if about.get("issuer") != self.oidc.issuer:
            raise ProviderFault(
                f"the provider calls itself another issuer than oidc_issuer {self.oidc.issuer}"
            )
        self._about = about
        try:
            self._keys = KeySet.import_key_set(await self._json("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderFault("the provider's keys cannot be read") from None
        self._read_at = now

    def _endpoint(self, name: str) -> str:
        address = self._about.get(name)
        if not isinstance(address, str) or not address.startswith(
            ("https://", f"{self.oidc.issuer.rstrip('/')}/")
        ):
            raise ProviderFault(f"the provider names no {name} over https")
        return address

    async def _exchange(self, code: str, flow: Flow, redirect_uri: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }
        auth: tuple[str, str] | None = (quote_plus(self.oidc.client_id), quote_plus(self.oidc.client_secret))
        methods = self._about.get("token_endpoint_auth_methods_supported")
        if isinstance(methods, list) and "client_secret_basic" not in methods:
            form |= {"client_id": self.oidc.client_id, "client_secret": self.oidc.client_secret}
            auth = None
        return await self._json("POST", self._endpoint("token_endpoint"), data=form, auth=auth)

    def _verified(self, given: Mapping[str, Any], flow: Flow, now: datetime) -> Mapping[str, Any]:
        """The ID token's claims, once signature, issuer, audience, times, nonce and access token's hash hold."""
        assert self._keys is not None
        options: Any = {
            "iss": {"essential": True, "value": self.oidc.issuer},
            "aud": {"essential": True, "value": self.oidc.client_id},
        }
        params = {
            "nonce": flow.nonce,
            "client_id": self.oidc.client_id,
            "access_token": given.get("access_token"),
        }
        try:
            token = jwt.decode(str(given.get("id_token")), self._keys, algorithms=list(_SIGNED_BY))
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(int(now.timestamp()), _SKEW)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            self._read_at = None  # its keys may be new: they are read again for the next who comes
            raise ProviderFault(f"the ID token does not hold: {type(error).__name__} {error}"[:300]) from None
        return dict(claims)

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest that a group gives."""
        named = claims.get(self.oidc.groups_claim)
        groups = [named] if isinstance(named, str) else named if isinstance(named, list) else []
        roles = [
            self.oidc.groups[each] for each in groups if isinstance(each, str) and each in self.oidc.groups
        ]
        return max(roles, key=lambda role: _RANK[role], default=None)

    async def _json(self, method: str, address: str, **more: Any) -> Mapping[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as http:
                answer = await http.request(method, address, headers={"Accept": "application/json"}, **more)
            found = answer.json()
        except (httpx2.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ProviderFault(f"{address} cannot be asked: {type(error).__name__}") from None
        if answer.status_code != 200 or not isinstance(found, dict):
            raise ProviderFault(f"{address} answered {answer.status_code}")
        return found
