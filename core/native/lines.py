"""Reports of one JSON object a line, read as they come."""

import json
import re
from collections.abc import Iterable, Iterator

from core.native.values import Object, as_object

_LONGEST_LINE = 1 << 20
_FIRST = re.compile(rb"^\s*\{.*", re.MULTILINE)


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each line, the last also without its end; of a line without end only the beginning."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > _LONGEST_LINE:
            rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest


def event(line: bytes) -> Object:
    """What a line says; nothing when it is no JSON object."""
    if not line.startswith(b"{"):
        return {}
    try:
        return as_object(json.loads(line.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return {}


def first_event(head: bytes) -> Object:
    """The first line that is JSON; in front of it a tool may tell what it downloads."""
    opened = _FIRST.search(head)
    return event(opened[0].strip()) if opened else {}
