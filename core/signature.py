"""Signatures of webhooks, after the Standard Webhooks specification: symmetric, HMAC-SHA256."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from core.errors import ValidationError

PREFIX = "whsec_"
SECRET_BYTES = (24, 64)
"""The shortest and the longest key the specification allows."""


def make_secret(randomness: bytes) -> str:
    """A signing secret as its receiver keeps it."""
    least, most = SECRET_BYTES
    if not least <= len(randomness) <= most:
        raise ValueError(f"A secret has {least} to {most} bytes.")
    return PREFIX + base64.b64encode(randomness).decode()


def key_of(secret: str) -> bytes:
    """The key behind a secret of ours."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValidationError("This is not a webhook's secret.") from error


def sign(secrets: Iterable[str], *, key: str, at: datetime, body: bytes) -> str:
    """The signature header: one signature for each secret, so that a receiver may change secrets without a gap."""
    content = f"{key}.{unix(at)}.".encode() + body
    made = (hmac.digest(key_of(secret), content, hashlib.sha256) for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def headers(secrets: Iterable[str], *, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """What travels beside the body; `at` is the moment of this very attempt, `key` is the same in every attempt."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(unix(at)),
        "webhook-signature": sign(secrets, key=key, at=at, body=body),
    }


def unix(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())
