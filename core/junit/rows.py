"""Cases that were taken out of the document, as columns; the XML parser never sees them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

from core.junit.elements import end_of_cdata
from core.junit.raw import Mark, RawCase, Suite
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


class Told(NamedTuple):
    """What one case says beside its attributes, still as XML."""

    at: int
    """Which of the tags it belongs to."""
    tag: bytes
    attributes: bytes
    text: list[bytes]
    outputs: list[list[bytes]]
    span: tuple[int, int]


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
    suite: Suite = field(default_factory=Suite)

    @property
    def size(self) -> int:
        return self.count

    def raw_cases(self) -> Iterator[RawCase]:
        """The same, one by one."""
        return map(self.raw_case, range(self.count))

    def raw_case(self, at: int) -> RawCase:
        """One of them."""
        mark, output = self.said.get(at, _NOTHING)
        return RawCase(
            self.suite,
            self.names[at],
            self.classes[at] if self.classes else "",
            self.files[at] if self.files else "",
            self.times[at] if self.times else "",
            self.statuses[at] if self.statuses else "",
            (mark,) if mark else (),
            output,
        )

    def silent_statuses(self) -> set[str]:
        """The statuses of the cases that say nothing else."""
        if self.statuses is None:
            return set()
        if not self.said:
            return set(self.statuses)
        return {status for at, status in enumerate(self.statuses) if at not in self.said}


def rows_of(order: Sequence[bytes], written: list[bytes], told: list[Told], limits: Limits) -> Rows | None:
    """The columns of these start tags, or None when any of it must go through the parser."""
    try:
        return _rows_of(order, b"".join(written), _placed(written, told, limits))
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


def _placed(written: list[bytes], told: list[Told], limits: Limits) -> dict[int, tuple[Mark, str]]:
    """What was told, by the row that tells it."""
    if not told:
        return {}
    together = b"\n".join(
        piece for one in told for piece in (one.attributes, *one.text, *chain(*one.outputs))
    )
    if not legal(together) or end_of_cdata(together, 0) >= 0:
        raise UnreadableError
    rows = list(accumulate((tag.count(b"<testcase") for tag in written), initial=0))
    return {rows[one.at]: _said(one, limits) for one in told}


def _said(told: Told, limits: Limits) -> tuple[Mark, str]:
    message, kind, time = _attributes(told.attributes, limits.text_chars)
    mark = Mark(told.tag.decode(), message, kind, bounded(content(told.text), limits.text_chars), time)
    if not told.outputs:
        return mark, ""
    output = "".join(map(content, told.outputs))
    return mark, bounded(output, 2 * limits.output_chars).strip()


@lru_cache(maxsize=256)
def _attributes(written: bytes, limit: int) -> tuple[str, str, str]:
    """Message, type and time of a mark; failures of one cause share them."""
    found: list[tuple[str, str]] = _ATTRIBUTE.findall(written.decode())
    values = dict(found)
    if len(values) < len(found) or "xmlns" in values:
        raise UnreadableError
    values = {name: unescaped(value) for name, value in found}
    message, kind, time = (values.get(name, "") for name in ("message", "type", "time"))
    return bounded(message, limit), bounded(kind, _LONGEST_TYPE), time
