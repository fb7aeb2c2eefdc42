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
    classes = [key.class_name for key in keys]
    columns = [classes, [key.name for key in keys], [key.file for key in keys]]
    common = []
    for column in ([key.suite for key in keys], [key.variant for key in keys]):
        if column and column.count(column[0]) == len(column):
            common.append([column[0]])
        else:
            columns.append(column)
            common.append([])
    head = json.dumps(common)
    cuts = _cuts(classes)
    return [
        Block(start, stop, _text_key(head, [column[start:stop] for column in columns]))
        for start, stop in pairwise(cuts)
    ]


def _cuts(classes: Sequence[str]) -> list[int]:
    ends = list(compress(range(1, len(classes)), map(ne, classes, islice(classes, 1, None))))
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


def _text_key(head: str, columns: Sequence[Sequence[str]]) -> bytes:
    text = _SEPARATOR.join(chain([head], *columns))
    kind = b"J"
    if text.count(_SEPARATOR) != len(columns) * len(columns[0]):
        # A name holds the separator itself; only lengths can tell where such names end.
        text, kind = json.dumps([head, *columns]), b"L"
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
