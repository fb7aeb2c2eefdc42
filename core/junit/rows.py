"""Cases that were taken out of the document, as columns; the XML parser never sees them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import NamedTuple

from core.junit.elements import end_of_cdata
from core.junit.raw import Mark, RawCase, Suite, weight
from core.junit.references import (
    UnreadableError,
    content,
    controls,
    has_noncharacters,
    legal,
    signs,
    unescaped,
)
from core.junit.text import bounded
from core.limits import Limits

_ATTRIBUTE = re.compile(r'([A-Za-z][\w\-]*)="([^"]*)"')
_LONGEST_TYPE = 200
_TAGS = {tag.encode(): tag for tag in ("failure", "error", "skipped")}
# Half the time of a call of the class itself.
_mark = partial(tuple.__new__, Mark)
_raw_case = partial(tuple.__new__, RawCase)


class Told(NamedTuple):
    """What one case says beside its attributes, still as XML."""

    at: int
    """Which of the tags it belongs to."""
    tag: bytes
    attributes: bytes
    text: Sequence[bytes]
    outputs: Sequence[Sequence[bytes]]
    span: tuple[int, int]


_NOWHERE = Suite()
_NOTHING: tuple[Mark | None, str] = (None, "")


@dataclass(slots=True)
class Rows:
    """Columns of consecutive cases; a column is None when the tool does not write that attribute."""

    count: int
    names: list[str]
    classes: list[str] | None
    files: list[str] | None
    times: list[str] | None
    statuses: list[str] | None
    attributes: tuple[str, ...]
    said: dict[int, tuple[Mark, str]]
    """Mark and output of the rows that did not simply pass."""
    suite: Suite = _NOWHERE

    @property
    def size(self) -> int:
        """What it weighs in memory, counted in silent cases."""
        return self.count + sum(weight(mark, output) for mark, output in self.said.values())

    def raw_cases(self) -> Iterator[RawCase]:
        """The same, one by one."""
        return map(self.raw_case, range(self.count))

    def raw_case(self, at: int) -> RawCase:
        """One of them."""
        mark, output = self.said.get(at, _NOTHING)
        return _raw_case(
            (
                self.suite,
                self.names[at],
                self.classes[at] if self.classes else "",
                self.files[at] if self.files else "",
                self.times[at] if self.times else "",
                self.statuses[at] if self.statuses else "",
                (mark,) if mark else (),
                output,
            )
        )

    def part(self, start: int, stop: int) -> "Rows":
        """Those from `start` to before `stop`."""
        if stop - start == self.count:
            return self
        return Rows(
            stop - start,
            self.names[start:stop],
            self.classes and self.classes[start:stop],
            self.files and self.files[start:stop],
            self.times and self.times[start:stop],
            self.statuses and self.statuses[start:stop],
            self.attributes,
            self._said_between(start, stop),
        )

    def _said_between(self, start: int, stop: int) -> dict[int, tuple[Mark, str]]:
        if not self.said:
            return {}
        rows = list(self.said)
        return {at - start: self.said[at] for at in rows[bisect_left(rows, start) : bisect_left(rows, stop)]}

    def silent_statuses(self) -> set[str]:
        """The statuses of the cases that say nothing else."""
        if self.statuses is None:
            return set()
        if not self.said:
            return set(self.statuses)
        return {status for at, status in enumerate(self.statuses) if at not in self.said}


def rows_of(order: Sequence[bytes], tags: bytes, told: Mapping[int, Told], limits: Limits) -> Rows | None:
    """The columns of these start tags, or None when any of it must go through the parser."""
    try:
        return _rows_of(order, tags, _said(told, limits))
    except (UnreadableError, UnicodeDecodeError):
        return None


def _rows_of(order: Sequence[bytes], data: bytes, said: dict[int, tuple[Mark, str]]) -> Rows:
    parts = data.decode().split('"')
    if has_noncharacters(data) or not _all_between(data, "".join(parts[::2]).encode()):
        raise UnreadableError
    if b"&" in data:
        parts[1::2] = map(unescaped, parts[1::2])
    step = 2 * len(order)
    column = {name: parts[1 + 2 * at :: step] for at, name in enumerate(order)}
    names = column[b"name"]
    return Rows(
        len(names),
        names,
        column.get(b"classname"),
        column.get(b"file"),
        column.get(b"time"),
        _statuses(column.get(b"status"), column.get(b"result")),
        tuple(name.decode() for name in order),
        said,
    )


def _all_between(data: bytes, between: bytes) -> bool:
    """No value holds a tag, which is forbidden, or a line end, which the parser makes a space."""
    return controls(data) == controls(between) and signs(data, "<") == signs(between, "<")


def _statuses(statuses: list[str] | None, results: list[str] | None) -> list[str] | None:
    if statuses and results:
        return [status or result for status, result in zip(statuses, results, strict=True)]
    return statuses or results


def _said(told: Mapping[int, Told], limits: Limits) -> dict[int, tuple[Mark, str]]:
    if not told:
        return {}
    pieces: list[bytes] = []
    for one in told.values():
        pieces.append(one.attributes)
        pieces += one.text
        pieces += chain(*one.outputs)
    together = b"\n".join(pieces)
    if not legal(together) or end_of_cdata(together, 0) >= 0:
        raise UnreadableError
    read = content if b"&" in together or b"\r" in together else _as_it_is
    attributes = {
        written: _attributes(written, limits.text_chars)
        for written in {one.attributes for one in told.values()}
    }
    said: dict[int, tuple[Mark, str]] = {}
    for at, one in told.items():
        text = bounded(read(one.text), limits.text_chars)
        message, kind, time = attributes[one.attributes]
        said[at] = _mark((_TAGS[one.tag], message, kind, text, time)), _output(one.outputs, limits)
    return said


def _as_it_is(pieces: Sequence[bytes]) -> str:
    """The text of an element without references and foreign line ends."""
    return b"".join(pieces).decode()


def _output(outputs: Sequence[Sequence[bytes]], limits: Limits) -> str:
    if not outputs:
        return ""
    return bounded("".join(map(content, outputs)), 2 * limits.output_chars).strip()


def _attributes(written: bytes, limit: int) -> tuple[str, str, str]:
    """Message, type and time of a mark."""
    found: list[tuple[str, str]] = _ATTRIBUTE.findall(written.decode())
    values = dict(found)
    if len(values) < len(found) or "xmlns" in values:
        raise UnreadableError
    values = {name: unescaped(value) for name, value in found}
    message, kind, time = (values.get(name, "") for name in ("message", "type", "time"))
    return bounded(message, limit), bounded(kind, _LONGEST_TYPE), time
