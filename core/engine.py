"""The incremental engine: facts go in run by run, verdicts come out, and nothing depends on the order of arrival."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from core.evidence import QTable
from core.execution import Merge, PastExecution, RunResults
from core.run import Run
from core.thresholds import Thresholds
from core.verdict import FailureVerdict, TestState, Transition, Verdict

History = Callable[[int], Iterable[PastExecution]]
"""All stored executions of a test within `HISTORY_DAYS`, in any order; the current run may be among them."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What changed since it was last asked: rows to store. `None` for a suspect means: delete its row."""

    context: bytes | None
    suspects: Mapping[int, bytes | None]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What one run (or merge, or the passing of time) changed."""

    transitions: tuple[Transition, ...] = ()
    failures: Mapping[int, FailureVerdict] = field(default_factory=dict)
    mass_failure: bool = False
    fresh_failures: int = 0


class ProjectState:
    """Everything the engine remembers about one project; kept in memory between runs, stored as small rows."""

    @classmethod
    def empty(cls) -> Self:
        return cls()

    @classmethod
    def load(cls, context: bytes, suspects: Mapping[int, bytes]) -> Self:
        """Read back what `dirty` gave; rows are applied to an empty state."""
        return cls()

    def dirty(self) -> Dump:
        """What must be stored now; a second call returns nothing until something changes."""
        return Dump(None, {})


def apply_run(
    state: ProjectState,
    run: Run,
    results: RunResults,
    *,
    run_ref: int,
    thresholds: Thresholds,
    history: History,
    q_table: QTable | None = None,
) -> RunOutcome:
    """Learn one run. `run_ref` is storage's id of it: opaque here, handed back in evidence for links."""
    return RunOutcome()


def apply_merge(
    state: ProjectState, merge: Merge, *, thresholds: Thresholds, q_table: QTable | None = None
) -> RunOutcome:
    """Learn that a pull request was merged."""
    return RunOutcome()


def sweep(
    state: ProjectState, now: datetime, *, thresholds: Thresholds, q_table: QTable | None = None
) -> RunOutcome:
    """Let time pass: evidence leaves the window, tests recover or retire, forgotten suspects are dropped."""
    return RunOutcome()


def verdict_of(
    state: ProjectState,
    test_id: int,
    now: datetime,
    thresholds: Thresholds,
    q_table: QTable | None = None,
) -> Verdict:
    """What is believed now; a pure function of the facts, whatever order they came in."""
    return Verdict(TestState.HEALTHY, version=thresholds.version)
