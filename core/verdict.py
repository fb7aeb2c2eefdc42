"""What FlakeGuard believes about one test at one moment, and how that belief changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.evidence import EvidenceClass


class TestState(StrEnum):
    """Most severe first; `broken` is never proposed for quarantine."""

    __test__ = False

    BROKEN = "broken"
    FLAKY = "flaky"
    SUSPECT = "suspect"
    RECOVERED = "recovered"
    HEALTHY = "healthy"
    INSUFFICIENT = "insufficient_data"
    RETIRED = "retired"


class FailureVerdict(StrEnum):
    """What one failure of one run is; `quarantined` is overlaid by whoever knows the quarantine list."""

    NEW = "new"
    KNOWN_FLAKY = "known_flaky"
    BROKEN = "broken"
    INFRA = "infra"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How sure (`score`), how often (`rate`), and what a person needs to agree or object."""

    state: TestState
    score: float = 0.0
    confirmed: bool = False
    """Flagged, with same-commit proof, not broken, and seen passing on the default branch: may be proposed."""
    p_flaky: float = 0.0
    p_active: float = 1.0
    rate: float = 0.0
    rate_interval: tuple[float, float] = (0.0, 1.0)
    since_commit: str = ""
    """First failing default-branch commit of the breakage; empty unless broken."""
    since_run: int = 0
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    evidence: Mapping[EvidenceClass, int] | None = None
    """Independent pieces in the window, by class."""
    strongest: EvidenceClass | None = None
    failures: int = 0
    runs: int = 0
    trunk_failures: int = 0
    trunk_runs: int = 0
    branches: int = 0
    """Distinct pull-request branches it failed on in the window."""
    strip: str = ""
    """Last 20 default-branch outcomes, oldest first: `.` passed, `~` passed on retry, `x` failed."""
    clean_runs: int = 0
    """Clean executions since the last flake."""
    version: int = 1

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: times in ISO 8601, classes by name."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "state": str(self.state),
            "rate_interval": list(self.rate_interval),
            "first_failure": self.first_failure and self.first_failure.isoformat(),
            "last_failure": self.last_failure and self.last_failure.isoformat(),
            "evidence": {str(kind): count for kind, count in (self.evidence or {}).items()},
            "strongest": self.strongest and str(self.strongest),
        }

    @property
    def flagged(self) -> bool:
        return self.state is TestState.FLAKY


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a test's state (or of its tier) as it was seen at `at`."""

    test_id: int
    at: datetime
    before: TestState
    after: TestState
    score: float
    confirmed: bool
    version: int = 1
