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
    names = [key.name for key in keys]
    classes = _Column([key.class_name for key in keys])
    columns = (
        classes,
        _Column([key.suite for key in keys]),
        _Column([key.file for key in keys]),
        _Column([key.variant for key in keys]),
    )
    return [
        Block(start, stop, _text_key([column.until(stop) for column in columns], names[start:stop]))
        for start, stop in pairwise(_cuts(classes.values, classes.ends))
    ]


class _Column:
    """Texts that neighbours share, told as (text, how many in a row): most of a report is said again and again."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = values
        self.ends = list(compress(range(1, len(values)), map(ne, values, islice(values, 1, None))))
        self._coming = iter((*self.ends, len(values)))
        self._end = next(self._coming)
        self._at = 0

    def until(self, stop: int) -> list[str]:
        """From where it was left to before `stop`."""
        told: list[str] = []
        while self._at < stop:
            high = min(self._end, stop)
            told += (self.values[self._at], str(high - self._at))
            self._at = high
            if high == self._end:
                self._end = next(self._coming, stop)
        return told


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


def _text_key(columns: Sequence[Sequence[str]], names: Sequence[str]) -> bytes:
    lengths = ",".join([str(len(column)) for column in columns])
    text = _SEPARATOR.join(chain([lengths], *columns, names))
    if text.count(_SEPARATOR) == sum(map(len, columns)) + len(names):
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
    # A name holds the separator itself; only lengths can tell where such names end.
    return hashlib.sha256(json.dumps([*columns, names]).encode()).digest()[:16]


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
