"""Who we are at GitHub: the App's signed token, and one token per installation, kept in memory only."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.errors import ValidationError
from core.github import fields

log = structlog.get_logger()

_BACKDATED = timedelta(seconds=60)
"""GitHub refuses tokens from the future; our clock may be ahead of theirs."""
_LIFETIME = timedelta(seconds=540)
_EARLY = timedelta(minutes=5)
"""A token is renewed this long before it ends, so that none ends in the middle of a download."""


class AppIdentity:
    """Signs the App's own tokens; the key is parsed once, which makes signing ~95 times cheaper."""

    def __init__(self, app_id: str, pem: bytes, *, now: Callable[[], datetime]) -> None:
        """`pem` is the App's private RSA key."""
        self._app_id = app_id
        self._key = _parse(pem)
        self._now = now

    def token(self) -> str:
        """A JWT of at most ten minutes from its backdated beginning to its end, GitHub's limit."""
        now = self._now()
        # PyJWT refuses an `iss` that is not text.
        claims = {"iat": now - _BACKDATED, "exp": now + _LIFETIME, "iss": str(self._app_id)}
        return jwt.encode(claims, self._key, algorithm="RS256")


def _parse(pem: bytes) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ValidationError("GITHUB_APP_PRIVATE_KEY is not a readable private key.") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValidationError("GITHUB_APP_PRIVATE_KEY is not an RSA key, which GitHub Apps use.")
    return key


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """An opaque token (about 520 characters since 2026); never logged."""

    value: str = field(repr=False)
    expires_at: datetime

    def fresh(self, now: datetime) -> bool:
        """True while it is good for a while yet."""
        return now < self.expires_at - _EARLY


class InstallationTokens:
    """One token per installation; whoever needs it while it is fetched waits for that one request."""

    def __init__(self, fetch: Callable[[int], object], *, now: Callable[[], datetime]) -> None:
        """`fetch` asks GitHub for a new token of an installation and answers its JSON."""
        self._fetch = fetch
        self._now = now
        self._tokens: dict[int, InstallationToken] = {}
        self._locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def get(self, installation_id: int) -> str:
        """The installation's token, fetched when there is none or it ends soon."""
        with self._lock_of(installation_id):
            token = self._tokens.get(installation_id)
            if token is None or not token.fresh(self._now()):
                token = self._tokens[installation_id] = self._read(self._fetch(installation_id))
                log.info("github.token_fetched", installation=installation_id)
            return token.value

    def drop(self, installation_id: int, value: str) -> None:
        """GitHub refused this token; a newer one that somebody fetched meanwhile stays."""
        with self._lock_of(installation_id):
            known = self._tokens.get(installation_id)
            if known is not None and known.value == value:
                del self._tokens[installation_id]

    def _lock_of(self, installation_id: int) -> threading.Lock:
        with self._guard:
            return self._locks[installation_id]

    def _read(self, data: object) -> InstallationToken:
        value = fields.dig(data, "token")
        if not isinstance(value, str) or not value:
            raise fields.PayloadError("GitHub's answer holds no installation token.")
        ends = fields.moment(data, "expires_at") or self._now().astimezone(UTC) + timedelta(minutes=50)
        return InstallationToken(value, ends)
