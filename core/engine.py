"""The incremental engine: facts go in run by run, verdicts come out, and nothing depends on the order of arrival."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from core.classify import evidence_of, in_known_break
from core.detection_state import Dump, ProjectState
from core.evidence import Bucket, EvidenceClass, QTable
from core.execution import FailedExecution, Merge, PastExecution, RunResults
from core.isolation import (
    ALIKE_TESTS,
    ALIKE_WITHIN,
    SIGNATURE_LASTS,
    bucket_of,
    fresh_failures,
    is_mass,
    reading,
    reread,
)
from core.judge import Moment, judge, quick_case_of, state_of
from core.ledger import DAY, DAYS_KEPT, Execution, FailureFacts
from core.q_table import SHIPPED
from core.run import Run, Trust
from core.surroundings import SIGNATURES_KEPT, MergeFact, Outage
from core.suspect import Suspect
from core.thresholds import Thresholds
from core.verdict import FailureVerdict, TestState, Transition, Verdict

__all__ = ["Dump", "History", "ProjectState", "RunOutcome", "apply_merge", "apply_run", "sweep", "verdict_of"]

History = Callable[[int], Iterable[PastExecution]]
"""All stored executions of a test within `ledger.DAYS_KEPT` days, in any order; the current run may be among them."""

PEERS_KEPT = 24
SAMPLE_KEPT = 64
FOLLOWED_AT_MOST = 40
"""In a larger mass failure no test is followed: it proves nothing of any of them."""
REMEMBER_LONGER = 14
"""Days beyond the window: a failure that left it may still explain one within."""
FORGET_VICTIM_AFTER = 4 * DAY
"""A test that only ever failed together with many others need not be followed for long."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What one run (or merge, or the passing of time) changed."""

    transitions: tuple[Transition, ...] = ()
    failures: Mapping[int, FailureVerdict] = field(default_factory=dict)
    mass_failure: bool = False
    fresh_failures: int = 0


@dataclass(slots=True)
class _Step:
    """The moment at which something is learnt, and by which numbers it is judged."""

    state: ProjectState
    now: int
    thresholds: Thresholds
    q_table: QTable
    changed: set[int] = field(default_factory=set)
    """Tests with new facts."""
    stale: set[int] = field(default_factory=set)
    """Tests whose verdict may be another now."""


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
    step = _Step(state, max(at, state.surroundings.latest), thresholds, q_table)
    if not _counts(run, thresholds):
        return RunOutcome(failures=_foreign_verdicts(step, results))
    place = _placed(run, run_ref, thresholds)
    _see_surroundings(step, run, place)
    followed = _see_failures(step, run, place, results, history)
    if not run.partial:
        _see_passes(step, place, results, history)
    transitions = [*_judge_stale(step), *_daily_sweep(step)]
    return _outcome(step, place, results, followed, transitions)


def apply_merge(
    state: ProjectState, merge: Merge, *, thresholds: Thresholds, q_table: QTable = SHIPPED
) -> RunOutcome:
    """Learn that a pull request was merged."""
    at = seconds(merge.at)
    step = _Step(state, max(at, state.surroundings.latest), thresholds, q_table)
    branch = digest(merge.branch)
    state.surroundings.see_merge(MergeFact(branch, digest(merge.commit), digest(merge.into_commit), at))
    state.touch_surroundings()
    step.stale |= state.by_branch.get(branch, set())
    return RunOutcome(transitions=tuple(_judge_stale(step)))


def sweep(
    state: ProjectState, now: datetime, *, thresholds: Thresholds, q_table: QTable = SHIPPED
) -> RunOutcome:
    """Let time pass: evidence leaves the window, tests recover or retire, forgotten suspects are dropped."""
    step = _Step(state, max(seconds(now), state.surroundings.latest), thresholds, q_table)
    return RunOutcome(transitions=tuple(_sweep(step)))


def verdict_of(
    state: ProjectState,
    test_id: int,
    now: datetime,
    thresholds: Thresholds,
    q_table: QTable = SHIPPED,
) -> Verdict:
    """What is believed now; a pure function of the facts, whatever order they came in."""
    return judge(state, test_id, seconds(now), thresholds, q_table)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


@lru_cache(maxsize=65_536)
def digest(text: str) -> int:
    """A name as a signed 64-bit number, 0 for an empty one."""
    return (
        int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)
        if text
        else 0
    )


