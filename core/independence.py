"""Which pieces of evidence count: those of one cause, however many, are one (docs/detection.md)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.belief import NEGLIGIBLE
from core.evidence import Bucket, Evidence
from core.isolation import HOUR
from core.ledger import DAY, INCIDENT

ONE_CAUSE = 4 * HOUR
ONE_MESSAGE = 6 * HOUR
LOOSELY_ONE_CAUSE = 36 * HOUR
"""Changes whose base is unknown may have inherited the same breakage so long, a night and a morning included."""


def independent(pieces: Sequence[Evidence]) -> list[Evidence]:
    """The best of every commit, branch and incident, and of everything within a few hours; best first."""
    kept = _Kept()
    for piece in sorted(pieces, key=_best_first):
        if piece.q <= NEGLIGIBLE:
            break
        if not kept.explains(piece):
            kept.add(piece)
    return kept.pieces


def _best_first(piece: Evidence) -> tuple[float, int]:
    return (-piece.q, piece.at)


@dataclass(slots=True)
class _Kept:
    """Pieces that count, found by what others may share with them; in time they are hours apart, so few are near."""

    pieces: list[Evidence] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    in_time: list[Evidence] = field(default_factory=list)
    commits: set[str] = field(default_factory=set)
    branches: set[int] = field(default_factory=set)
    passes: set[int] = field(default_factory=set)
    loose: bool = False

    def add(self, piece: Evidence) -> None:
        place = bisect_left(self.times, piece.at)
        self.times.insert(place, piece.at)
        self.in_time.insert(place, piece)
        self.pieces.append(piece)
        self.commits.add(piece.commit)
        self.passes.add(piece.passed_after)
        self.loose = self.loose or piece.loose
        if piece.branch:
            self.branches.add(piece.branch)

    def explains(self, piece: Evidence) -> bool:
        """It may have the same cause as one that counts already."""
        if piece.commit in self.commits or piece.branch in self.branches:
            return True
        if piece.passed_after in self.passes:
            return True  # it failed wherever it ran, until something was put right
        reach = LOOSELY_ONE_CAUSE if piece.loose or self.loose else DAY if piece.echoed else INCIDENT
        first = bisect_left(self.times, piece.at - reach)
        last = bisect_right(self.times, piece.at + reach, first)
        return any([_same_cause(piece, other) for other in self.in_time[first:last]])  # noqa: C419 - they are few


def _same_cause(a: Evidence, b: Evidence) -> bool:
    """Of two that happened at about one time; each rule reaches further than the one before."""
    apart = abs(a.at - b.at)
    if apart <= ONE_CAUSE:
        return True
    if apart <= INCIDENT and not a.peers.isdisjoint(b.peers):
        return True  # the same tests failing together again have something in common beside chance
    if apart <= INCIDENT and a.bucket is not Bucket.ALONE and b.bucket is not Bucket.ALONE:
        return True
    return a.fingerprint == b.fingerprint and apart <= _one_message(a, b)


def _one_message(a: Evidence, b: Evidence) -> int:
    """So long one message may come from a breakage both inherited, or from a service that this test needs."""
    if a.loose or b.loose:
        return LOOSELY_ONE_CAUSE
    if a.echoed and b.echoed:
        return DAY  # another test needs it too
    return ONE_MESSAGE if a.fingerprint else 0
