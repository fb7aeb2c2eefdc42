"""What cases that were taken out say beside their attributes: one plain failure, error or skip, and output."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice, repeat
from typing import NamedTuple

from core.junit.attributes import columns_of
from core.junit.raw import Mark
from core.junit.references import as_text, inside_cdata, outside_cdata
from core.junit.text import bounded
from core.limits import Limits

_LONGEST_TYPE = 200
_TAGS = {tag.encode(): tag for tag in ("failure", "error", "skipped")}
# Half the time of a call of the class itself.
_mark = partial(tuple.__new__, Mark)
Said = Mapping[int, tuple[Mark, str]]
"""Mark and output of each case that has any."""


class Told(NamedTuple):
    """What one case says, still as XML."""

    at: int
    """Which piece of the heap."""
    tag: bytes
    attributes: bytes
    text: Sequence[bytes]
    """Every second piece is the inside of a CDATA section."""
    outputs: Sequence[Sequence[bytes]]
    place: int
    """Where in the buffer the case begins."""
    end: int


def said(told: Sequence[Told], firsts: Sequence[int], limits: Limits) -> Said:
    """What they say, or `UnreadableError` when the parser has to see one of them. Read column by column.

    `firsts` tells which case each piece of the heap begins with.
    """
    if not told:
        return {}
    places, tags, attributes, bodies, outputs, *_ = zip(*told, strict=True)
    written = columns_of(as_text(attributes))
    messages, kinds, times = (written.get(name) or [""] * len(told) for name in ("message", "type", "time"))
    messages, kinds = _bounded(messages, limits.text_chars), _bounded(kinds, _LONGEST_TYPE)
    found = _bodies([*bodies, *chain.from_iterable(outputs)])
    texts = _bounded(found[: len(told)], limits.text_chars)
    marks = map(_mark, zip(map(_TAGS.__getitem__, tags), messages, kinds, texts, times, strict=True))
    printed = _outputs(iter(found[len(told) :]), outputs, limits)
    return dict(zip(map(firsts.__getitem__, places), zip(marks, printed, strict=True), strict=True))


def _bodies(bodies: Sequence[Sequence[bytes]]) -> list[str]:
    """The text of each element."""
    pieces = list(chain.from_iterable(bodies))
    if len(pieces) == len(bodies):
        return outside_cdata(pieces)
    outside = iter(outside_cdata(list(chain.from_iterable(body[::2] for body in bodies))))
    inside = iter(inside_cdata(list(chain.from_iterable(body[1::2] for body in bodies))))
    return ["".join(next(inside if at % 2 else outside) for at in range(len(body))) for body in bodies]


def _bounded(texts: Sequence[str], limit: int) -> Sequence[str]:
    return texts if max(map(len, texts)) <= limit else [bounded(text, limit) for text in texts]


def _outputs(
    found: Iterator[str], outputs: Sequence[Sequence[Sequence[bytes]]], limits: Limits
) -> Iterable[str]:
    """What each case printed, of the texts of all outputs."""
    if not any(outputs):
        return repeat("", len(outputs))
    limit = 2 * limits.output_chars
    return [bounded("".join(islice(found, len(those))), limit).strip() for those in outputs]
