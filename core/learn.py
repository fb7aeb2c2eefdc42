"""Learn from people: their decisions shift the shipped table of chances, a little, visibly, reversibly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.evidence import Bucket, EvidenceClass, QTable
from core.q_table import SHIPPED

PSEUDO_PIECES: Final = 20.0
"""The shipped table weighs as much as so many pieces judged by people."""
BUCKETS: Final = (Bucket.ALONE, Bucket.SMALL, Bucket.GROUP, Bucket.MASS)
BINS: Final = 5


class Decision(StrEnum):
    """What a person said of a test whose evidence was shown."""

    FLAKE = "flake"
    """Approved for quarantine."""
    REAL_BUG = "real_bug"
    """Denied: it was a real bug."""
    UNDECIDED = "undecided"
    """Denied for other reasons, or released after a repair: says nothing about the evidence."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of evidence as the person who decided saw it."""

    kind: EvidenceClass
    bucket: Bucket
    q: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """One decision and the pieces of evidence that counted when it was made."""

    decision: Decision
    pieces: tuple[Shown, ...]
    key: str = ""
    """Names the decision, so that it can be taken back."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One class and bucket: what was shipped, what people said, what follows."""

    kind: EvidenceClass
    bucket: Bucket
    shipped: float
    flakes: float
    bugs: float
    learnt: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of the pieces given about this chance, so many were flakes in the end."""

    predicted: float
    observed: float
    pieces: float


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a project's decisions add up to; made anew from all of them, so taking one back leaves no trace."""

    table: QTable
    cells: tuple[Cell, ...]
    calibration: tuple[Calibration, ...]
    decisions: int


def learn(lessons: Iterable[Lesson], shipped: QTable = SHIPPED) -> Lessons:
    """Beta counts for each class and bucket, shrunk to the shipped table, monotone over the buckets."""
    told = [lesson for lesson in lessons if lesson.decision is not Decision.UNDECIDED]
    counts: dict[tuple[EvidenceClass, Bucket], list[float]] = {}
    for lesson in told:
        for piece in lesson.pieces:
            said = counts.setdefault((piece.kind, piece.bucket), [0.0, 0.0])
            said[lesson.decision is Decision.REAL_BUG] += _share(piece, lesson)
    cells = tuple(_cell(kind, bucket, shipped, counts) for kind in EvidenceClass for bucket in BUCKETS)
    learnt = {(cell.kind, cell.bucket): cell.learnt for cell in cells}
    table = {kind: _monotone({b: learnt[kind, b] for b in BUCKETS}) for kind in EvidenceClass}
    return Lessons(table, cells, _calibration(told, shipped), len(told))


def shown(pieces: Iterable[Mapping[str, Any]]) -> tuple[Shown, ...]:
    """The pieces that counted in an explanation frozen with a proposal; what cannot be read is left out."""
    return tuple(
        Shown(EvidenceClass(one["class"]), Bucket(one["bucket"]), float(one["chance"]))
        for one in pieces
        if one.get("counts") and one.get("class") in _KINDS and one.get("bucket") in _BUCKETS
    )


_KINDS: Final = frozenset(EvidenceClass)
_BUCKETS: Final = frozenset(Bucket)


def _share(piece: Shown, lesson: Lesson) -> float:
    """A decision speaks of the test, so its pieces share the say by how much they carried the verdict."""
    total = sum(p.q for p in lesson.pieces)
    return piece.q / total if total else 1 / len(lesson.pieces)


def _cell(
    kind: EvidenceClass,
    bucket: Bucket,
    shipped: QTable,
    counts: Mapping[tuple[EvidenceClass, Bucket], list[float]],
) -> Cell:
    q = shipped[kind][bucket]
    flakes, bugs = counts.get((kind, bucket), (0.0, 0.0))
    if q == 0.0:
        return Cell(kind, bucket, q, flakes, bugs, 0.0)
    learnt = (q * PSEUDO_PIECES + flakes) / (PSEUDO_PIECES + flakes + bugs)
    return Cell(kind, bucket, q, flakes, bugs, learnt)


def _monotone(row: Mapping[Bucket, float]) -> dict[Bucket, float]:
    """Less alone is never more convincing."""
    limit, result = 1.0, {}
    for bucket in BUCKETS:
        limit = min(limit, row[bucket])
        result[bucket] = limit
    return result


def _calibration(lessons: Iterable[Lesson], shipped: QTable) -> tuple[Calibration, ...]:
    bins: dict[int, list[float]] = {}
    for lesson in lessons:
        for piece in lesson.pieces:
            q, share = shipped[piece.kind][piece.bucket], _share(piece, lesson)
            total = bins.setdefault(min(int(q * BINS), BINS - 1), [0.0, 0.0, 0.0])
            total[0] += q * share
            total[1] += share * (lesson.decision is Decision.FLAKE)
            total[2] += share
    return tuple(Calibration(p / n, o / n, n) for _, (p, o, n) in sorted(bins.items()) if n)
