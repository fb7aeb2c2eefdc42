"""GitHub Actions identity tokens: a workflow run proves who it is and gets a short-lived API token."""

import json
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
import httpx
import jwt
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.github.config import GitHubConfig
from core.errors import AuthenticationError, ForgeError
from core.github.identity import Identity, read_identity
from jobs.desk import Desk
from jobs.identify import identify

log = structlog.get_logger()

_LEEWAY = 30
_REFRESH = timedelta(seconds=30)
"""Keys are fetched at most this often, however many unknown key ids arrive."""
_REQUIRED = ["iss", "aud", "exp", "iat", "jti", "sub"]
_MAX_TOKEN = 16 * 1024
_TIMEOUT = 5.0


class OidcVerifier:
    """Verifies identity tokens against the issuer's keys; old keys are kept when a refresh fails."""

    def __init__(self, config: GitHubConfig, *, now: Callable[[], datetime]) -> None:
        """The audience is this server's own address, so that a token for somebody else is worth nothing."""
        self.issuer = config.oidc_issuer
        self.audience = config.base_url
        self._now = now
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked: datetime | None = None
        self._guard = threading.Lock()

    def verify(self, token: str) -> Identity:
        """Who the workflow run is; AuthenticationError without saying more than a caller may know."""
        if len(token) > _MAX_TOKEN:
            raise AuthenticationError("This is not an identity token.")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._key(str(header.get("kid", ""))),
                algorithms=["RS256"],
                issuer=self.issuer,
                audience=self.audience,
                leeway=_LEEWAY,
                options={"require": _REQUIRED, "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            log.info("oidc.refused", reason=type(error).__name__)
            raise AuthenticationError("The identity token is not valid here.") from error
        return read_identity(claims)

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._guard:
            if kid not in self._keys and self._may_ask():
                self._asked = self._now()
                self._keys |= self._fetch()
            if kid not in self._keys:
                raise AuthenticationError("The identity token is signed with an unknown key.")
            return self._keys[kid]

    def _may_ask(self) -> bool:
        return self._asked is None or self._now() - self._asked >= _REFRESH

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        try:
            reply = httpx.get(f"{self.issuer}/.well-known/jwks", timeout=_TIMEOUT, follow_redirects=False)
            keys = jwt.PyJWKSet.from_dict(reply.raise_for_status().json()).keys
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            log.warning("oidc.keys_not_fetched", reason=type(error).__name__)
            if self._keys:
                return {}
            raise ForgeError("GitHub's signing keys could not be fetched; try again.") from error
        return {key.key_id: key for key in keys if key.key_id}


def oidc_router(desk: Desk, verifier: OidcVerifier) -> APIRouter:
    """`POST /api/v1/auth/github-oidc`."""
    router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

    @router.post("/github-oidc", status_code=201)
    async def github_oidc(request: Request) -> JSONResponse:
        """Exchange a workflow run's identity token (JSON `token`, or as bearer) for a short-lived API token."""
        token = await _token_of(request)
        answer = await anyio.to_thread.run_sync(lambda: exchange(desk, verifier, token))
        return JSONResponse(answer, 201, headers={"Cache-Control": "no-store"})

    return router


def exchange(desk: Desk, verifier: OidcVerifier, token: str) -> dict[str, Any]:
    """The API token as the answer holds it."""
    identity = verifier.verify(token)
    issued = identify(desk, identity, randomness=secrets.token_bytes(32))
    return {
        "token": issued.raw,
        "token_id": issued.token.id,
        "scope": issued.token.scope.value,
        "project_id": issued.token.project_id,
        "expires_at": issued.token.expires_at.isoformat() if issued.token.expires_at else None,
        "expires_in": int(issued.lifetime.total_seconds()),
    }


async def _token_of(request: Request) -> str:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value.strip():
        return value.strip()
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > 2 * _MAX_TOKEN:
            break
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    token = data.get("token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise AuthenticationError('Send the identity token as bearer, or as JSON {"token": ...}.')
    return token
