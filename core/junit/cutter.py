"""Stands in front of the XML parser: bounds every text, CDATA section and attribute, and takes simple cases out.

libxml2 keeps a text of 200 MB in memory several times over, whatever the program above it does; so it never sees
one. What is thrown away here (the middle of long texts, output of passed cases, comments) is not judged either.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from core.junit.errors import ReportError
from core.junit.foreign import XML_PLEASE
from core.junit.rows import Rows, Shape, shape_of
from core.limits import KIB, Limits

MARKER = b"<?r?>"
"""Tells the walker that the next rows belong here; no instruction of the document's own gets through."""

_TAG = re.compile(rb"<([^\s<>/=\"'!?]++)(?:\s++[^\s<>/=\"']++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+\s*+(/?)>")
_TAG_NAME = re.compile(rb"<[^\s<>/=\"'!?]{1,1000}+")
_VALUE = re.compile(rb"\s*+[^\s<>/=\"']{1,1000}+\s*+=\s*+([\"'])")
_TAG_END = re.compile(rb"\s*+/?>")
_OUTPUT = re.compile(rb"<(system-out|system-err|properties)\s*+(/?)>")
_PRINTED = re.compile(rb"\]\]>\s*+</system-(out|err)>\s*+</testcase>")
_SPECIAL = re.compile(rb"<[!?]")
_OUTPUTS = (b"system-out", b"system-err")
_WINDOW = 64 * KIB
_ELEMENT = 1024 * KIB
_MISSING, _COMPLEX = -1, -2
_BYTES_PER_CHARACTER = 12
"""The longest reference, so that what is kept in bytes holds what is kept in characters."""
_ATTRIBUTES = 1000
_PREAMBLE = 500


