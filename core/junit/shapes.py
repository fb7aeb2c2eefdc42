"""How one report writes its cases: the order of the attributes, compiled into patterns."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_BLANK = rb"[ \t\r\n]"
_SPACE = _BLANK + rb"*+"
_NAME = rb"[A-Za-z][\w\-]{0,40}+"
LONGEST_VALUE = 2000
_VALUE = rb'="[^"<\x00-\x1f]{0,2000}+"'
_QUICK_VALUE = rb'="[^"]{0,2000}+"'
"""Three times as fast to match as `_VALUE`; what it lets through is found in the columns."""
_LONG_VALUE = rb'="[^"<\x00-\x1f]{0,8000}+"'
_TAG = re.compile(rb"<testcase((?:%b++%b%b)++)%b/?>" % (_BLANK, _NAME, _VALUE, _SPACE))
_NAMES = re.compile(rb"([A-Za-z][\w\-]*)=\"[^\"]*\"")
_MOST_ATTRIBUTES = 20
_NEEDS_A_LOOK = frozenset({b"failure", b"class", b"group", b"flaky", b"filepath", b"duration", b"xmlns"})
"""Attributes for which the plain path knows more than one reading."""
_OUTPUT = rb"<(system-out|system-err)>%b<!\[CDATA\[" % _SPACE
_MARK = rb"<(failure|error|skipped)((?:%b++%b%b)*+)%b(/?)>" % (_BLANK, _NAME, _LONG_VALUE, _SPACE)
_OTHER = rb"(?P<child>)<(?:system-out|system-err|properties)[ \t\r\n/>]"
_TURN = rb"(?:%b</testsuite%b>%b<testsuite((?:%b++%b%b){0,20}+)%b>)?+" % (
    _SPACE, _SPACE, _SPACE, _BLANK, _NAME, _VALUE, _SPACE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """One order of attributes.

    `tag` matches one start tag. `cases` matches the turn to a next suite (its attributes are group 1), silent cases (2)
    and, if there is one, the beginning of the case after them: its tag (3) and either the output whose CDATA section
    begins (4) or the tag, attributes and slash of a mark (5, 6, 7); else `child` is where its first other child begins.
    """

    order: tuple[bytes, ...]
    tag: re.Pattern[bytes]
    cases: re.Pattern[bytes]


def shape_of(data: bytes, at: int) -> Shape | None:
    """The shape of the `<testcase` tag at this place; None when it is cut off or needs the plain path."""
    tag = _TAG.match(data, at)
    if tag is None:
        return None
    order = tuple(_NAMES.findall(tag[1]))
    if b"name" not in order or len(set(order)) != len(order) or len(order) > _MOST_ATTRIBUTES:
        return None
    if not _NEEDS_A_LOOK.isdisjoint(order):
        return None
    return _compiled(order)


@lru_cache(maxsize=64)
def _compiled(order: Sequence[bytes]) -> Shape:
    opened = _opened(order)
    telling = rb"%b(%b)>%b(?:%b|%b|%b)" % (_SPACE, opened, _SPACE, _OUTPUT, _MARK, _OTHER)
    return Shape(
        tuple(order),
        re.compile(rb"%b/?>" % opened),
        re.compile(rb"%b((?:%b)*+)(?:%b)?+" % (_TURN, _silent(order), telling)),
    )


@lru_cache(maxsize=64)
def printing(order: Sequence[bytes], output: bytes) -> re.Pattern[bytes]:
    """From the end of a CDATA section of output to the beginning of the next case's, whose tag is group 1.

    Cases that print mostly follow each other.
    """
    end = rb"\]\]>%b</%b>%b</testcase>" % (_SPACE, output, _SPACE)
    begin = rb"%b(%b)>%b<%b>%b<!\[CDATA\[" % (_SPACE, _opened(order), _SPACE, output, _SPACE)
    return re.compile(end + begin)


@lru_cache(maxsize=64)
def marking(order: Sequence[bytes], mark: bytes, slash: bytes) -> re.Pattern[bytes]:
    """From the end of a mark's text to the beginning of the next's.

    The case ends (group 1), silent ones follow (2), then the tag of the next (3) and the attributes of its mark (4).
    """
    end = rb"(%b</testcase>)" % (_SPACE if slash else rb"</%b>%b" % (mark, _SPACE))
    begin = rb"%b(%b)>%b<%b((?:%b++%b%b)*+)%b%b>" % (
        _SPACE, _opened(order), _SPACE, mark, _BLANK, _NAME, _LONG_VALUE, _SPACE, slash,
    )  # fmt: skip
    return re.compile(end + rb"((?:%b)*+)" % _silent(order) + begin)


def _silent(order: Sequence[bytes]) -> bytes:
    return rb"%b%b(?:/>|>%b</testcase%b>)" % (_SPACE, _opened(order), _SPACE, _SPACE)


def _opened(order: Sequence[bytes]) -> bytes:
    attributes = b"".join(_BLANK + b"++" + re.escape(name) + _QUICK_VALUE for name in order)
    return rb"<testcase%b%b" % (attributes, _SPACE)
