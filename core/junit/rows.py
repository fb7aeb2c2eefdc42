"""Runs of passed cases that say nothing but their attributes: read in bulk, never shown to the XML parser."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.junit.raw import RawCase, Suite

_VALUE = rb'="[^"<&\x00-\x1f]{0,2000}+"'
_SPACE = rb"[ \t\r\n]"
_TAG = re.compile(
    rb"<testcase((?:" + _SPACE + rb"++[A-Za-z][\w\-]{0,40}+" + _VALUE + rb")++)" + _SPACE + rb"*+/?>"
)
_NAMES = re.compile(rb"([A-Za-z][\w\-]*)=\"[^\"]*\"")
_NEEDS_A_LOOK = frozenset({b"failure", b"class", b"filepath", b"duration", b"xmlns"})
"""Attributes for which the plain path knows more than one reading."""
_NONCHARACTER = re.compile("[\ufffe\uffff]")


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
    suite: Suite

    @property
    def size(self) -> int:
        return self.count

    def raw_cases(self) -> Iterator[RawCase]:
        """The same, one by one."""
        nothing = [""] * self.count
        for name, class_name, file, time, status in zip(
            self.names,
            self.classes or nothing,
            self.files or nothing,
            self.times or nothing,
            self.statuses or nothing,
            strict=True,
        ):
            yield RawCase(self.suite, name, class_name, file, time, status)


@dataclass(frozen=True, slots=True)
class Shape:
    """One order of attributes, compiled.

    `run` matches whole consecutive cases of this shape, `tag` one start tag, `printed` the beginning of a case up to
    the first CDATA section of its output.
    """

    order: tuple[bytes, ...]
    tag: re.Pattern[bytes]
    printed: re.Pattern[bytes]
    run: re.Pattern[bytes]

    def rows(self, data: bytes) -> Rows | None:
        """The columns of a run, or None when its text must go through the plain path."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        if not text.isascii() and _NONCHARACTER.search(text):
            return None
        return self._columns(text.split('"'))

    def _columns(self, parts: list[str]) -> Rows:
        step = 2 * len(self.order)
        column = {name: parts[1 + 2 * at :: step] for at, name in enumerate(self.order)}
        names = column[b"name"]
        return Rows(
            len(names),
            names,
            column.get(b"classname"),
            column.get(b"file"),
            column.get(b"time"),
            column.get(b"status") or column.get(b"result"),
            tuple(name.decode() for name in self.order),
            _NOWHERE,
        )


_NOWHERE = Suite()


def shape_of(data: bytes, at: int) -> Shape | None:
    """The shape of the `<testcase` tag at this place; None when it is cut off or needs the plain path."""
    tag = _TAG.match(data, at)
    if tag is None:
        return None
    order = tuple(_NAMES.findall(tag[1]))
    if b"name" not in order or len(set(order)) != len(order) or not _NEEDS_A_LOOK.isdisjoint(order):
        return None
    return _compiled(order)


@lru_cache(maxsize=64)
def _compiled(order: Sequence[bytes]) -> Shape:
    attributes = b"".join(_SPACE + b"++" + re.escape(name) + _VALUE for name in order)
    case = (
        _SPACE
        + b"*+<testcase"
        + attributes
        + _SPACE
        + b"*+(?:/>|>"
        + _SPACE
        + b"*+</testcase"
        + _SPACE
        + b"*+>)"
    )
    tag = re.compile(b"<testcase" + attributes + _SPACE + b"*+/?>")
    printed = re.compile(
        _SPACE
        + b"*+(<testcase"
        + attributes
        + b")"
        + _SPACE
        + b"*+>"
        + _SPACE
        + b"*+<system-(out|err)>"
        + _SPACE
        + rb"*+<!\[CDATA\["
    )
    return Shape(tuple(order), tag, printed, re.compile(b"(?:" + case + b")++"))