def _counts(run: Run, t: Thresholds) -> bool:
    """Forks inform their own pull request only; ignored branches nobody."""
    return run.trust is not Trust.FORK and t.counts_branch(run.branch)


def on_trunk(run: Run, t: Thresholds) -> bool:
    return run.trust is Trust.TRUNK and run.branch == t.default_branch


def _placed(run: Run, run_ref: int, t: Thresholds) -> Execution:
    """The run as a passing execution: the pattern all executions of its tests are cut from."""
    trunk = on_trunk(run, t)
    return Execution(
        at=seconds(run.at),
        key=digest(f"{run.run_id}\0{run.attempt}\0{run.job}\0{run.variant}"),
        run=run_ref,
        commit=digest(run.commit),
        lane=digest(f"{run.job}\0{run.variant}"),
        branch=0 if trunk else digest(run.branch) or digest(f"pr\0{run.pr}"),
        base=0 if trunk else digest(run.base),
        passed=True,
    )


def _with(place: Execution, *, passed: bool, failure: FailureFacts | None) -> Execution:
    p = place
    return Execution(p.at, p.key, p.run, p.commit, p.lane, p.branch, p.base, passed, failure)


def _see_surroundings(step: _Step, run: Run, place: Execution) -> None:
    around = step.state.surroundings
    around.latest = max(around.latest, place.at)
    if not run.partial:
        around.see_report(place.lane, place.at)
    if place.trunk:
        before = around.place(place.commit)
        late = before is None or place.at < before
        if late and any(place.at < at < (before or step.now + 1) for at in around.commits.values()):
            step.state.forget_readings(step.state.suspects)  # a late commit found its place among others
            step.stale |= set(step.state.suspects)
        if around.see_commit(place.commit, place.at):
            step.state.forget_readings(step.state.suspects)
        if before is None and (waiting := step.state.by_base.get(place.commit)):
            step.stale |= waiting
            step.state.forget_readings(waiting)
    step.state.touch_surroundings()


def _see_failures(
    step: _Step, run: Run, place: Execution, results: RunResults, history: History
) -> list[int]:
    """Learn the failing executions; gives the tests that are followed."""
    failures = [f for f in results.failures if not (f.ambiguous and not f.final.bad)]
    if not failures:
        return []
    signatures = Counter(_signature(f) for f in failures)
    if is_mass(len(failures), results.tests, step.thresholds):
        _see_outage(step, place, run, results, failures, signatures)
        if len(failures) > FOLLOWED_AT_MOST:
            return []
    group = digest(f"{run.run_id}\0{run.attempt}")
    ids = sorted(f.test_id for f in failures)
    for failed in failures:
        facts = _facts(run, results, failed, signatures, ids, group)
        execution = _with(place, passed=not failed.final.bad and not run.partial, failure=facts)
        _learn_failure(step, failed.test_id, execution, history)
    return ids


def _signature(failed: FailedExecution) -> int:
    mark = failed.fingerprint
    return int.from_bytes(mark[:8].ljust(8, b"\0"), signed=True) if mark else 0


def _facts(
    run: Run,
    results: RunResults,
    failed: FailedExecution,
    signatures: Counter[int],
    ids: Sequence[int],
    group: int,
) -> FailureFacts:
    signature = _signature(failed)
    return FailureFacts(
        commit_name=run.commit,
        fingerprint=signature,
        attempts=len(failed.attempts),
        failed_attempts=sum(a.outcome.bad for a in failed.attempts),
        ambiguous=failed.ambiguous,
        tests=max(results.tests, len(ids)),
        failing=len(ids),
        alike=signatures[signature] if signature else 1,
        peers=_sample(
            [i for i in ids if i != failed.test_id] if len(ids) <= SAMPLE_KEPT else ids, PEERS_KEPT
        ),
        group=group,
    )


