"""Stands in front of the XML parser: bounds every text, CDATA section and attribute, and takes simple cases out.

libxml2 keeps a text of 200 MB in memory several times over, whatever the program above it does; so it never sees
one. What is thrown away here (the middle of long texts, output of passed cases, comments) is not judged either.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from core.junit.elements import end_of_cdata
from core.junit.errors import ReportError
from core.junit.foreign import XML_PLEASE
from core.junit.lines import Lines
from core.junit.rows import Rows
from core.junit.shapes import LONGEST_VALUE, shape_of
from core.junit.stretch import Stretch, whole_end
from core.junit.taken import BYTES_PER_CHARACTER, WAIT, Run, Taken
from core.limits import KIB, Limits

_TAG = re.compile(rb"<([^\s<>/=\"'!?]++)(?:\s++[^\s<>/=\"']++\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))*+\s*+(/?)>")
_SUITES = re.compile(
    rb"(?:[ \t\r\n]*+</?testsuite(?:[ \t\r\n]++[A-Za-z][\w\-]{0,40}+=\"[^\"<]{0,2000}+\")*+[ \t\r\n]*+>){1,100}+"
)
"""Where one suite ends and the next begins, which is a third of all markup where suites are small."""
_TAG_NAME = re.compile(rb"<[^\s<>/=\"'!?]{1,1000}+")
_VALUE = re.compile(rb"\s*+[^\s<>/=\"']{1,1000}+\s*+=\s*+([\"'])")
_TAG_END = re.compile(rb"\s*+/?>")
_INK = re.compile(rb"\S")
_SPECIAL = re.compile(rb"<[!?]")
_OUTPUTS = (b"system-out", b"system-err")
_CLOSE = b"</testcase>"
_WINDOW = 64 * KIB
_HANDED_OUT = 256 * KIB
_ATTRIBUTES = 1000
_LONGEST_NAME = 1000
_PREAMBLE = 500
_FEW = 500
_CHANGES = 10


class Cutter:
    """Iterate for pieces of bounded XML; the rows taken out wait in `rows`, one batch for each marker."""

    def __init__(self, chunks: Iterable[bytes], *, name: str, limits: Limits, lines: Lines) -> None:
        self.warnings: list[str] = []
        self.preamble = ""
        self._chunks = iter(chunks)
        self._name = name
        self._lines = lines
        self._keep = BYTES_PER_CHARACTER * max(limits.text_chars // 2, 1)
        self._keep_output = BYTES_PER_CHARACTER * max(limits.output_chars, 1)
        self._takes = limits.name_chars >= LONGEST_VALUE
        self._taken = Taken(limits, lines)
        self._buffer = b""
        self._at = 0
        self._before = 0
        """The length of what was in front of this buffer."""
        self._final = False
        self._root_seen = False
        self._in_output = False
        self._step: Callable[[], bool] = self._markup
        self._pieces: list[tuple[int, bytes | Run]] = []
        self._size = 0
        self._changes = 0
        """How often in turn the shape changed after a few cases: what is taken out by ones costs more than parsing."""
        self._changed_at = 0
        self._stretch = Stretch(0)
        self._quote = b""
        self._attributes = 0

    @property
    def rows(self) -> deque[Rows]:
        """What the markers stand for, in order."""
        return self._taken.rows

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._before += self._at
            self._buffer = self._buffer[self._at :] + chunk if self._at < len(self._buffer) else chunk
            self._at = 0
            yield from self._passed()
        self._final = True
        yield from self._passed()
        if self._at < len(self._buffer):
            self._emit(len(self._buffer))
            yield self._handed_out()

    def _passed(self) -> Iterator[bytes]:
        while self._at < len(self._buffer) and self._step():
            if self._size > _HANDED_OUT or self._taken.full:
                yield self._handed_out()
        yield self._handed_out()

    def _handed_out(self) -> bytes:
        pieces = list(self._taken.leave(self._pieces, self._buffer, self._before))
        self._pieces, self._size = [], 0
        self._changes = self._changed_at = 0
        self._lines.feed(pieces)
        return b"".join([piece for _, piece in pieces])

    # What leaves

    def _emit(self, end: int) -> None:
        """Pass on what lies before `end`."""
        self._insert(self._buffer[self._at : end], self._at)
        self._at = end

    def _insert(self, piece: bytes, at: int) -> None:
        self._taken.end_run()
        if piece:
            self._pieces.append((self._before + at, piece))
            self._size += len(piece)

    def _refusal(self, reason: str, remedy: str = "") -> ReportError:
        line = self._lines.at(self._before + self._at)
        return ReportError(reason, name=self._name, line=line, remedy=remedy)

    # Steps: each consumes something, or says False to wait for more bytes

    def _markup(self) -> bool:
        buffer, at = self._buffer, self._at
        start = buffer.find(b"<", at)
        if self._taken.shape is not None:
            if buffer.startswith(b"<testcase", start):
                end = self._take(at)
                if end != at:
                    self._at = max(end, at)
                    return end != WAIT
            elif suites := _SUITES.match(buffer, at, at + _WINDOW):
                self._emit(suites.end())
                self._in_output = False
                return True
        if start != at:
            return self._text(at, start)
        return self._tag(buffer[at + 1 : at + 2])

    def _tag(self, sign: bytes) -> bool:
        match sign:
            case b"/":
                return self._end_tag()
            case b"?":
                return self._skip(b"?>", self._in_instruction)
            case b"!":
                return self._declaration()
            case _:
                return self._start_tag()

    def _take(self, at: int) -> int:
        run = self._taken.run
        end = self._taken.take(self._buffer, at, final=self._final)
        if run is None and self._taken.run is not None:
            self._pieces.append((self._before + at, self._taken.run))
        return end

    def _text(self, at: int, end: int) -> bool:
        if not self._root_seen:
            return self._before_root(at, end)
        if end < 0 or end - at > 2 * self._kept():
            self._begin(self._in_text)
        elif self._taken.run and self._buffer[at:end].isspace():
            self._at = end
        else:
            self._emit(end)
        return True

    def _before_root(self, at: int, end: int) -> bool:
        end = end if end >= 0 else len(self._buffer)
        if _INK.search(self._buffer, at, end):
            if self._final or self._buffer.find(b"<", at) < 0:
                raise ReportError(
                    "it is not XML", name=self._name, line=1, remedy="Send the file that the reporter writes."
                )
            self.warnings.append("text before the first tag was ignored")
        self._at = end
        return True

    def _kept(self) -> int:
        return self._keep_output if self._in_output and not self._quote else self._keep

    def _begin(self, step: Callable[[], bool]) -> None:
        """A long stretch begins."""
        self._stretch = Stretch(self._kept())
        self._step = step

    def _in_text(self) -> bool:
        end = self._buffer.find(b"<", self._at)
        if end < 0:
            return self._more()
        self._end_stretch(end)
        return True

    def _more(self, margin: int = 0) -> bool:
        """Take what is there of a long stretch, except a character or reference that may continue."""
        stop = len(self._buffer)
        if not self._final:
            start = max(stop - 64, self._at)
            stop = max(start + len(whole_end(self._buffer[start : max(stop - margin, start)])), self._at)
        self._stretched(stop)
        return False

    def _stretched(self, end: int) -> None:
        self._insert(self._stretch.add(self._buffer, self._at, end), self._at)
        self._at = end

    def _end_stretch(self, end: int, *, before: bytes = b"", after: bytes = b"") -> None:
        """The rest of a long stretch that ends here, and what the document has behind it."""
        self._stretched(end)
        rest = self._stretch.end()
        self._insert(before + rest + after, end - len(rest))
        self._at = end + len(after)
        self._step = self._markup

    def _end_tag(self) -> bool:
        end = self._buffer.find(b">", self._at, self._at + _WINDOW)
        if end < 0:
            return self._wait_or_give_up()
        self._emit(end + 1)
        self._in_output = False
        return True

    def _wait_or_give_up(self) -> bool:
        """Markup that does not end: more bytes, or the parser's own complaint."""
        if not self._final and len(self._buffer) - self._at < _WINDOW:
            return False
        self._emit(min(self._at + _WINDOW, len(self._buffer)))
        return True

    def _skip(self, end: bytes, state: Callable[[], bool]) -> bool:
        found = self._buffer.find(end, self._at + 2)
        if found < 0:
            self._step = state
            return state()
        self._at = found + len(end)
        return True

    def _in_instruction(self) -> bool:
        return self._skipping(b"?>")

    def _in_comment(self) -> bool:
        return self._skipping(b"-->")

    def _skipping(self, end: bytes) -> bool:
        found = self._buffer.find(end, self._at)
        if found < 0:
            self._at = max(len(self._buffer) - len(end) + 1, self._at)
            if self._final:
                self._insert(b"<!--", self._at)
                self._at = len(self._buffer)
            return False
        self._at = found + len(end)
        self._step = self._markup
        return True

    def _declaration(self) -> bool:
        buffer, at = self._buffer, self._at
        if buffer.startswith(b"<!--", at):
            return self._comment()
        if buffer.startswith(b"<![CDATA[", at):
            return self._cdata()
        if len(buffer) - at < len(b"<!DOCTYPE html") and not self._final:
            return False
        word = buffer[at : at + 14].lower()
        if word == b"<!doctype html":
            raise self._refusal("this is an HTML page, not a JUnit report", XML_PLEASE)
        if word.startswith(b"<!doctype"):
            raise self._refusal(
                "it declares a DOCTYPE, which no test report needs", "Remove the declaration."
            )
        self._emit(at + 2)
        return True

    def _comment(self) -> bool:
        at = self._at + 4
        end = self._buffer.find(b"-->", at)
        if end < 0:
            self._at = at
            self._step = self._in_comment
            return True
        if not self._root_seen and end - at < _WINDOW:
            self.preamble += self._buffer[at:end].decode(errors="replace")[:_PREAMBLE]
        self._at = end + 3
        return True

    def _cdata(self) -> bool:
        start = self._at + 9
        end = end_of_cdata(self._buffer, start)
        if 0 <= end <= start + 2 * self._kept():
            self._emit(end + 3)
            return True
        self._emit(start)
        self._begin(self._in_cdata)
        return True

    def _in_cdata(self) -> bool:
        end = end_of_cdata(self._buffer, self._at)
        if end < 0:
            return self._more(margin=2)
        self._end_stretch(end, before=b"]]><![CDATA[", after=b"]]>")
        return True

    def _start_tag(self) -> bool:
        shape = self._taken.shape
        tag = shape.tag.match(self._buffer, self._at) if shape else None
        if tag is not None:
            self._whole_case(tag)
            return True
        tag = _TAG.match(self._buffer, self._at, self._at + _WINDOW)
        if tag is None:
            return self._unfinished_tag()
        self._root_seen = True
        self._named(tag[1])
        if tag[1] == b"testcase":
            self._case(tag)
            return True
        self._emit(tag.end())
        self._in_output = tag[1] in _OUTPUTS and not tag[2]
        return True

    def _named(self, name: bytes) -> None:
        if name.endswith(b":testsuite"):
            self._taken.turns = False

    def _case(self, tag: re.Match[bytes]) -> None:
        """A case of another shape than the one before, or of none."""
        shape = shape_of(self._buffer, self._at) if self._takes and self._changes < _CHANGES else None
        if shape is None:
            self._whole_case(tag)
            return
        few = self._taken.size - self._changed_at < _FEW
        self._changes = self._changes + 1 if few else 0
        self._changed_at = self._taken.size
        self._taken.shape = shape if self._changes < _CHANGES else None

    def _whole_case(self, tag: re.Match[bytes]) -> None:
        """A short case without CDATA needs no cutting: it is passed on as it is."""
        end = tag.end()
        if not tag[0].endswith(b"/>"):
            close = self._buffer.find(_CLOSE, end, end + _WINDOW)
            if close >= 0 and not _SPECIAL.search(self._buffer, end, close):
                end = close + len(_CLOSE)
        self._emit(end)

    def _unfinished_tag(self) -> bool:
        if not self._final and len(self._buffer) - self._at < _WINDOW:
            return False
        name = _TAG_NAME.match(self._buffer, self._at)
        if name is None or self._final:
            return self._wait_or_give_up()
        if len(name[0]) > _LONGEST_NAME:
            raise self._refusal("it has too long names of elements")
        self._root_seen = True
        self._named(name[0])
        self._emit(name.end())
        self._attributes = 0
        self._step = self._in_long_tag
        return True

    def _in_long_tag(self) -> bool:
        """A tag too long to be seen at once: attribute by attribute, each bounded."""
        end = _TAG_END.match(self._buffer, self._at)
        value = None if end else _VALUE.match(self._buffer, self._at)
        found = end or value
        if found is None:
            if not self._final and len(self._buffer) - self._at < _WINDOW:
                return False
            self._step = self._markup
            self._emit(self._at + 1)
            return True
        self._emit(found.end())
        if value is None:
            self._step = self._markup
            return True
        self._attributes += 1
        if self._attributes > _ATTRIBUTES:
            raise self._refusal(f"a tag has more than {_ATTRIBUTES} attributes")
        self._quote = value[1]
        self._begin(self._in_value)
        return True

    def _in_value(self) -> bool:
        end = self._buffer.find(self._quote, self._at)
        if end < 0:
            return self._more()
        self._end_stretch(end, after=self._quote)
        self._quote = b""
        self._step = self._in_long_tag
        return True
