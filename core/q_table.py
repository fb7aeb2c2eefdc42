"""The shipped chances that a failure of a class and bucket was a flake, and how to read others."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.evidence import Bucket, EvidenceClass, QTable

C = EvidenceClass

_ROWS: Final[Mapping[EvidenceClass, tuple[float, float, float]]] = {
    C.RETRY_PASS: (0.99, 0.90, 0.40),
    C.RERUN_PASS: (0.97, 0.80, 0.25),
    C.KNOWN_SIGNATURE: (0.99, 0.80, 0.30),
    C.CROSS_BRANCH: (0.95, 0.60, 0.20),
    C.MERGED_GREEN: (0.35, 0.20, 0.05),
    C.PASS_THEN_FAIL: (0.35, 0.15, 0.05),
    C.MAIN_BLIP: (0.10, 0.05, 0.01),
    C.NEXT_PUSH_PASS: (0.01, 0.005, 0.0),
    C.MAIN_SHORT: (0.04, 0.01, 0.0),
    C.MAIN_OPEN: (0.03, 0.01, 0.0),
    C.PR_OPEN: (0.03, 0.01, 0.0),
    C.BASE_RED: (0.0, 0.0, 0.0),
    C.KNOWN_BREAK: (0.0, 0.0, 0.0),
}


def table(rows: Mapping[EvidenceClass, tuple[float, float, float]]) -> QTable:
    """Rows of (alone, small group, group); a mass failure is evidence of nothing."""
    return MappingProxyType(
        {
            kind: MappingProxyType(
                {Bucket.ALONE: alone, Bucket.SMALL: small, Bucket.GROUP: group, Bucket.MASS: 0.0}
            )
            for kind, (alone, small, group) in rows.items()
        }
    )


SHIPPED: Final[QTable] = table(_ROWS)
