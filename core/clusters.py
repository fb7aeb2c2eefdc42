"""Failures with one cause: many tests, one message, one card."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.detection_state import ProjectState
from core.ledger import DAY

TOGETHER = 3
"""So many tests with one fingerprint are one cause."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Tests that failed of one cause."""

    fingerprint: bytes
    tests: tuple[int, ...]
    failures: int
    first_at: int
    last_at: int


def clusters(state: ProjectState, now: int, *, days: int = 28, together: int = TOGETHER) -> list[Cluster]:
    """Fingerprints that several tests share, most failures first."""
    since = now - days * DAY
    found = []
    for signature, seen in state.by_signature.items():
        recent = [(at, test) for at, test in seen if at > since]
        tests = sorted({test for _, test in recent})
        if len(tests) >= together:
            mark = signature.to_bytes(8, signed=True)
            found.append(Cluster(mark, tuple(tests), len(recent), recent[0][0], recent[-1][0]))
    return sorted(found, key=lambda c: (-c.failures, c.fingerprint))


def one_card_each(tests: Iterable[int], found: Sequence[Cluster]) -> list[tuple[int, ...]]:
    """Group tests to be proposed: those whose failures share a cause stand on one card."""
    cause = {test: cluster.fingerprint for cluster in reversed(found) for test in cluster.tests}
    cards: defaultdict[bytes, list[int]] = defaultdict(list)
    for test in sorted(tests):
        cards[cause.get(test, test.to_bytes(9))].append(test)
    return [tuple(card) for card in cards.values()]
