"""The shipped chances that a failure of a class and bucket was a flake, and how to read others."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from core.errors import ValidationError
from core.evidence import Bucket, EvidenceClass, QTable

C = EvidenceClass

MOST: Final = 0.999
"""Nothing is certain."""
PROVENANCE: Final = (
    "benchmarks/detection/learn_q.py on simulated histories of seeds 101 and 102 (matrix, plain, retries, outages,"
    " breaking, nightly, shards, reruns, small-slow; 42 to 84 days), 79,539 weekly looks at pieces of evidence whose"
    " cause is known; every cell shrunk to the design's starting value with the weight of 60 pieces, at most 300"
    " pieces a cell because those of one test are not independent; classes that a plain breakage produces too are"
    " held at the design's ceilings, because the same chance for a flaky and for a broken test would accuse the"
    " broken one; groups are held at .5 because a partial outage with retries looks the same. cross_branch is set"
    " by hand at three to one for two unrelated places: places and ways in which the message was seen shift it"
    " (core/classify.py), so that a table over pieces cannot hold it."
)
_ROWS: Final[Mapping[EvidenceClass, tuple[float, float, float]]] = {
    C.RETRY_PASS: (0.995, 0.95, 0.50),
    C.RERUN_PASS: (0.99, 0.92, 0.50),
    C.KNOWN_SIGNATURE: (0.99, 0.92, 0.50),
    C.CROSS_BRANCH: (0.75, 0.40, 0.10),
    C.MERGED_GREEN: (0.50, 0.25, 0.08),
    C.PASS_THEN_FAIL: (0.50, 0.20, 0.10),
    C.MAIN_BLIP: (0.20, 0.10, 0.02),
    C.NEXT_PUSH_PASS: (0.01, 0.005, 0.0),
    C.MAIN_SHORT: (0.05, 0.02, 0.0),
    C.MAIN_OPEN: (0.05, 0.02, 0.0),
    C.PR_OPEN: (0.05, 0.02, 0.0),
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


def to_plain(q_table: QTable) -> dict[str, dict[str, float]]:
    """As JSON, to be kept in a policy."""
    return {
        str(kind): {str(bucket): round(q, 6) for bucket, q in row.items()} for kind, row in q_table.items()
    }


def from_plain(plain: Mapping[str, object]) -> QTable:
    """Read back; nothing at all means the shipped table, a class that is not named has its shipped row."""
    if not plain:
        return SHIPPED
    if unknown := sorted(set(plain) - set(EvidenceClass)):
        raise ValidationError(f"There is no class of evidence called {', '.join(unknown)}.", field="learnt")
    rows = dict(SHIPPED) | {EvidenceClass(kind): _row(kind, row) for kind, row in plain.items()}
    return MappingProxyType(rows)


def _row(kind: str, row: object) -> Mapping[Bucket, float]:
    buckets = {str(bucket) for bucket in Bucket}
    if not isinstance(row, Mapping) or set(row) != buckets:
        raise ValidationError(
            f"{kind} needs a chance for each of {', '.join(sorted(buckets))}.", field="learnt"
        )
    if not all(isinstance(q, int | float) and 0 <= q <= MOST for q in row.values()):
        raise ValidationError(f"Chances of {kind} must be between 0 and {MOST}.", field="learnt")
    return MappingProxyType({bucket: float(row[str(bucket)]) for bucket in Bucket})
