"""A text, CDATA section or attribute value too long to be passed on: its beginning and its end are enough."""

import re

_BEGUN = re.compile(
    rb"(?:\x1b|&#(?:0*27|[xX]0*1[bB]);)(?:\[[0-9;]*)?\Z|&#(?:[xX]0*[dD][89abAB][0-9a-fA-F]{2}|0*5[56]\d{3});\Z"
)


class Stretch:
    """Fed piece by piece: the first `kept` bytes leave at once, the last `kept` bytes wait for the end."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._head_left = kept
        self._tail = bytearray()
        self._cut = False

    def add(self, data: bytes, start: int, end: int) -> bytes:
        """The next piece; what is passed on of it."""
        head = self._head(data[start : min(end, start + self._head_left)]) if self._head_left > 0 else b""
        start += len(head)
        from_here = max(start, end - self._kept)
        self._cut = self._cut or from_here > start
        self._tail += data[from_here:end]
        if len(self._tail) > 2 * self._kept:
            del self._tail[: -self._kept]
            self._cut = True
        return head

    def _head(self, head: bytes) -> bytes:
        self._head_left -= len(head)
        return head if self._head_left else whole_end(head)

    def end(self) -> bytes:
        """What waited."""
        tail = bytes(self._tail[-self._kept :])
        return _whole_start(tail) if self._cut or len(tail) < len(self._tail) else tail


def whole_end(head: bytes) -> bytes:
    """Without a character, reference, pair of references or colour that is cut off at the end."""
    at = head.rfind(b"&", max(len(head) - 40, 0))
    if at >= 0 and b";" not in head[at:]:
        head = head[:at]
    if begun := _BEGUN.search(head, max(len(head) - 40, 0)):
        head = head[: begun.start()]
    cut = len(head)
    while cut > 0 and len(head) - cut < 4 and head[cut - 1] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8
        cut -= 1
    if cut > 0 and head[cut - 1] >= 0xC0:  # noqa: PLR2004 - UTF-8
        return head[: cut - 1]
    return head


def _whole_start(tail: bytes) -> bytes:
    """Without a character or reference that is cut off at the beginning."""
    end = tail.find(b";", 0, 40)
    start = tail.find(b"&", 0, 40)
    if end >= 0 and (start < 0 or end < start):
        tail = tail[end + 1 :]
    cut = 0
    while cut < min(len(tail), 4) and tail[cut] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8
        cut += 1
    return tail[cut:]
