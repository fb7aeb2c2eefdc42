"""What an upload became: the answer of the API, the command line and the gate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.report import SuiteError, TestKey
from core.run import Run

QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class FailureAnswer:
    """One failing test of a run and what is thought of it."""

    test_id: int
    key: TestKey
    verdict: str
    message: str
    quarantine: str = ""
    """The quarantine that covers it (`q-17`), empty without one."""

    def to_dict(self) -> dict[str, Any]:
        """As the API says it."""
        return {
            "test_id": self.test_id,
            "suite": self.key.suite,
            "class": self.key.class_name,
            "name": self.key.name,
            "file": self.key.file,
            "variant": self.key.variant,
            "verdict": self.verdict,
            "message": self.message,
            "quarantine": self.quarantine or None,
        }


@dataclass(frozen=True, slots=True)
class IngestAnswer:
    """What an upload became."""

    run: Run
    run_pk: int
    duplicate: bool
    counts: dict[str, int]
    failures: Sequence[FailureAnswer]
    warnings: Sequence[str] = ()
    suite_errors: Sequence[SuiteError] = ()
    infra: bool = False
    proposed: Sequence[str] = field(default=())
    unlisted: int = 0
    """Failing tests beyond the many that are listed one by one."""

    @property
    def all_failures_quarantined(self) -> bool:
        """True when something failed and a quarantine in force covers every single failure."""
        covered = all(one.verdict == QUARANTINED for one in self.failures) and not self.unlisted
        return bool(self.failures) and covered and not self.suite_errors and not self.run.partial

    def to_dict(self) -> dict[str, Any]:
        """As the API and the command line say it."""
        return {
            "run_id": self.run.run_id,
            "attempt": self.run.attempt,
            "job": self.run.job,
            "variant": self.run.variant,
            "commit": self.run.commit,
            "branch": self.run.branch,
            "duplicate": self.duplicate,
            "tests": sum(self.counts.get(kind, 0) for kind in ("passed", "failed", "error", "skipped")),
            **self.counts,
            "partial": self.run.partial,
            "infra": self.infra,
            "warnings": list(self.warnings),
            "suite_errors": [{"suite": one.suite, "message": one.message} for one in self.suite_errors],
            "failures": [one.to_dict() for one in self.failures],
            "all_failures_quarantined": self.all_failures_quarantined,
            "proposals": list(self.proposed),
        }
