"""API tokens: `fg_<kind>_<43 random characters>_<8 of checksum>`; only the SHA-256 is ever stored."""

import base64
import hashlib
import re
import zlib

_SHAPE = re.compile(r"fg_[a-z]{1,12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}")


def make_token(kind: str, randomness: bytes) -> str:
    """A token of this kind from 32 random bytes; the checksum tells a typo from a wrong token."""
    if len(randomness) != 32:  # noqa: PLR2004 - 256 bits
        raise ValueError("A token needs exactly 32 random bytes.")
    body = f"fg_{kind}_{base64.urlsafe_b64encode(randomness).decode().rstrip('=')}"
    return f"{body}_{zlib.crc32(body.encode()):08x}"


def well_formed(token: str) -> bool:
    """True when the text has a token's shape and its checksum is right."""
    if not _SHAPE.fullmatch(token):
        return False
    body, _, checksum = token.rpartition("_")
    return f"{zlib.crc32(body.encode()):08x}" == checksum


def token_hash(token: str) -> bytes:
    """What is stored and looked up: SHA-256 (a slow hash gains nothing on 256 random bits)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
