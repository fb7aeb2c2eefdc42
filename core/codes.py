"""One byte says how a test ended, one more how long it took (on a logarithmic scale)."""

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from core.report import CaseResult, Outcome

Codes = npt.NDArray[np.uint8]

OUTCOMES: Final = (Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED)
PASSED: Final = 0
SKIPPED: Final = 3
OUTCOME_BITS: Final = 3
RETRIED: Final = 4
"""An earlier attempt failed."""
AMBIGUOUS: Final = 8
ABSENT: Final = 255
"""The run's list holds the test, the run's report does not."""

SHORTEST: Final = 1e-5
LONGEST: Final = 86_400.0
STEPS: Final = 250
UNKNOWN: Final = 255
_STEP: Final = np.log(LONGEST / SHORTEST) / STEPS
_SECONDS: Final = np.concatenate(
    ([0.0], SHORTEST * np.exp((np.arange(1, STEPS + 1) - 0.5) * _STEP), np.full(255 - STEPS, np.nan))
)
_CODE_OF: Final = {outcome: code for code, outcome in enumerate(OUTCOMES)}
DURATION_LEVEL: Final = 1
"""zlib's effort on durations: they are nearly noise, more effort gains two per cent."""


def code_of(case: CaseResult) -> int:
    """The byte for one test of a report."""
    code = _CODE_OF[case.outcome]
    if any(attempt.outcome.bad for attempt in case.attempts[:-1]):
        code |= RETRIED
    return code | AMBIGUOUS if case.ambiguous else code


def outcome_of(code: int) -> Outcome:
    """How the test ended, its last attempt counting."""
    return OUTCOMES[code & OUTCOME_BITS]


def clean(code: int) -> bool:
    """False when an attempt failed before the final outcome."""
    return not code & RETRIED


def pack_outcomes(codes: Codes) -> bytes:
    """Nearly always all zero: a few dozen bytes for ten thousand tests."""
    return zlib.compress(codes.tobytes(), 6)


def unpack_outcomes(data: bytes) -> Codes:
    """The codes again."""
    return np.frombuffer(zlib.decompress(data), np.uint8)


def buckets(seconds: npt.NDArray[np.float64]) -> Codes:
    """Each duration to the nearest of 250 steps of 9.6 %; 0 for nothing measurable, 255 for unknown (NaN)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.floor(np.log(seconds / SHORTEST) / _STEP) + 1
    codes = np.clip(np.nan_to_num(steps, nan=0, neginf=0, posinf=STEPS), 0, STEPS).astype(np.uint8)
    codes[np.isnan(seconds)] = UNKNOWN
    return np.asarray(codes)


def pack_durations(codes: Codes) -> bytes:
    """Bucket numbers of the tests present."""
    return zlib.compress(codes.tobytes(), DURATION_LEVEL)


def unpack_durations(data: bytes) -> Codes:
    """The bucket numbers again."""
    return np.frombuffer(zlib.decompress(data), np.uint8)


def seconds_of(bucket: int) -> float | None:
    """The middle of a bucket (within 4.7 %); None when unknown."""
    return None if bucket > STEPS else float(_SECONDS[bucket])
