"""One report as columns: an outcome code and a duration per test, and apart from them the few odd cases.

A passing test is two numbers; only the odd ones (failing, retried) keep their attempts and messages. Names are
cut into blocks of about sixty neighbours, each known by the hash of its text, so that a known report is
recognised by some hundred hashes instead of ten thousand names.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice, pairwise
from operator import ne

import numpy as np
import numpy.typing as npt

from core.codes import PASSED, Codes, code_of
from core.report import Attempt, CaseResult, Outcome, TestKey

PART = 16_384
"""Tests in one part of a run; what bounds the memory a huge report needs."""
BLOCK = 60
"""About so many tests in a block."""
BLOCK_MAX = 512
_SEPARATOR = "\x1e"


@dataclass(frozen=True, slots=True)
class Block:
    """The tests of a sheet from `start` to before `stop`, known by the hash of their names."""

    start: int
    stop: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """Up to `PART` tests of a report, in its order."""

    keys: Sequence[TestKey]
    codes: Codes
    seconds: npt.NDArray[np.float64]
    odd: Sequence[tuple[int, CaseResult]]
    """Position and case of every test that is not a plain pass or skip."""
    blocks: Sequence[Block]
    last: bool = True
    """Nothing follows: the report has been read to its end."""


def sheets(cases: Iterable[CaseResult]) -> Iterator[Sheet]:
    """The report in parts; an empty report has one empty part."""
    stream = iter(cases)
    part = list(islice(stream, PART))
    while True:
        # One case ahead, so that whoever gets the last part can know that it is the last.
        following = list(islice(stream, 1))
        yield read_sheet(part, last=not following)
        if not following:
            return
        part = following + list(islice(stream, PART - 1))


def read_sheet(cases: Sequence[CaseResult], *, last: bool = True) -> Sheet:
    """Columns of these cases. Written in list comprehensions: each costs a fraction of a loop over the cases."""
    attempts = [case.attempts for case in cases]
    final = _last(attempts)
    strange = _strange([attempt.outcome for attempt in final])
    if any([case.ambiguous for case in cases]):  # noqa: C419 - the list is twice as fast as a generator
        strange |= {place for place, case in enumerate(cases) if case.ambiguous}
    if sum(map(len, attempts)) != len(cases):
        strange |= {place for place, several in enumerate(attempts) if len(several) > 1}
    codes = np.full(len(cases), PASSED, np.uint8)
    for place in strange:
        codes[place] = code_of(cases[place])
    odd = [(place, cases[place]) for place in sorted(strange) if _odd(cases[place])]
    seconds = np.array([attempt.duration for attempt in final], np.float64)
    keys = [case.key for case in cases]
    return Sheet(keys, codes, seconds, odd, blocks_of(keys), last)


def _odd(case: CaseResult) -> bool:
    return case.ambiguous or len(case.attempts) > 1 or case.outcome.bad


def _last(attempts: Sequence[tuple[Attempt, ...]]) -> list[Attempt]:
    try:
        return [attempt for (attempt,) in attempts]
    except ValueError:
        return [several[-1] for several in attempts]


def _strange(outcomes: Sequence[Outcome]) -> set[int]:
    """Positions of everything that did not pass."""
    passed = Outcome.PASSED
    if outcomes.count(passed) == len(outcomes):
        return set()
    return {place for place, outcome in enumerate(outcomes) if outcome is not passed}


def blocks_of(keys: Sequence[TestKey]) -> list[Block]:
    """Cut after classes whose name says so: what is inserted in one place moves no other cut."""
    if not keys:
        return []
    classes = [key.class_name for key in keys]
    names = [key.name for key in keys]
    places = _Places(keys)
    ends = _ends(classes)
    runs = pairwise([0, *ends, len(keys)])
    cuts = _cuts(classes, ends)
    blocks, run = [], next(runs)
    for start, stop in pairwise(cuts):
        text = [places.head]
        # Neighbours of one class say its name once: most of a report's text is the same class again and again.
        while run[0] < stop:
            low, high = max(run[0], start), min(run[1], stop)
            text += (classes[low], str(high - low), *places.of(low, high))
            if run[1] > stop:
                break
            run = next(runs, (stop, stop))
        blocks.append(Block(start, stop, _text_key(text, names[start:stop])))
    return blocks


class _Places:
    """What names a test beside its class and its own name: said once per report or per class where it can be."""

    def __init__(self, keys: Sequence[TestKey]) -> None:
        common: list[str | None] = []
        self._columns: list[Sequence[str]] = []
        for column in (
            [key.suite for key in keys],
            [key.file for key in keys],
            [key.variant for key in keys],
        ):
            same = column.count(column[0]) == len(column)
            common.append(column[0] if same else None)
            if not same:
                self._columns.append(column)
        self.head = json.dumps(common)

    def of(self, start: int, stop: int) -> Iterator[str]:
        """The texts of a few neighbours."""
        for column in self._columns:
            some = column[start:stop]
            if some.count(some[0]) == len(some):
                yield "="
                yield some[0]
            else:
                yield "*"
                yield from some


def _ends(classes: Sequence[str]) -> list[int]:
    return list(compress(range(1, len(classes)), map(ne, classes, islice(classes, 1, None))))


def _cuts(classes: Sequence[str], ends: Sequence[int]) -> list[int]:
    sieve = _sieve(len(classes), len(ends) + 1)
    marked = [end for end in ends if not zlib.crc32(classes[end - 1].encode("utf-8", "replace")) & sieve]
    cuts = [0]
    for end in (*marked, len(classes)):
        cuts.extend(range(cuts[-1] + BLOCK_MAX, end, BLOCK_MAX))
        if end > cuts[-1]:
            cuts.append(end)
    return cuts


def _sieve(tests: int, classes: int) -> int:
    """A mask that lets one class end in so many be a cut; a power of two, so that it seldom changes."""
    wanted = max(1, round(BLOCK * classes / max(tests, 1)))
    return (1 << (wanted.bit_length() - 1)) - 1


def _text_key(places: Sequence[str], names: Sequence[str]) -> bytes:
    text = _SEPARATOR.join(chain(places, names))
    kind = b"%d:" % len(places)
    if text.count(_SEPARATOR) != len(places) + len(names) - 1:
        # A name holds the separator itself; only lengths can tell where such names end.
        text, kind = json.dumps([places, names]), b"L"
    return hashlib.sha256(kind + text.encode("utf-8", "surrogatepass")).digest()[:16]


class Digest:
    """What a run reported: two uploads are the same when names, outcomes, times and messages are."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._state = hashlib.sha256(b"flakeguard content 1")

    def add(self, sheet: Sheet) -> None:
        """The next part."""
        odd = [
            (place, case.ambiguous, [_told(attempt) for attempt in case.attempts])
            for place, case in sheet.odd
        ]
        names = b"".join(block.key for block in sheet.blocks)
        for data in (names, sheet.codes.tobytes(), sheet.seconds.tobytes(), json.dumps(odd).encode()):
            self._state.update(len(data).to_bytes(8, "big"))
            self._state.update(data)

    def value(self) -> bytes:
        """16 bytes."""
        return self._state.digest()[:16]


def _told(attempt: Attempt) -> list[object]:
    return [attempt.outcome.value, attempt.duration, attempt.message]