def _sample(ids: Sequence[int], size: int) -> tuple[int, ...]:
    """Evenly spread, so that one file's tests do not stand for all."""
    if len(ids) <= size:
        return tuple(ids)
    return tuple(ids[i * len(ids) // size] for i in range(size))


def _see_outage(
    step: _Step,
    place: Execution,
    run: Run,
    results: RunResults,
    failures: Sequence[FailedExecution],
    signatures: Counter[int],
) -> None:
    shared = sorted((-n, mark) for mark, n in signatures.items() if mark and n > 1)
    outage = Outage(
        key=place.key,
        at=place.at,
        group=digest(f"{run.run_id}\0{run.attempt}"),
        tests=max(results.tests, len(failures)),
        failing=len(failures),
        sample=_sample(sorted(f.test_id for f in failures), SAMPLE_KEPT),
        signatures=tuple(mark for _, mark in shared[:SIGNATURES_KEPT]),
    )
    step.state.surroundings.see_outage(outage)
    for mark in outage.signatures:
        since, until = place.at - SIGNATURE_LASTS, place.at + SIGNATURE_LASTS
        step.stale |= step.state.alike(mark, since, until)


def _learn_failure(step: _Step, test_id: int, execution: Execution, history: History) -> None:
    state = step.state
    suspect = state.suspects.get(test_id)
    if suspect is None:
        suspect = state.follow(test_id)
        suspect.rebuild([*_past(step, history(test_id)), execution])
    elif suspect.knows(execution):
        return
    elif not suspect.add(execution):
        suspect.rebuild([*_past(step, history(test_id)), execution])
    failure = suspect.failure_at(execution)
    if failure is not None:
        state.index(test_id, failure)
    _unsettle(step, test_id, execution)


def _unsettle(step: _Step, test_id: int, execution: Execution) -> None:
    """A new failure changes what its test's, its report's and its message's other failures mean."""
    state, facts = step.state, execution.failure
    assert facts is not None
    state.touch(test_id)
    step.changed.add(test_id)
    step.stale |= state.by_group.get(facts.group, set())
    if facts.fingerprint:
        near = state.alike(facts.fingerprint, execution.at - ALIKE_WITHIN, execution.at + ALIKE_WITHIN)
        if len(near) == ALIKE_TESTS:
            step.stale |= near


def _past(step: _Step, executions: Iterable[PastExecution]) -> list[Execution]:
    """Passing executions only: failures are remembered by the suspect itself, in full."""
    since = step.now - DAYS_KEPT * DAY
    return [
        _placed(past.run, past.run_ref, step.thresholds)
        for past in executions
        if past.clean
        and not past.outcome.bad
        and past.outcome.value == "passed"
        and not past.run.partial
        and seconds(past.run.at) > since
        and _counts(past.run, step.thresholds)
    ]


def _see_passes(step: _Step, place: Execution, results: RunResults, history: History) -> None:
    state = step.state
    ids = state.suspect_ids()
    if not len(ids) or not len(results.passed):
        return
    passed = np.asarray(results.passed, np.int64)
    found = np.minimum(np.searchsorted(passed, ids), len(passed) - 1)
    execution = _with(place, passed=True, failure=None)
    for test_id in ids[passed[found] == ids].tolist():
        _learn_pass(step, test_id, execution, history)


def _learn_pass(step: _Step, test_id: int, execution: Execution, history: History) -> None:
    state = step.state
    suspect = state.suspects[test_id]
    if suspect.knows(execution):
        return
    before = suspect.facts_version
    if not suspect.add(execution):
        suspect.rebuild([*_past(step, history(test_id)), execution])
    state.touch(test_id)
    if suspect.facts_version != before:
        step.changed.add(test_id)
    elif suspect.live.clean_streak >= state.recheck.get(test_id, 0):
        step.stale.add(test_id)


def _judge_stale(step: _Step) -> list[Transition]:
    for test_id in step.changed:
        for group in reread(step.state, test_id):
            step.stale |= step.state.by_group.get(group, set())
    stale = sorted(step.stale | step.changed)
    step.stale, step.changed = set(), set()
    return [change for test_id in stale if (change := _rejudge(step, test_id))]


def _rejudge(step: _Step, test_id: int) -> Transition | None:
    """Judge again and tell what changed; only the state is worked out, not the whole verdict."""
    state = step.state
    case = quick_case_of(state, test_id, step.thresholds, step.q_table)
    now = max(step.now, case.ledger.last_seen)
    moment = case.present(now)
    belief = moment.belief()
    name, _ = state_of(state, case, now, belief)
    confirmed = name is TestState.FLAKY and case.confirmable(moment)
    state.recheck[test_id] = case.ledger.clean_streak + _patience(moment, name)
    suspect = state.suspects[test_id]
    before = suspect.told
    if name is before and confirmed == suspect.told_confirmed:
        return None
    suspect.told, suspect.told_confirmed = name, confirmed
    state.touch(test_id)
    return Transition(
        test_id,
        datetime.fromtimestamp(step.now, UTC),
        before,
        name,
        belief.score,
        confirmed,
        step.thresholds.version,
    )


FOREVER = 1 << 40


def _patience(moment: Moment, name: TestState) -> int:
    """How many clean runs from now may change the state."""
    match name:
        case TestState.FLAKY:
            return clean_runs_until(moment, moment.thresholds.clear_at)
        case TestState.SUSPECT:
            return clean_runs_until(moment, moment.thresholds.suspect_at)
        case TestState.INSUFFICIENT:
            return max(1, moment.thresholds.minimum_runs - moment.runs)
        case _:
            return FOREVER


def clean_runs_until(moment: Moment, line: float) -> int:
    """Clean runs after which the score is at or below `line`, found by doubling and halving."""
    low, high = 0, 1
    while moment.belief(more_clean=high).score > line:
        low, high = high, high * 2
        if high > 1 << 20:
            return FOREVER
    while high - low > 1:
        middle = (low + high) // 2
        if moment.belief(more_clean=middle).score > line:
            low = middle
        else:
            high = middle
    return high


def _daily_sweep(step: _Step) -> list[Transition]:
    around = step.state.surroundings
    if around.swept and step.now // DAY <= around.swept // DAY:
        return []
    return _sweep(step)


def _sweep(step: _Step) -> list[Transition]:
    state = step.state
    state.surroundings.swept = step.now
    state.touch_surroundings()
    for test_id, suspect in list(state.suspects.items()):
        if _forgettable(step, suspect):
            state.drop(test_id)
        elif suspect.restless or step.now - suspect.live.last_seen > step.thresholds.retire_after_days * DAY:
            step.stale.add(test_id)
    return _judge_stale(step)


def _forgettable(step: _Step, suspect: Suspect) -> bool:
    """Nothing it did counts any more, and nothing was told of it that must be taken back."""
    silent = step.now - suspect.last_failed_at
    if not suspect.settled or silent <= FORGET_VICTIM_AFTER:
        return False
    victim = all(is_mass(f.facts.failing, f.facts.tests, step.thresholds) for f in suspect.live.failures)
    return victim or silent > (step.thresholds.window_days + REMEMBER_LONGER) * DAY


def _outcome(
    step: _Step,
    place: Execution,
    results: RunResults,
    followed: Sequence[int],
    transitions: Sequence[Transition],
) -> RunOutcome:
    seen = set(followed)
    verdicts = {
        f.test_id: _class_in_run(step, f.test_id, place) if f.test_id in seen else FailureVerdict.INFRA
        for f in results.failures
    }
    fresh, mass = fresh_failures(step.state, place, followed, step.thresholds)
    if place.key in step.state.surroundings.outages and not followed:
        fresh, mass = len(results.failures), True
    return RunOutcome(tuple(transitions), verdicts, mass, fresh)


def _class_in_run(step: _Step, test_id: int, place: Execution) -> FailureVerdict:
    state, suspect = step.state, step.state.suspects[test_id]
    index = suspect.index_of(place)
    if index is None:
        return FailureVerdict.NEW
    if bucket_of(state, test_id, index, step.thresholds)[0] is Bucket.MASS:
        return FailureVerdict.INFRA
    failure = suspect.live.failures[index]
    red = reading(state, test_id).base_red[index] or in_known_break(suspect.live, failure)
    if suspect.told is TestState.BROKEN or (red and not failure.retried):
        return FailureVerdict.BROKEN
    if suspect.told is TestState.FLAKY or _known_signature(step, test_id, index):
        return FailureVerdict.KNOWN_FLAKY
    return FailureVerdict.NEW


def _known_signature(step: _Step, test_id: int, index: int) -> bool:
    pieces = evidence_of(step.state, test_id, step.thresholds, step.q_table)
    return pieces[index].kind is EvidenceClass.KNOWN_SIGNATURE


def _foreign_verdicts(step: _Step, results: RunResults) -> dict[int, FailureVerdict]:
    """A fork's failures are compared with what is known, and teach nothing."""
    return {f.test_id: _known(step, f.test_id) for f in results.failures}


def _known(step: _Step, test_id: int) -> FailureVerdict:
    if test_id not in step.state.suspects:
        return FailureVerdict.NEW
    name = step.state.suspects[test_id].told
    if name is TestState.BROKEN:
        return FailureVerdict.BROKEN
    return FailureVerdict.KNOWN_FLAKY if name is TestState.FLAKY else FailureVerdict.NEW