class Cutter:
    """Iterate for pieces of bounded XML; the rows taken out wait in `rows`, one batch for each marker."""

    def __init__(self, chunks: Iterable[bytes], *, name: str, limits: Limits) -> None:
        self.rows: deque[Rows] = deque()
        self.warnings: list[str] = []
        self.preamble = ""
        self.root_line = 1
        self._chunks = iter(chunks)
        self._name = name
        self._keep = _BYTES_PER_CHARACTER * max(limits.text_chars // 2, 1)
        self._keep_output = _BYTES_PER_CHARACTER * max(limits.output_chars, 1)
        self._buffer = b""
        self._at = 0
        self._final = False
        self._root_seen = False
        self._in_output = False
        self._step: Callable[[], bool] = self._markup
        self._shape: Shape | None = None
        self._tags: list[bytes] = []
        self._pieces: list[bytes] = []
        self._head_left = 0
        self._tail = bytearray()
        self._tail_cut = False
        self._quote = b""
        self._attributes = 0
        self._lines = _Lines()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
            yield self._pass()
        self._final = True
        yield self._pass()
        if self._at < len(self._buffer):
            self._emit(self._buffer[self._at :])
            self._at = len(self._buffer)
            yield self._taken()

    def line(self, position: tuple[int, int]) -> int:
        """The line of the document for a line and column of what was handed out."""
        return self._lines.true(*position)

    def place(self, piece: bytes, at: int) -> tuple[int, int]:
        """Line and column, as the parser counts them, of an offset in the piece that was handed out last."""
        return self._lines.first + piece.count(b"\n", 0, max(at, 0)), at - piece.rfind(b"\n", 0, max(at, 0))

    def _pass(self) -> bytes:
        while self._at < len(self._buffer):
            if not self._step():
                break
        self._flush()
        return self._taken()

    def _taken(self) -> bytes:
        data = b"".join(self._pieces)
        self._lines.next(self._pieces)
        self._pieces = []
        return data

    # What leaves

    def _emit(self, piece: bytes) -> None:
        if self._tags:
            self._flush()
        self._pieces.append(piece)

    def _drop(self, start: int, end: int) -> None:
        lines = self._buffer.count(b"\n", start, end)
        if lines:
            self._lines.dropped(len(self._pieces), lines)

    def _divert(self, start: int, end: int, tags: bytes) -> None:
        self._tags.append(tags)
        self._drop(start, end)

    def _flush(self) -> None:
        if not self._tags:
            return
        tags = b"".join(self._tags)
        self._tags = []
        rows = self._shape.rows(tags) if self._shape else None
        if rows is None:
            self._pieces.append(tags.replace(b"\n", b" "))
            return
        self.rows.append(rows)
        self._pieces.append(MARKER)

    # Steps: each consumes something, or says False to wait for more bytes

    def _markup(self) -> bool:
        buffer, at = self._buffer, self._at
        if self._shape is not None and self._simple(self._shape):
            return True
        start = buffer.find(b"<", at)
        if start != at:
            return self._text(at, start)
        follows = buffer[at + 1 : at + 2]
        if follows == b"/":
            return self._end_tag()
        if follows == b"?":
            return self._skip(b"?>", self._in_instruction)
        if follows == b"!":
            return self._declaration()
        return self._start_tag()

    def _simple(self, shape: Shape) -> bool:
        """The two commonest things: a run of silent cases, and one that printed."""
        buffer, at = self._buffer, self._at
        if run := shape.run.match(buffer, at):
            self._divert(at, run.end(), run[0])
            self._at = run.end()
            return True
        printed = shape.printed.match(buffer, at)
        if printed is None:
            return False
        end = buffer.find(b"]]>", printed.end())
        close = _PRINTED.match(buffer, end) if end >= 0 else None
        if close is None or close[1] != printed[2]:
            return False
        self._divert(at, close.end(), printed[1] + b"/>")
        self._at = close.end()
        return True

    def _text(self, at: int, end: int) -> bool:
        if not self._root_seen:
            return self._preamble(at, end)
        if end >= 0 and end - at <= 2 * self._kept():
            if not (self._tags and self._buffer[at:end].isspace()):
                self._emit(self._buffer[at:end])
            else:
                self._drop(at, end)
            self._at = end
            return True
        self._begin_long(self._in_text)
        return True

    def _preamble(self, at: int, end: int) -> bool:
        end = end if end >= 0 else len(self._buffer)
        if self._buffer[at:end].strip():
            if self._final or self._buffer.find(b"<", at) < 0:
                self._not_xml()
            self.warnings.append("text before the first tag was ignored")
        self._drop(at, end)
        self._at = end
        return True

    def _not_xml(self) -> None:
        raise ReportError(
            "it is not XML", name=self._name, line=1, remedy="Send the file that the reporter writes."
        )

    def _kept(self) -> int:
        if self._quote:
            return self._keep
        return self._keep_output if self._in_output else self._keep

    def _begin_long(self, step: Callable[[], bool]) -> None:
        self._head_left = self._kept()
        self._tail_cut = False
        self._step = step

    def _in_text(self) -> bool:
        end = self._buffer.find(b"<", self._at)
        if end < 0:
            return self._more()
        self._bounded(end)
        self._emit(self._end_of_long())
        self._step = self._markup
        return True

    def _more(self, margin: int = 0) -> bool:
        """Take what is there of a long stretch, except a character or reference that may continue."""
        stop = len(self._buffer)
        if not self._final:
            start = max(stop - 64, self._at)
            stop = max(start + len(_whole_end(self._buffer[start : max(stop - margin, start)])), self._at)
        self._bounded(stop)
        return False

    def _bounded(self, end: int) -> None:
        """Pass on the head of a long stretch, remember its tail, drop the middle."""
        at = self._at
        self._at = end
        if self._head_left > 0:
            head = self._buffer[at : min(end, at + self._head_left)]
            at += len(head)
            self._head_left -= len(head)
            if not self._head_left:
                at -= len(head) - len(_whole_end(head))
                head = _whole_end(head)
            self._emit(head)
        keep = self._kept()
        start = max(at, end - keep)
        self._drop(at, start)
        self._tail += self._buffer[start:end]
        self._tail_cut = self._tail_cut or start > at
        if len(self._tail) > 2 * keep:
            self._lines.dropped(len(self._pieces), self._tail.count(b"\n", 0, len(self._tail) - keep))
            del self._tail[:-keep]
            self._tail_cut = True

    def _end_of_long(self) -> bytes:
        tail = bytes(self._tail)
        self._tail.clear()
        return _whole_start(tail) if self._tail_cut else tail

    def _end_tag(self) -> bool:
        end = self._buffer.find(b">", self._at)
        if end < 0:
            return self._wait_or_give_up()
        self._emit(self._buffer[self._at : end + 1])
        self._in_output = False
        self._at = end + 1
        return True

    def _wait_or_give_up(self) -> bool:
        """Markup that does not end: more bytes, or the parser's own complaint."""
        if not self._final and len(self._buffer) - self._at < _WINDOW:
            return False
        self._emit(self._buffer[self._at :])
        self._at = len(self._buffer)
        return True

    def _skip(self, end: bytes, state: Callable[[], bool]) -> bool:
        found = self._buffer.find(end, self._at + 2)
        if found < 0:
            self._step = state
            return state()
        self._drop(self._at, found + len(end))
        self._at = found + len(end)
        return True

    def _in_instruction(self) -> bool:
        return self._skipping(b"?>")

    def _in_comment(self) -> bool:
        return self._skipping(b"-->")

    def _skipping(self, end: bytes) -> bool:
        found = self._buffer.find(end, self._at)
        if found < 0:
            stop = max(len(self._buffer) - len(end) + 1, self._at)
            self._drop(self._at, stop)
            self._at = stop
            if self._final:
                self._emit(b"<!--")
                self._at = len(self._buffer)
            return False
        self._drop(self._at, found + len(end))
        self._at = found + len(end)
        self._step = self._markup
        return True

    def _declaration(self) -> bool:
        buffer, at = self._buffer, self._at
        if buffer.startswith(b"<!--", at):
            found = buffer.find(b"-->", at + 4)
            if found >= 0:
                if not self._root_seen and found - at < _WINDOW:
                    self.preamble += buffer[at + 4 : found].decode(errors="replace")[:_PREAMBLE]
                self._drop(at, found + 3)
                self._at = found + 3
            else:
                self._at = at + 4
                self._step = self._in_comment
            return True
        if buffer.startswith(b"<![CDATA[", at):
            return self._cdata()
        if len(buffer) - at < len(b"<!DOCTYPE html") and not self._final:
            return False
        word = buffer[at : at + 14].lower()
        if word == b"<!doctype html":
            raise ReportError(
                "this is an HTML page, not a JUnit report",
                name=self._name,
                line=self._line_here(),
                remedy=XML_PLEASE,
            )
        if word.startswith(b"<!doctype"):
            raise ReportError(
                "it declares a DOCTYPE, which no test report needs",
                name=self._name,
                line=self._line_here(),
                remedy="Remove the declaration.",
            )
        self._emit(buffer[at : at + 2])
        self._at = at + 2
        return True

    def _line_here(self) -> int:
        return self._lines.here(self._pieces)

    def _cdata(self) -> bool:
        start = self._at + 9
        end = self._buffer.find(b"]]>", start)
        if 0 <= end <= start + 2 * self._kept():
            self._emit(self._buffer[self._at : end + 3])
            self._at = end + 3
            return True
        self._emit(b"<![CDATA[")
        self._at = start
        self._begin_long(self._in_cdata)
        return True

    def _in_cdata(self) -> bool:
        end = self._buffer.find(b"]]>", self._at)
        if end < 0:
            return self._more(margin=2)
        self._bounded(end)
        self._emit(b"]]><![CDATA[" + self._end_of_long() + b"]]>")
        self._at = end + 3
        self._step = self._markup
        return True

    def _start_tag(self) -> bool:
        if self._shape is not None and (known := self._shape.tag.match(self._buffer, self._at)):
            return self._shaped_case(known)
        tag = _TAG.match(self._buffer, self._at)
        if tag is None:
            return self._unfinished_tag()
        if not self._root_seen:
            self._root_seen = True
            self.root_line = self._line_here()
        if tag[1] == b"testcase":
            return self._case(tag)
        self._emit(tag[0])
        self._in_output = tag[1] in _OUTPUTS and not tag[2]
        self._at = tag.end()
        return True

    def _unfinished_tag(self) -> bool:
        if not self._final and len(self._buffer) - self._at < _WINDOW:
            return False
        name = _TAG_NAME.match(self._buffer, self._at)
        if name is None or self._final:
            return self._wait_or_give_up()
        self._root_seen = True
        self._emit(name[0])
        self._at = name.end()
        self._attributes = 0
        self._step = self._in_long_tag
        return True

    def _in_long_tag(self) -> bool:
        """A tag too long to be seen at once: attribute by attribute, each bounded."""
        end = _TAG_END.match(self._buffer, self._at)
        value = None if end else _VALUE.match(self._buffer, self._at)
        if end is None and value is None:
            if not self._final and len(self._buffer) - self._at < _WINDOW:
                return False
            self._step = self._markup
            self._emit(self._buffer[self._at : self._at + 1])
            self._at += 1
            return True
        found = end or value
        assert found is not None
        self._emit(found[0])
        self._at = found.end()
        if value is None:
            self._step = self._markup
            return True
        self._attributes += 1
        if self._attributes > _ATTRIBUTES:
            raise ReportError(
                f"a tag has more than {_ATTRIBUTES} attributes", name=self._name, line=self._line_here()
            )
        self._quote = value[1]
        self._begin_long(self._in_value)
        return True

    def _in_value(self) -> bool:
        end = self._buffer.find(self._quote, self._at)
        if end < 0:
            return self._more()
        self._bounded(end)
        self._emit(self._end_of_long() + self._quote)
        self._quote = b""
        self._at = end + 1
        self._step = self._in_long_tag
        return True

    # Cases

    def _case(self, tag: re.Match[bytes]) -> bool:
        """A case of another shape than the one before, or of none."""
        shape = shape_of(self._buffer, self._at)
        if shape is not None:
            self._flush()
            self._shape = shape
            return True
        self._whole_case(tag)
        return True

    def _shaped_case(self, tag: re.Match[bytes]) -> bool:
        """A case that is neither silent nor printed one thing: take it out if it holds nothing bad."""
        if not tag[0].endswith(b"/>"):
            end = self._skim(tag.end())
            if end == _MISSING and not self._final and len(self._buffer) - self._at < _ELEMENT:
                return False
            if end >= 0:
                self._divert(self._at, end, tag[0][:-1] + b"/>")
                self._at = end
                return True
        self._whole_case(tag)
        return True

    def _whole_case(self, tag: re.Match[bytes]) -> None:
        """A short case without CDATA needs no cutting: it is passed on as it is."""
        end = tag.end()
        if not tag[0].endswith(b"/>"):
            close = self._buffer.find(b"</testcase>", end, end + _WINDOW)
            if close >= 0 and not _SPECIAL.search(self._buffer, end, close):
                end = close + 11
        self._emit(self._buffer[self._at : end])
        self._at = end

    def _skim(self, at: int) -> int:
        """Where a case ends that holds nothing but output and properties."""
        buffer = self._buffer
        while True:
            start = buffer.find(b"<", at)
            if start < 0:
                return _MISSING
            if start != at and not buffer[at:start].isspace():
                return _COMPLEX
            if buffer.startswith(b"</testcase>", start):
                return start + 11
            child = _OUTPUT.match(buffer, start)
            if child is None:
                return _MISSING if len(buffer) - start < 16 else _COMPLEX  # noqa: PLR2004 - a tag may be cut off
            at = child.end() if child[2] else self._skim_child(child[1], child.end())
            if at < 0:
                return at

    def _skim_child(self, name: bytes, at: int) -> int:
        buffer = self._buffer
        if name == b"properties":
            end = buffer.find(b"</properties>", at)
            if end < 0:
                return _MISSING
            plain = buffer.find(b"<!", at, end) < 0 and buffer.find(b"<?", at, end) < 0
            return end + 13 if plain else _COMPLEX
        while True:
            start = buffer.find(b"<", at)
            if start < 0:
                return _MISSING
            if buffer.startswith(b"<![CDATA[", start):
                at = buffer.find(b"]]>", start + 9) + 3
                if at < 3:  # noqa: PLR2004 - not found
                    return _MISSING
            elif buffer.startswith(b"</" + name + b">", start):
                return start + len(name) + 3
            else:
                return _MISSING if len(buffer) - start < 16 else _COMPLEX  # noqa: PLR2004 - a tag may be cut off


def _whole_end(head: bytes) -> bytes:
    """Without a character or reference that is cut off at the end."""
    at = head.rfind(b"&", max(len(head) - 40, 0))
    if at >= 0 and b";" not in head[at:]:
        head = head[:at]
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


class _Lines:
    """Line numbers survive what is dropped."""

    def __init__(self) -> None:
        self._fed = 1
        self._gone = 0
        self._last: tuple[int, int, list[bytes], list[tuple[int, int]]] = (1, 0, [], [])
        self._drops: list[tuple[int, int]] = []

    @property
    def first(self) -> int:
        return self._last[0]

    def dropped(self, piece: int, lines: int) -> None:
        self._drops.append((piece, lines))

    def next(self, pieces: list[bytes]) -> None:
        self._last = (self._fed, self._gone, pieces, self._drops)
        self._fed += sum(piece.count(b"\n") for piece in pieces)
        self._gone += sum(lines for _, lines in self._drops)
        self._drops = []

    def here(self, pieces: list[bytes]) -> int:
        return (
            self._fed
            + self._gone
            + sum(piece.count(b"\n") for piece in pieces)
            + sum(lines for _, lines in self._drops)
        )

    def true(self, fed: int, column: int) -> int:
        """Walk through the pieces of the last hand-out up to this place, and add what was dropped before it."""
        line, gone, pieces, drops = self._last
        waiting = deque(drops)
        for at, piece in enumerate([*pieces, b""]):
            while waiting and waiting[0][0] <= at:
                gone += waiting.popleft()[1]
            inside = piece.count(b"\n")
            if line + inside > fed:
                break
            if line + inside == fed:
                width = len(piece) - piece.rfind(b"\n") - 1
                if column <= width:
                    break
                column -= width
            line += inside
        return fed + gone
