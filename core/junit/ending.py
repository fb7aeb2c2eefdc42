"""Where the root element ends: nothing behind it is fed to the parser, whose complaints do not say where they are."""

import re
from collections.abc import Iterator

_ROOT = re.compile(
    rb"\s*<([^\s<>/=\"'!?]+)(?:\s++[^\s<>/=\"']++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+\s*+(/>)?"
)
_NEVER = re.compile(rb"(?!)")
_UNFINISHED = re.compile(rb"&(?:[A-Za-z]\w{0,9}|#\d{0,8}|#[xX][0-9a-fA-F]{0,8})?\Z")
_TAIL = 32
_LONGEST_SIGN = 16
"""The parser places an unfinished token at its beginning or at its end."""


class Ending:
    """Splits pieces wherever the root element may end; inside of a CDATA section that is in vain, but harmless."""

    def __init__(self) -> None:
        self._mark = b""
        self._end = _NEVER
        self._tail = b""
        self._width = 0
        self._ascii = True

    def portions(self, piece: bytes) -> Iterator[bytes]:
        """The piece in parts that hold nothing behind the end of the root element, if it ends in them."""
        at = 0
        if not self._mark:
            at = self._learn(piece)
            if at:
                yield piece[:at]
        if self._mark in piece:
            for end in self._end.finditer(piece, at):
                yield piece[at : end.end()]
                at = end.end()
        if at < len(piece):
            yield piece[at:]

    def fed(self, data: bytes) -> None:
        """The parser has been given this."""
        self._tail = (self._tail + data[-_TAIL:])[-_TAIL:]
        begin = data.rfind(b"\n") + 1
        if begin:
            self._width, self._ascii = 0, True
        self._width += len(data) - begin
        self._ascii = self._ascii and data[begin:].isascii()

    def near(self, column: int) -> bool:
        """This column of the last line fed is where it ends; the parser does not count other letters reliably."""
        return not self._ascii or column >= self._width - _LONGEST_SIGN

    @property
    def in_reference(self) -> bool:
        """What was fed last ends in the midst of a reference."""
        return _UNFINISHED.search(self._tail) is not None

    def _learn(self, piece: bytes) -> int:
        """The root's name as written, prefix included; where it ends if it is empty, else 0."""
        root = _ROOT.match(piece)
        self._mark = b"</" + root[1] if root else b"<"
        self._end = re.compile(re.escape(self._mark) + rb"\s*+>") if root else _NEVER
        return root.end() if root and root[2] else 0
