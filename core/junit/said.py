"""What cases that were taken out say beside their attributes: one plain failure, error or skip, and output."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, islice, repeat
from typing import NamedTuple

from core.junit.raw import Mark
from core.junit.references import UnreadableError, as_text, inside_cdata, outside_cdata, unescaped
from core.junit.text import bounded
from core.limits import Limits

_LONGEST_TYPE = 200
_BEGIN = "\0"
"""Occurs in no attribute."""
_TAGS = {tag.encode(): tag for tag in ("failure", "error", "skipped")}
# Half the time of a call of the class itself.
_mark = partial(tuple.__new__, Mark)
Said = Mapping[int, tuple[Mark, str]]
"""Mark and output of each case that has any."""


class Told(NamedTuple):
    """What one case says, still as XML."""

    at: int
    """Which case."""
    tag: bytes
    attributes: bytes
    text: Sequence[bytes]
    """Every second piece is the inside of a CDATA section."""
    outputs: Sequence[Sequence[bytes]]
    place: int
    """Where in the buffer the case begins."""
    end: int


def said(told: Sequence[Told], limits: Limits) -> Said:
    """What they say, or `UnreadableError` when the parser has to see one of them. Read column by column."""
    if not told:
        return {}
    places, tags, attributes, bodies, outputs, *_ = zip(*told, strict=True)
    messages, kinds, times = _attributes(as_text(attributes), limits)
    found = _bodies([*bodies, *chain.from_iterable(outputs)])
    texts = _bounded(found[: len(told)], limits.text_chars)
    marks = map(_mark, zip(map(_TAGS.__getitem__, tags), messages, kinds, texts, times, strict=True))
    printed = _outputs(iter(found[len(told) :]), outputs, limits)
    return dict(zip(places, zip(marks, printed, strict=True), strict=True))


def _bodies(bodies: Sequence[Sequence[bytes]]) -> list[str]:
    """The text of each element."""
    pieces = list(chain.from_iterable(bodies))
    if len(pieces) == len(bodies):
        return outside_cdata(pieces)
    outside = iter(outside_cdata(list(chain.from_iterable(body[::2] for body in bodies))))
    inside = iter(inside_cdata(list(chain.from_iterable(body[1::2] for body in bodies))))
    return ["".join(next(inside if at % 2 else outside) for at in range(len(body))) for body in bodies]


def _bounded(texts: list[str], limit: int) -> list[str]:
    return texts if max(map(len, texts)) <= limit else [bounded(text, limit) for text in texts]


def _outputs(
    found: Iterator[str], outputs: Sequence[Sequence[Sequence[bytes]]], limits: Limits
) -> Iterable[str]:
    """What each case printed, of the texts of all outputs."""
    if not any(outputs):
        return repeat("", len(outputs))
    limit = 2 * limits.output_chars
    return [bounded("".join(islice(found, len(those))), limit).strip() for those in outputs]


def _attributes(written: list[str], limits: Limits) -> Iterable[Iterable[str]]:
    """Messages, types and times of the marks: read as columns when all have the same attributes in one order."""
    columns = _columns(written)
    if columns is None:
        return zip(*(chain.from_iterable(_attributes([one], limits)) for one in written), strict=True)
    messages, kinds, times = columns
    return _bounded(messages, limits.text_chars), _bounded(kinds, _LONGEST_TYPE), times


def _columns(written: list[str]) -> list[list[str]] | None:
    count, together = len(written), "".join(map(_BEGIN.__add__, written))
    parts = together.split('"')
    step, rest = divmod(len(parts) - 1, count)
    between = parts[:step:2]
    if rest or any(parts[at:-1:step].count(between[at // 2]) < count for at in range(0, step, 2)):
        return None
    places = _places(*between)
    found = [parts[2 * place + 1 :: step] if place >= 0 else [""] * count for place in places]
    return [list(map(unescaped, column)) for column in found] if "&" in together else found


@lru_cache(maxsize=256)
def _places(*between: str) -> tuple[int, int, int]:
    """Where message, type and time stand, of what stands between the values; -1 for those that are missing."""
    names = [part.strip(_BEGIN + " \t\r\n=") for part in between]
    if len(set(names)) < len(names) or "xmlns" in names:
        raise UnreadableError
    message, kind, time = (names.index(name) if name in names else -1 for name in ("message", "type", "time"))
    return message, kind, time
