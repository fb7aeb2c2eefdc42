"""What one run says about tests, as far as thinking about flakiness needs it: failures in full, passes as ids."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import dropwhile

import numpy as np
import numpy.typing as npt

from core.report import Outcome
from core.run import Run


@dataclass(frozen=True, slots=True)
class AttemptFact:
    """How one attempt ended and, if it failed, the fingerprint of its message (8 bytes, None without one)."""

    outcome: Outcome
    fingerprint: bytes | None = None


@dataclass(frozen=True, slots=True)
class FailedExecution:
    """An execution of a test in which at least one attempt failed, the last attempt standing for it."""

    test_id: int
    attempts: tuple[AttemptFact, ...]
    ambiguous: bool = False
    """Two tests share this key in the report: its mixed outcomes prove nothing."""

    @property
    def final(self) -> Outcome:
        return self.attempts[-1].outcome

    @property
    def recovered(self) -> bool:
        """It failed and then passed, whatever the runner made of that in the end."""
        outcomes = [attempt.outcome for attempt in self.attempts]
        return Outcome.PASSED in dropwhile(lambda outcome: not outcome.bad, outcomes)

    @property
    def fingerprint(self) -> bytes | None:
        """The first failing attempt's: later attempts often fail of the mess the first one left behind."""
        return next((a.fingerprint for a in self.attempts if a.outcome.bad), None)


def _no_ids() -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class RunResults:
    """One report: how many tests it names, which passed cleanly (sorted ids), which failed at least once."""

    tests: int
    passed: npt.NDArray[np.int64] = field(default_factory=_no_ids)
    failures: Sequence[FailedExecution] = ()


@dataclass(frozen=True, slots=True)
class PastExecution:
    """One stored execution of a test, as storage hands it back to fill in a new suspect's past."""

    run: Run
    outcome: Outcome
    clean: bool = True
    """False when an attempt failed before the final outcome."""
    run_ref: int = 0
    """Storage's id of the run, as given to `apply_run`."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A pull request's `branch`, at `commit`, became `into_commit` on the default branch."""

    branch: str
    commit: str
    into_commit: str
    at: datetime
