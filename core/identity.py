"""What makes two results the same test: normalised names and a versioned digest."""

import hashlib
import re
import unicodedata

from core.report import TestKey

VERSION = 1
"""Grows when `normalise` or `digest` would give a known test another identity."""
_KEY = b"flakeguard identity"

_HEX = "[0-9a-fA-F]"
_VOLATILE = re.compile(
    rf"(?P<uuid>\b{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T _]\d\d[:.-]\d\d(?:[:.-]\d\d(?:[.,]\d+)?)?(?:Z\b|[+-]\d\d:?\d\d\b)?"
    r"|\b\d{8}T\d{4,6}Z?\b|(?<!\d)20\d\d[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d(?!\d))"
    r"|(?P<address>\b0x[0-9a-f]{6,16}\b|@(?=[0-9a-f]*\d)[0-9a-f]{6,8}(?![\w.]))"
    r"|(?P<path>(?:/private)?/(?:tmp|var/folders|var/tmp)/[^\s\]\[\"'(),;:]+"
    r"|[A-Za-z]:[\\/]Users[\\/][^\\/]+[\\/]AppData[\\/]Local[\\/]Temp[\\/][^\s\]\[\"'(),;:]+)"
    r"|(?P<port>(?:(?<=localhost:)|(?<=\d\.\d:)|(?<=\d\.\d\d:)|(?<=\d\.\d\d\d:)|(?<=::1\]:)|(?<=\bport[ =:_-]))\d{5}\b)"
    r"|(?P<hex>\b(?=[0-9]*[a-fA-F])(?=[a-fA-F]*\d)(?:[0-9a-f]{16,}|[0-9A-F]{16,})\b)"
    r"|(?P<epoch>(?<![\d.])1[4-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?![\d.]))",
    re.ASCII,
)
"""Dates without a time and short numbers stay: as parameters they tell tests apart, and they do not change."""
_WORKSPACE = re.compile(
    r"(?<![\w./])(?:file://)?(?:/home/runner/work/[^/\s]+/[^/\s]+"
    r"|/Users/runner/work/[^/\s]+/[^/\s]+"
    r"|[A-Za-z]:/a/[^/\s]+/[^/\s]+|[A-Za-z]:\\a\\[^\\\s]+\\[^\\\s]+"
    r"|/__w/[^/\s]+/[^/\s]+"
    r"|/github/workspace"
    r"|/home/circleci/[^/\s]+"
    r"|/var/lib/jenkins/workspace/[^/\s]+"
    r"|/home/vsts/work/\d+/s)[/\\]"
)
"""Where hosted machines check out: no test means these, unlike /app or /builds, which a route may be called."""

_AS_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else byte for byte in range(256))  # noqa: PLR2004
_AS_HEX = bytes(ord("h") if chr(byte) in "0123456789abcdefABCDEF" else byte for byte in range(256))
_NUMBERS = (b"0000000000", b"00000000T", b":00000", b"port")
_PLACES = (b"/tmp/", b"/var/", b"/work", b"/__w/", b"/circleci/", b":/a/")
_LONGEST_KEPT = 3


def mask(text: str) -> str:
    """The text with what changes from run to run replaced by what kind of thing it was."""
    return _VOLATILE.sub(lambda found: f"<{found.lastgroup}>", _WORKSPACE.sub("", text))


def normal(text: str) -> str:
    """One part of a key as it is remembered."""
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return mask(text) if may_change(text) else text


def are_normal(texts: list[str]) -> bool:
    """True only if `normal` leaves each of them as it is; False says nothing."""
    together = "\n".join(texts)
    return (
        list(map(str.strip, texts)) == texts
        and unicodedata.is_normalized("NFC", together)
        and not may_change(together)
    )


def may_change(text: str) -> bool:
    """False when `mask` leaves this text as it is: twenty times quicker than masking it."""
    data = text.encode("utf-8", "surrogatepass")
    if b":" in data and (b"AppData" in data or b":\\a\\" in data):
        return True
    if b"/" in data and any(hint in data for hint in _PLACES):
        return True
    hexes = data.translate(_AS_HEX)
    if b"-" in data and b"hhhh-hh-hh" in hexes and _volatile(data.translate(_AS_DIGITS), hexes):
        return True
    if b"hhhhh" not in hexes:
        return False
    if b"hhhhhh" in hexes and (b"@" in data or b"0x" in data):
        return True
    port = b":" in data or b"port" in data
    return (port or b"hhhhhhhh" in hexes) and _volatile(data.translate(_AS_DIGITS), hexes)


def _volatile(digits: bytes, hexes: bytes) -> bool:
    if b"0000-00-00" in digits or (b"00000" in digits and any(hint in digits for hint in _NUMBERS)):
        return True
    return b"hhhhhhhh-hhhh-" in hexes or b"hhhhhhhhhhhhhhhh" in hexes


def normalise(key: TestKey) -> TestKey:
    """The key under which a test is remembered; normalising twice changes nothing."""
    return key._replace(
        suite=normal(key.suite),
        class_name=normal(key.class_name),
        name=normal(key.name),
        file=stable_file(key.file),
        variant=normal(key.variant),
    )


_CHECKOUT = re.compile(
    r"^(?:/home/runner/work/[^/]+/[^/]+"
    r"|/Users/runner/work/[^/]+/[^/]+"
    r"|[A-Za-z]:/a/[^/]+/[^/]+"
    r"|/__w/[^/]+/[^/]+"
    r"|/github/workspace"
    r"|/builds/[^/]+/[^/]+"
    r"|/home/circleci/[^/]+"
    r"|/home/ci/[^/]+"
    r"|/var/lib/jenkins/workspace/[^/]+"
    r"|/home/vsts/work/\d+/s"
    r"|/bitrise/src|/workspace|/app|/usr/src/app|/code|/src|/repo)/"
)
_PROJECT_FOLDER = re.compile(
    r"/((?:src|tests?|specs?|__tests__|lib|packages|apps|modules|e2e|cypress|features|integration|unit)/.*)$"
)


def stable_file(path: str) -> str:
    """A path inside the project, with forward slashes, whatever machine wrote it."""
    path = path.strip().replace("\\", "/").removeprefix("file://")
    while path.startswith("./"):
        path = path[2:]
    if path.startswith("/") or path[1:3] == ":/":
        path = _inside_project(path)
    return normal(path)


def _inside_project(path: str) -> str:
    """Without the checkout's own place: a known runner's, else from a usual source folder, else the last names."""
    if checkout := _CHECKOUT.match(path):
        return path[checkout.end() :]
    if folder := _PROJECT_FOLDER.search(path):
        return folder[1]
    return "/".join(path.split("/")[-_LONGEST_KEPT:]).lstrip("/")


def digest(key: TestKey) -> bytes:
    """16 bytes for a normalised key; fields are length-prefixed because any joining character can occur in names."""
    state = hashlib.blake2b(digest_size=16, key=_KEY, person=VERSION.to_bytes(2, "big"))
    for part in (key.suite, key.class_name, key.name, key.file, key.variant):
        data = part.encode("utf-8", "surrogatepass")
        state.update(len(data).to_bytes(4, "big") + data)
    return state.digest()
