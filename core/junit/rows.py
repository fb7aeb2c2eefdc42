"""Cases that were taken out of the document, as columns; the XML parser never sees them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

from core.junit.raw import Mark, RawCase, Suite
from core.junit.references import UnreadableError, content, legal, unescaped
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


class Said(NamedTuple):
    """The same, read."""

    mark: Mark
    output: str


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
    said: dict[int, Said]
    """The rows that did not simply pass."""
    suite: Suite = field(default_factory=Suite)

    @property
    def size(self) -> int:
        return self.count

    def raw_cases(self) -> Iterator[RawCase]:
        """The same, one by one."""
        return map(self.raw_case, range(self.count))

    def raw_case(self, at: int) -> RawCase:
        """One of them."""
        said = self.said.get(at)
        return RawCase(
            self.suite,
            self.names[at],
            self.classes[at] if self.classes else "",
            self.files[at] if self.files else "",
            self.times[at] if self.times else "",
            self.statuses[at] if self.statuses else "",
            (said.mark,) if said else (),
            said.output if said else "",
        )

    def silent_statuses(self) -> set[str]:
        """The statuses of the cases that say nothing else."""
        if self.statuses is None:
            return set()
        if not self.said:
            return set(self.statuses)
        return {status for at, status in enumerate(self.statuses) if at not in self.said}


def rows_of(order: Sequence[bytes], tags: list[bytes], told: list[Told], limits: Limits) -> Rows | None:
    """The columns of these start tags, or None when any of it must go through the parser."""
    try:
        return _rows_of(order, b"".join(tags), _placed(tags, told, limits))
    except (UnreadableError, UnicodeDecodeError):
        return None


def _rows_of(order: Sequence[bytes], data: bytes, said: dict[int, Said]) -> Rows:
    if not legal(data):
        raise UnreadableError
    parts = data.decode().split('"')
    if not _only_between(data, "".join(parts[::2]).encode()):
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


def _only_between(data: bytes, between: bytes) -> bool:
    """No value holds a tag, which is forbidden, or a line end, which the parser makes a space."""
    return all(data.count(sign) == between.count(sign) for sign in (b"<", b"\n", b"\t", b"\r"))


def _statuses(statuses: list[str] | None, results: list[str] | None) -> list[str] | None:
    if statuses and results:
        return [status or result for status, result in zip(statuses, results, strict=True)]
    return statuses or results


def _placed(tags: list[bytes], told: list[Told], limits: Limits) -> dict[int, Said]:
    """What was told, by the row that tells it."""
    if not told:
        return {}
    together = b"\n".join(
        piece for one in told for piece in (one.attributes, *one.text, *chain(*one.outputs))
    )
    if not legal(together) or b"]]>" in together:
        raise UnreadableError
    rows = list(accumulate((tag.count(b"<testcase") for tag in tags), initial=0))
    return {rows[one.at]: _said(one, limits) for one in told}


def _said(told: Told, limits: Limits) -> Said:
    message, kind, time = _attributes(told.attributes)
    text = content(told.text)
    mark = Mark(
        told.tag.decode(),
        bounded(message, limits.text_chars),
        bounded(kind, _LONGEST_TYPE),
        bounded(text, limits.text_chars),
        time,
    )
    if not told.outputs:
        return Said(mark, "")
    output = "".join(map(content, told.outputs))
    return Said(mark, bounded(output, 2 * limits.output_chars).strip())


@lru_cache(maxsize=256)
def _attributes(written: bytes) -> tuple[str, str, str]:
    """Message, type and time of a mark; failures of one cause share them."""
    found: list[tuple[str, str]] = _ATTRIBUTE.findall(written.decode())
    values = dict(found)
    if len(values) < len(found) or "xmlns" in values:
        raise UnreadableError
    message, kind, time = (unescaped(values.pop(name, "")) for name in ("message", "type", "time"))
    for value in values.values():
        unescaped(value)
    return message, kind, time
