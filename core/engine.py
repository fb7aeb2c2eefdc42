"""The incremental engine: facts go in run by run, verdicts come out, and the order of arrival does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.detection_state import Dump, ProjectState
from core.evidence import QTable
from core.execution import Merge, RunResults
from core.intake import see_failures, see_passes, see_surroundings
from core.isolation import fresh_failures
from core.judge import judge
from core.placing import counts, digest, placed, seconds
from core.q_table import SHIPPED
from core.review import daily_sweep, judge_stale, sweep_all
from core.run import Run
from core.run_verdicts import foreign_verdicts, run_verdicts
from core.step import History, Step
from core.surroundings import MergeFact
from core.thresholds import Thresholds
from core.verdict import FailureVerdict, Transition, Verdict

__all__ = [
    "Dump",
    "History",
    "ProjectState",
    "RunOutcome",
    "apply_merge",
    "apply_run",
    "rejudge",
    "sweep",
    "verdict_of",
]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What one run (or merge, or the passing of time) changed."""

    transitions: tuple[Transition, ...] = ()
    failures: Mapping[int, FailureVerdict] = field(default_factory=dict)
    mass_failure: bool = False
    fresh_failures: int = 0


def apply_run(
    state: ProjectState,
    run: Run,
    results: RunResults,
    *,
    run_ref: int,
    thresholds: Thresholds,
    history: History,
    q_table: QTable = SHIPPED,
) -> RunOutcome:
    """Learn one run. `run_ref` is storage's id of it: opaque here, handed back in evidence for links."""
    at = seconds(run.at)
    step = Step(state, max(at, state.surroundings.latest), thresholds, q_table)
    if not counts(run, thresholds):
        return RunOutcome(failures=foreign_verdicts(step, results))
    place = placed(run, run_ref, thresholds)
    see_surroundings(step, run, place)
    followed = see_failures(step, run, place, results, history)
    if not run.partial:
        see_passes(step, place, results, history)
    transitions = [*judge_stale(step), *daily_sweep(step)]
    fresh, mass = fresh_failures(state, place, followed, thresholds)
    if results.failures and not followed and place.key in state.surroundings.outages:
        fresh, mass = len(results.failures), True
    verdicts = run_verdicts(step, place, results, followed)
    return RunOutcome(tuple(transitions), verdicts, mass, fresh)


def apply_merge(
    state: ProjectState, merge: Merge, *, thresholds: Thresholds, q_table: QTable = SHIPPED
) -> RunOutcome:
    """Learn that a pull request was merged."""
    at = seconds(merge.at)
    step = Step(state, max(at, state.surroundings.latest), thresholds, q_table)
    branch = digest(merge.branch)
    state.see_merge(MergeFact(branch, digest(merge.commit), digest(merge.into_commit), at))
    step.stale |= state.by_branch.get(branch, set())
    return RunOutcome(transitions=tuple(judge_stale(step)))


def sweep(
    state: ProjectState, now: datetime, *, thresholds: Thresholds, q_table: QTable = SHIPPED
) -> RunOutcome:
    """Let time pass: evidence leaves the window, tests recover or retire, forgotten suspects are dropped."""
    step = Step(state, max(seconds(now), state.surroundings.latest), thresholds, q_table)
    return RunOutcome(transitions=tuple(sweep_all(step)))


def rejudge(
    state: ProjectState, now: datetime, *, thresholds: Thresholds, q_table: QTable = SHIPPED
) -> RunOutcome:
    """Judge every suspect by other numbers than before."""
    step = Step(state, max(seconds(now), state.surroundings.latest), thresholds, q_table)
    state.forget_readings(state.suspects)
    step.stale |= set(state.suspects)
    return RunOutcome(transitions=tuple(judge_stale(step, all_of_them=True)))


def verdict_of(
    state: ProjectState,
    test_id: int,
    now: datetime,
    thresholds: Thresholds,
    q_table: QTable = SHIPPED,
) -> Verdict:
    """What is believed now; a pure function of the facts, whatever order they came in."""
    return judge(state, test_id, seconds(now), thresholds, q_table)
