"""One report as columns: an outcome code and a duration per test, and apart from them the few odd cases.

A passing test is two numbers; only the odd ones (failing, retried) keep their attempts and messages.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from core.codes import Codes, code_of
from core.report import Attempt, CaseResult, TestKey

PART = 65_536
"""Tests in one part of a run; what bounds the memory a huge report needs."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Up to `PART` tests of a report, in its order."""

    keys: Sequence[TestKey]
    codes: Codes
    seconds: npt.NDArray[np.float64]
    odd: Sequence[tuple[int, CaseResult]]
    """Position and case of every test that is not a plain pass or skip."""
    volatile: Sequence[int] = ()
    """Positions of tests whose names were masked."""


def sheets(cases: Iterable[CaseResult]) -> Iterator[Sheet]:
    """The report in parts; an empty report has one empty part."""
    stream = iter(cases)
    first = True
    while (part := list(islice(stream, PART))) or first:
        yield read_sheet(part)
        first = False


def read_sheet(cases: Sequence[CaseResult]) -> Sheet:
    """Columns of these cases."""
    codes = np.fromiter(map(code_of, cases), np.uint8, len(cases))
    seconds = np.array([case.duration for case in cases], np.float64)
    odd = [(place, case) for place, case in enumerate(cases) if case.ambiguous or _odd(case)]
    return Sheet([case.key for case in cases], codes, seconds, odd)


def _odd(case: CaseResult) -> bool:
    return len(case.attempts) != 1 or case.attempts[0].outcome.bad


class Digest:
    """What a run reported: two uploads are the same when names, outcomes, times and messages are."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._state = hashlib.blake2b(digest_size=16, person=b"fg content 1")

    def add(self, sheet: Sheet, identity: bytes) -> None:
        """`identity` stands for the sheet's keys in order."""
        odd = [
            (place, case.ambiguous, [_told(attempt) for attempt in case.attempts])
            for place, case in sheet.odd
        ]
        for data in (identity, sheet.codes.tobytes(), sheet.seconds.tobytes(), json.dumps(odd).encode()):
            self._state.update(len(data).to_bytes(8, "big"))
            self._state.update(data)

    def value(self) -> bytes:
        """16 bytes."""
        return self._state.digest()


def _told(attempt: Attempt) -> list[object]:
    return [attempt.outcome.value, attempt.duration, attempt.message]
