"""Make small CI histories for detection tests, in the words of the domain."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from core.engine import ProjectState, RunOutcome, apply_merge, apply_run, verdict_of
from core.execution import AttemptFact, FailedExecution, Merge, PastExecution, RunResults
from core.fingerprint import fingerprint
from core.report import Outcome
from core.run import Run, Trust
from core.thresholds import Thresholds
from core.verdict import Verdict

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
BAD, OK = Outcome.FAILED, Outcome.PASSED


def failed(test: int, *outcomes: Outcome, message: str = "AssertionError: 1 != 2", ambiguous: bool = False):
    marks = tuple(AttemptFact(o, fingerprint(message) if o.bad else None) for o in outcomes or (BAD,))
    return FailedExecution(test, marks, ambiguous)


@dataclass
class Ci:
    """A project whose suite has `tests` tests; every method is one run, an hour after the last."""

    tests: int = 200
    thresholds: Thresholds = field(default_factory=Thresholds)
    state: ProjectState = field(default_factory=ProjectState.empty)
    hour: float = 0.0
    stored: list[tuple[Run, RunResults, int]] = field(default_factory=list)
    outcomes: list[RunOutcome] = field(default_factory=list)

    def run(self, commit: str, *failures: FailedExecution, branch="main", base="", attempt=1, run_id="", job="unit",
            trust: Trust | None = None, partial=False, hours=1.0) -> RunOutcome:  # fmt: skip
        self.hour += hours
        trust = trust or (Trust.TRUNK if branch == "main" else Trust.PR)
        run = Run(run_id or f"{branch}-{commit}", commit, branch, self.now, attempt=attempt, job=job, base=base,
                  trust=trust, partial=partial)  # fmt: skip
        bad = {f.test_id for f in failures}
        passed = np.array([t for t in range(self.tests) if t not in bad], np.int64)
        return self.store(run, RunResults(self.tests, passed, failures))

    def store(self, run: Run, results: RunResults) -> RunOutcome:
        ref = len(self.stored)
        outcome = apply_run(
            self.state, run, results, run_ref=ref, thresholds=self.thresholds, history=self.past
        )
        self.stored.append((run, results, ref))
        self.outcomes.append(outcome)
        return outcome

    def greens(self, count: int, *, first: int = 0, hours=1.0) -> None:
        for i in range(count):
            self.run(f"g{first + i}-{self.hour}", hours=hours)

    def merge(self, branch: str, commit: str, into: str) -> RunOutcome:
        return apply_merge(self.state, Merge(branch, commit, into, self.now), thresholds=self.thresholds)

    def past(self, test: int) -> Iterable[PastExecution]:
        return [
            PastExecution(run, OK, run_ref=ref)
            for run, results, ref in self.stored
            if not any(f.test_id == test for f in results.failures)
        ]

    @property
    def now(self) -> datetime:
        return START + timedelta(hours=self.hour)

    def verdict(self, test: int) -> Verdict:
        return verdict_of(self.state, test, self.now, self.thresholds)
