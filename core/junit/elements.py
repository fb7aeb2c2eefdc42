"""Finds the ends of the elements inside a case, by searching for the few strings they can end with."""

import re

from core.limits import KIB

MISSING, COMPLEX = -1, -2
"""The end is not there yet; or only the XML parser can tell."""
_LONGEST_TAG = 64
_TRIES = 8
_LONGEST_PROPERTIES = 64 * KIB
"""Without a bound every case of a broken report would be searched to the end of the document."""
_INK = re.compile(rb"\S")
_OUTPUT = re.compile(rb"<(system-out|system-err|properties)[ \t\r\n]*+(/?)>")
_CDATA = b"<![CDATA["
_CLOSE = b"</testcase>"


def end_of_cdata(buffer: bytes, at: int) -> int:
    """Where the section that is open here ends: the place of its `]]>`, or MISSING."""
    # A single byte is found ten times as fast as three, and in most output the end is among the first of these.
    start = at
    for _ in range(_TRIES):
        end = buffer.find(b">", at) - 2
        if end < start - 2:
            return MISSING
        if end >= start and buffer.startswith(b"]]", end):
            return end
        at = end + 3
    return buffer.find(b"]]>", max(at - 2, start))


def end_of_case(buffer: bytes, at: int) -> int:
    """Where a case ends that holds nothing from here on but output and properties."""
    while True:
        start = buffer.find(b"<", at)
        if start < 0:
            return MISSING
        if start != at and _INK.search(buffer, at, start):
            return COMPLEX
        if buffer.startswith(_CLOSE, start):
            return start + len(_CLOSE)
        child = _OUTPUT.match(buffer, start)
        if child is None:
            return _unknown(buffer, start)
        at = child.end() if child[2] else _end_of_child(buffer, child)
        if at < 0:
            return at


def _end_of_child(buffer: bytes, child: re.Match[bytes]) -> int:
    close = b"</" + child[1] + b">"
    if child[1] == b"properties":
        end = buffer.find(close, child.end(), child.end() + _LONGEST_PROPERTIES)
        if end < 0:
            return MISSING if len(buffer) - child.end() < _LONGEST_PROPERTIES else COMPLEX
        plain = buffer.find(b"<!", child.end(), end) < 0 and buffer.find(b"<?", child.end(), end) < 0
        return end + len(close) if plain else COMPLEX
    at = child.end()
    while True:
        start = buffer.find(b"<", at)
        if start < 0:
            return MISSING
        if buffer.startswith(close, start):
            return start + len(close)
        if not buffer.startswith(_CDATA, start):
            return _unknown(buffer, start)
        at = end_of_cdata(buffer, start + len(_CDATA)) + 3
        if at < 3:  # noqa: PLR2004 - not found
            return MISSING


def body(buffer: bytes, at: int, close: bytes, *, most: int, into: list[bytes]) -> int:
    """Collect the text of an element up to its end; every second piece is the inside of a CDATA section."""
    while True:
        start = buffer.find(b"<", at)
        if start < 0:
            return MISSING
        if start - at > most:
            return COMPLEX
        into.append(buffer[at:start])
        if buffer.startswith(close, start):
            return start + len(close)
        if not buffer.startswith(_CDATA, start):
            return _unknown(buffer, start)
        at = start + len(_CDATA)
        end = end_of_cdata(buffer, at)
        if end < 0:
            return MISSING
        if end - at > most:
            return COMPLEX
        into.append(buffer[at:end])
        at = end + 3


def _unknown(buffer: bytes, at: int) -> int:
    """Something else follows here, unless it is only cut off."""
    return MISSING if len(buffer) - at < _LONGEST_TAG else COMPLEX
