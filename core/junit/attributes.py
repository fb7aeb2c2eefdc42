"""The attributes of many elements at once, read without a parser."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from core.junit.references import UnreadableError, unescaped

_BEGIN = "\0"
"""Occurs in no attribute."""
Columns = Mapping[str, Sequence[str]]
"""The values of each attribute, one for each element; empty where an element lacks it."""


def columns_of(written: Sequence[str]) -> Columns:
    """What stands in these start tags behind the name of the element, or `UnreadableError` for the parser.

    Mostly one tool writes all of them in one way: then the values are every so many pieces between quotation marks.
    """
    count, together = len(written), "".join(map(_BEGIN.__add__, written))
    parts = together.split('"')
    step, rest = divmod(len(parts) - 1, count)
    between = parts[:step:2]
    if rest or any(parts[at:-1:step].count(between[at // 2]) < count for at in range(0, step, 2)):
        return _united([attributes(one) for one in written])
    columns = {name: parts[2 * at + 1 :: step] for at, name in enumerate(_names(*between))}
    if "&" not in together:
        return columns
    return {name: list(map(unescaped, column)) for name, column in columns.items()}


def attributes(written: str) -> dict[str, str]:
    """Those of one element."""
    parts = written.split('"')
    values = map(unescaped, parts[1::2]) if "&" in written else parts[1::2]
    return dict(zip(_names(*parts[:-1:2]), values, strict=True))


def _united(found: Sequence[Mapping[str, str]]) -> Columns:
    names = dict.fromkeys(name for one in found for name in one)
    return {name: [one.get(name, "") for one in found] for name in names}


@lru_cache(maxsize=256)
def _names(*between: str) -> tuple[str, ...]:
    """What the attributes are called, of what stands between their values."""
    names = tuple(part.strip(_BEGIN + " \t\r\n=") for part in between)
    if len(set(names)) < len(names) or "xmlns" in names:
        raise UnreadableError
    return names
