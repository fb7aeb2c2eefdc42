"""What makes two results the same test: normalised names and a versioned digest."""

import hashlib
import re
from dataclasses import replace

from core.report import TestKey

VERSION = 1
_KEY = b"flakeguard identity"
_VOLATILE = re.compile(
    r"(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    r"|(?P<address>\b0x[0-9a-fA-F]{6,16}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|(?P<path>(?:/private)?(?:/tmp|/var/folders|/var/tmp)/[^\s\]\[\"'(),;:]+)"
    r"|(?P<port>(?<=localhost:)\d{4,5}\b|(?<=127\.0\.0\.1:)\d{4,5}\b|(?<=0\.0\.0\.0:)\d{4,5}\b|(?<=\[::1\]:)\d{4,5}\b)"
    r"|(?P<hex>\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])(?:[0-9a-f]{16,}|[0-9A-F]{16,})\b)"
    r"|(?P<epoch>\b1\d{9}(?:\d{3}|\d{6}|\d{9})?\b)"
)


def mask(text: str) -> str:
    """The text with what changes from run to run replaced by what kind of thing it was."""
    return _VOLATILE.sub(lambda found: f"<{found.lastgroup}>", text)


def normalise(key: TestKey) -> TestKey:
    """The key under which a test is remembered."""
    return replace(
        key,
        suite=mask(key.suite.strip()),
        class_name=mask(key.class_name.strip()),
        name=mask(key.name.strip()),
        file=stable_file(key.file),
        variant=key.variant.strip(),
    )


def stable_file(path: str) -> str:
    """A path inside the project, with forward slashes; empty when only this machine knows it."""
    path = path.strip().replace("\\", "/")
    while path.startswith("./"):
        path = path[2:]
    if path.startswith("/") or path[1:3] == ":/":
        return ""
    return mask(path)


def digest(key: TestKey) -> bytes:
    """16 bytes for a normalised key; fields are length-prefixed because any joining character can occur in names."""
    state = hashlib.blake2b(digest_size=16, key=_KEY, person=VERSION.to_bytes(2, "big"))
    for part in (key.suite, key.class_name, key.name, key.file, key.variant):
        data = part.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(4, "big"))
        state.update(data)
    return state.digest()
