"""Text as XML writes it, read without a parser: references, line ends, and what may not occur."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from core.junit.repair import uncoloured

_COMMON = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"))
_REFERENCE = re.compile(r"&(?:(amp)|#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7})));")
_NONCHARACTER = re.compile(rb"\xef\xbf[\xbe\xbf]")
_FIRST_PRINTABLE = 32
_BLANKS = frozenset({9, 10, 13})
_CHARACTERS = (range(_FIRST_PRINTABLE, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))


class UnreadableError(ValueError):
    """The parser has to see this: it repairs or refuses it."""


def unescaped(text: str) -> str:
    """The text with each reference replaced by its character."""
    if "&" not in text:
        return text
    # Nearly all references are these, and `replace` is three times as fast as a pattern.
    for reference, character in _COMMON:
        text = text.replace(reference, character)
    left = text.count("&")
    if left == text.count("&amp;"):
        return text.replace("&amp;", "&")
    text, count = _REFERENCE.subn(_referred, text)
    if count != left:
        raise UnreadableError
    return text


def _referred(found: re.Match[str]) -> str:
    return _character(found[0])


@lru_cache(maxsize=1024)
def _character(reference: str) -> str:
    found = _REFERENCE.fullmatch(reference)
    assert found is not None
    if found[1]:
        return "&"
    code = int(found[2], 16) if found[2] else int(found[3])
    if not _allowed(code):
        raise UnreadableError
    return chr(code)


def _allowed(code: int) -> bool:
    """What XML 1.0 calls a character."""
    return code in _BLANKS or any(code in block for block in _CHARACTERS)


_SEPARATOR = "\0"
"""Occurs in no text that XML allows, so that many texts are read as one."""


def as_text(pieces: Sequence[bytes]) -> list[str]:
    """The characters of each piece, references left as they are."""
    return _together(pieces).decode().split(_SEPARATOR)


def inside_cdata(pieces: Sequence[bytes]) -> list[str]:
    """The text of CDATA sections."""
    return _texts(pieces, str)


def outside_cdata(pieces: Sequence[bytes]) -> list[str]:
    """The text between markup."""
    return _texts(pieces, unescaped)


def _texts(pieces: Sequence[bytes], read: Callable[[str], str]) -> list[str]:
    together = _together(pieces)
    if b">" in together and b"]]>" in together:
        raise UnreadableError
    as_written = len(together) == sum(map(len, pieces)) + len(pieces) - 1
    if as_written and b"&" not in together and b"\r" not in together:
        return [piece.decode() for piece in pieces]
    return read(_with_line_feeds(together.decode())).split(_SEPARATOR)


def _together(pieces: Sequence[bytes]) -> bytes:
    data = uncoloured(_SEPARATOR.encode().join(pieces))
    if not _legal(data, separators=len(pieces) - 1):
        raise UnreadableError
    return data


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _legal(data: bytes, *, separators: int) -> bool:
    """No other control characters than that many and blanks, and no non-characters: `Repair` replaces them."""
    others = controls(data) - separators
    if others:
        others -= signs(data, "\n")
    if others:
        others -= signs(data, "\t")
    if others:
        others -= signs(data, "\r")
    return not others and not has_noncharacters(data)


def controls(data: bytes) -> int:
    """How many control characters are there, blanks such as line ends among them."""
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) < _FIRST_PRINTABLE))


def signs(data: bytes, sign: str) -> int:
    """How often an ASCII character is there: four times as fast as `count` where there are many."""
    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord(sign)))


def has_noncharacters(data: bytes) -> bool:
    """U+FFFE or U+FFFF is there."""
    return not data.isascii() and _NONCHARACTER.search(data) is not None
