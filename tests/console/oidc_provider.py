"""A small OpenID Connect provider on loopback, by the specification; a test can let it lie."""

from __future__ import annotations

import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "credsync", "a client's secret"


@dataclass
class OidcProvider:
    """Whoever comes is `subject`. `claims` join those of the ID token, `lie` changes it, `key` signs it."""

    url: str
    subject: str = "sub-1"
    claims: dict[str, Any] = field(default_factory=dict)
    lie: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    issuer: str = ""
    error: str | None = None
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    signed_by: Any = None
    algorithm: str = "RS256"
    hidden_methods: list[str] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def about(self, _: Request) -> Response:
        told: dict[str, Any] = {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        if self.hidden_methods is not None:
            told["token_endpoint_auth_methods_supported"] = self.hidden_methods
        return JSONResponse(told)

    def keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        answer = {"error": self.error} if self.error else {"code": code}
        query = urlencode({**answer, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        given = request.headers.get("authorization", "").partition(" ")[2]
        if given:
            name, _, secret = base64.b64decode(given).decode().partition(":")
            basic = (name, secret) == (CLIENT_ID, "a+client%27s+secret")
        else:
            basic = False
        posted = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        asked = self.codes.pop(form.get("code", ""), None)
        if not (basic or posted) or asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "ada@example.org",
            "email_verified": True,
            "groups": ["credsync-success"],
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": "first"}
        key = self.signed_by or self.key
        token = jwt.encode(header, self.lie(claims), key, algorithms=[self.algorithm])
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})


def secret_key() -> OctKey:
    """A key that the client has too."""
    return OctKey.import_key(CLIENT_SECRET.ljust(32, "."))


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """A running provider."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        provider = OidcProvider(f"http://127.0.0.1:{listener.getsockname()[1]}")
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", provider.about),
                Route("/keys", provider.keys),
                Route("/authorize", provider.authorize),
                Route("/token", provider.token, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.should_exit = True
            thread.join(timeout=10)
