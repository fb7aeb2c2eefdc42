"""What was worked out about a test, kept for as long as everything it was worked out from stays as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any

from core.evidence import Bucket, Evidence, QTable
from core.ledger import Failure

ECHOES_WITHIN = 6 * 3_600
"""What another test said longer before or after is no echo."""


@dataclass(slots=True)
class Doubt:
    """What has changed around a test's failures since their company was worked out."""

    groups: set[int] = field(default_factory=set)
    """Workflow runs in which others freshly failed, or did not."""
    times: set[int] = field(default_factory=set)
    """When somebody else said what this test says, or did not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What follows from one test's facts alone, failure by failure."""

    failures: tuple[Failure, ...] = field(compare=False, repr=False)
    origins: tuple[int, ...]
    """Index of the failure that began the same red stretch of its branch."""
    base_red: tuple[bool, ...]
    fresh: Mapping[int, bool] = field(compare=False)
    """Workflow run -> it was this run that made the test fail, as far as can be told: what others want to know."""
    known_from: int = field(compare=False)
    """Since when the test was known to be flaky."""
    trunk_only: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class Company:
    """What other tests, and the project, have to do with one failure."""

    bucket: Bucket
    fellows: int
    """Tests that freshly failed with it, itself included."""
    peers: frozenset[int]
    """Tests that freshly failed in the same report, as many as are remembered."""
    echoed: bool
    """Another test said the same at about that time."""
    loose: bool
    """Of a change of which nobody knows where it started from."""


@dataclass(slots=True)
class Companies:
    """The company of each failure, by these numbers, after so many changes of outages."""

    mass: tuple[int, float]
    outages: int
    reading: Reading
    found: list[Company]


@dataclass(slots=True)
class Weighed:
    """A test's pieces of evidence, and everything they were made from."""

    facts_version: int
    reading: Reading
    companies: Sequence[Company]
    settled: Sequence[Evidence | None]
    """Pieces that nothing else the test does will change: of each failure, or none."""
    merges: tuple[int, int]
    """When merges changed, and when the default branch passed last if one of them matters."""
    q_table: QTable
    pieces: Sequence[Evidence]
    memo: dict[Any, Any] = field(default_factory=dict)
    """Whatever follows from the pieces alone."""


def gone_from(before: Sequence[Failure], after: Sequence[Failure]) -> int:
    """How many of the oldest are gone; all of them unless the others are still the first."""
    gone = next((i for i, failure in enumerate(before) if after and failure is after[0]), len(before))
    kept = before[gone:]
    return gone if len(kept) <= len(after) and all(map(is_, kept, after)) else len(before)
