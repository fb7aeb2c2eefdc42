"""One failing execution is one piece of evidence: its class, its isolation, and how likely it was a flake."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EvidenceClass(StrEnum):
    """What the world has answered to a failure so far; strongest proof of flakiness first."""

    RETRY_PASS = "retry_pass"  # noqa: S105 - a class of evidence, not a credential
    RERUN_PASS = "rerun_pass"  # noqa: S105 - see above
    KNOWN_SIGNATURE = "known_signature"
    CROSS_BRANCH = "cross_branch"
    MERGED_GREEN = "merged_green"
    PASS_THEN_FAIL = "pass_then_fail"  # noqa: S105 - see above
    MAIN_BLIP = "main_blip"
    NEXT_PUSH_PASS = "next_push_pass"  # noqa: S105 - see above
    MAIN_SHORT = "main_short"
    MAIN_OPEN = "main_open"
    PR_OPEN = "pr_open"
    BASE_RED = "base_red"
    KNOWN_BREAK = "known_break"

    @property
    def proof(self) -> bool:
        """The same code both failed and passed (or failed exactly as when it did)."""
        return self in PROOF


PROOF = frozenset({EvidenceClass.RETRY_PASS, EvidenceClass.RERUN_PASS, EvidenceClass.KNOWN_SIGNATURE})


NOT_ITS_OWN = frozenset({EvidenceClass.BASE_RED, EvidenceClass.KNOWN_BREAK})
"""Failures that a breakage explains."""


UNANSWERED = frozenset(
    {
        EvidenceClass.MAIN_BLIP,
        EvidenceClass.MAIN_SHORT,
        EvidenceClass.MAIN_OPEN,
        EvidenceClass.NEXT_PUSH_PASS,
        EvidenceClass.PR_OPEN,
        EvidenceClass.BASE_RED,
        EvidenceClass.KNOWN_BREAK,
    }
)
"""Classes that need no other failure and no answer on the same commit."""


class Bucket(StrEnum):
    """How alone a failure was in its report."""

    ALONE = "alone"
    SMALL = "small_group"
    GROUP = "group"
    MASS = "mass"


QTable = Mapping[EvidenceClass, Mapping[Bucket, float]]
"""Probability that a failure of this class and bucket was a flake."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One classified failure."""

    at: int
    kind: EvidenceClass
    bucket: Bucket
    q: float
    run: int
    answer_run: int
    commit: str
    branch: int
    """0 on the default branch; else a hash of the branch name."""
    fellows: int
    """Tests that freshly failed with it, itself included."""
    fingerprint: int = 0
    peers: frozenset[int] = frozenset()
    """Tests that freshly failed in the same report, as many as are remembered."""
    passed_after: int = 0
    """When the test passed again for the first time, on whatever branch."""
    echoed: bool = False
    """Another test said the same at about that time."""
    loose: bool = False
    """Of a change of which nobody knows where it started from: what it inherited cannot be told apart."""
