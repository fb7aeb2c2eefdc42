"""Sealed texts: small facts that come back from a browser unchanged or not at all."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

MOST: Final = 4000
"""Longest text that is looked at; a browser keeps no longer cookie."""


def seal(key: bytes, purpose: str, facts: Mapping[str, str | int], *, until: datetime) -> str:
    """The facts as text that this key alone can make, good for one purpose until then."""
    content = json.dumps({**facts, "until": int(until.timestamp())}, sort_keys=True, separators=(",", ":"))
    body = _text(content.encode())
    return f"{body}.{_text(_mac(key, purpose, body))}"


def unseal(key: bytes, purpose: str, text: str, *, now: datetime) -> Mapping[str, Any] | None:
    """The facts; None when the text is forged, for another purpose or too old."""
    body, dot, mac = text.partition(".")
    if not dot or len(text) > MOST or not text.isascii():
        return None
    # Compared as text, so that one seal has exactly one spelling.
    if not hmac.compare_digest(_text(_mac(key, purpose, body)), mac):
        return None
    facts = _facts(body)
    return facts if facts is not None and now.timestamp() < facts["until"] else None


def derived(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose: one seal never passes for another."""
    return hmac.digest(secret, f"flakeguard {purpose}".encode(), hashlib.sha256)


def _mac(key: bytes, purpose: str, body: str) -> bytes:
    return hmac.digest(derived(key, purpose), body.encode(), hashlib.sha256)


def _facts(body: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        return None
    return facts if isinstance(facts, dict) and isinstance(facts.get("until"), int) else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
