"""Take in the facts of a run: surroundings, failures, passes of suspects."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.execution import FailedExecution, PastExecution, RunResults
from core.isolation import ALIKE_TESTS, ALIKE_WITHIN, SIGNATURE_LASTS, is_mass
from core.known import ECHOES_WITHIN
from core.ledger import DAY, DAYS_KEPT, Execution, FailureFacts
from core.placing import counts, digest, placed, seconds, with_result
from core.report import Outcome
from core.run import Run
from core.step import History, Step
from core.surroundings import SIGNATURES_KEPT, Outage

PEERS_KEPT = 24
SAMPLE_KEPT = 64
FOLLOWED_AT_MOST = 40
"""In a larger mass failure no test is followed: it proves nothing of any of them."""


def see_surroundings(step: Step, run: Run, place: Execution) -> None:
    """Learn what the run says of the project as a whole."""
    around = step.state.surroundings
    around.latest = max(around.latest, place.at)
    if not run.partial:
        around.see_report(place.lane, place.at)
    if place.trunk:
        _see_commit(step, place)
    step.state.touch_surroundings()


def _see_commit(step: Step, place: Execution) -> None:
    state, around = step.state, step.state.surroundings
    before = around.place(place.commit)
    if before is None and (waiting := state.by_base.get(place.commit)):
        step.stale |= waiting
        state.forget_readings(waiting)
    if around.moves(place.commit, place.at):
        step.stale |= set(state.suspects)
        state.forget_readings(state.suspects)
    if around.see_commit(place.commit, place.at):
        state.forget_readings(state.suspects)


def see_failures(step: Step, run: Run, place: Execution, results: RunResults, history: History) -> list[int]:
    """Learn the failing executions; gives the tests that are followed."""
    report = _report_of(run, results)
    if not report.ids:
        return []
    if is_mass(len(report.ids), report.tests, step.thresholds):
        _see_outage(step, place, report)
        if len(report.ids) > FOLLOWED_AT_MOST:
            return []
    for failed in report.failures:
        passed = (failed.recovered or not failed.final.bad) and not run.partial
        execution = with_result(place, passed=passed, failure=_facts(report, failed))
        _learn_failure(step, failed.test_id, execution, history)
    return list(report.ids)


@dataclass(frozen=True, slots=True)
class _Report:
    """The failing side of a report, in the terms of facts."""

    commit: str
    group: int
    tests: int
    failures: Sequence[FailedExecution]
    ids: Sequence[int]
    signatures: Counter[int]


def _report_of(run: Run, results: RunResults) -> _Report:
    failures = [f for f in results.failures if not (f.ambiguous and not f.final.bad)]
    return _Report(
        commit=run.commit,
        group=digest(f"{run.run_id}\0{run.attempt}\0{run.variant}"),
        tests=max(results.tests, len(failures)),
        failures=failures,
        ids=sorted(f.test_id for f in failures),
        signatures=Counter(_signature(f) for f in failures),
    )


def _signature(failed: FailedExecution) -> int:
    mark = failed.fingerprint
    return int.from_bytes(mark[:8].ljust(8, b"\0"), signed=True) if mark else 0


def _facts(report: _Report, failed: FailedExecution) -> FailureFacts:
    signature = _signature(failed)
    return FailureFacts(
        commit_name=report.commit,
        fingerprint=signature,
        attempts=len(failed.attempts),
        failed_attempts=sum(a.outcome.bad for a in failed.attempts),
        ambiguous=failed.ambiguous,
        tests=report.tests,
        failing=len(report.ids),
        alike=report.signatures[signature] if signature else 1,
        peers=_sample(report.ids, PEERS_KEPT) if len(report.ids) > 1 else (),
        group=report.group,
    )


def _sample(ids: Sequence[int], size: int) -> tuple[int, ...]:
    """Evenly spread, so that one file's tests do not stand for all."""
    if len(ids) <= size:
        return tuple(ids)
    return tuple(ids[i * len(ids) // size] for i in range(size))


def _see_outage(step: Step, place: Execution, report: _Report) -> None:
    shared = sorted((-n, mark) for mark, n in report.signatures.items() if mark and n > 1)
    outage = Outage(
        key=place.key,
        at=place.at,
        group=report.group,
        tests=report.tests,
        failing=len(report.ids),
        sample=_sample(report.ids, SAMPLE_KEPT),
        signatures=tuple(mark for _, mark in shared[:SIGNATURES_KEPT]),
    )
    step.state.see_outage(outage)
    for mark in outage.signatures:
        since, until = place.at - SIGNATURE_LASTS, place.at + SIGNATURE_LASTS
        step.stale |= step.state.alike(mark, since, until)


def _learn_failure(step: Step, test_id: int, execution: Execution, history: History) -> None:
    state = step.state
    suspect = state.suspects.get(test_id)
    if suspect is None:
        suspect = state.follow(test_id)
        suspect.rebuild([*_past(step, history(test_id)), execution])
    elif suspect.knows(execution):
        return
    elif not suspect.add(execution):
        suspect.rebuild([*_past(step, history(test_id)), execution])
    state.index(test_id)
    _unsettle(step, test_id, execution)


def _unsettle(step: Step, test_id: int, execution: Execution) -> None:
    """A new failure changes what its test's, its report's and its message's other failures mean."""
    state, facts = step.state, execution.failure
    assert facts is not None
    state.touch(test_id)
    step.changed.add(test_id)
    step.stale |= state.by_group.get(facts.group, set())
    if facts.fingerprint:
        for within, tests in ((ALIKE_WITHIN, ALIKE_TESTS), (ECHOES_WITHIN, 2)):
            near = state.alike(facts.fingerprint, execution.at - within, execution.at + within, most=tests)
            if len(near) == tests:
                step.stale |= near


def _past(step: Step, executions: Iterable[PastExecution]) -> list[Execution]:
    """Passing executions only: failures are remembered by the suspect itself, in full."""
    since = step.now - DAYS_KEPT * DAY
    return [
        placed(past.run, past.run_ref, step.thresholds)
        for past in executions
        if past.clean
        and past.outcome is Outcome.PASSED
        and not past.run.partial
        and seconds(past.run.at) > since
        and counts(past.run, step.thresholds)
    ]


def see_passes(step: Step, place: Execution, results: RunResults, history: History) -> None:
    state = step.state
    ids = state.suspect_ids()
    if not len(ids) or not len(results.passed):
        return
    passed = np.asarray(results.passed, np.int64)
    found = np.minimum(np.searchsorted(passed, ids), len(passed) - 1)
    execution = with_result(place, passed=True, failure=None)
    tests = ids[passed[found] == ids].tolist()
    state.note_passes(
        execution, [test_id for test_id in tests if _learn_pass(step, test_id, execution, history)]
    )


def _learn_pass(step: Step, test_id: int, execution: Execution, history: History) -> bool:
    """True when the pass was only added to what is known of the test."""
    state = step.state
    suspect = state.suspects[test_id]
    if suspect.knows(execution):
        return False
    before, newest = suspect.facts_version, not suspect.tail or execution.order > suspect.tail[-1].order
    plain = newest and execution.at > suspect.last_failed_at and not suspect.live.breaking
    if not suspect.add(execution):
        suspect.rebuild([*_past(step, history(test_id)), execution])
    if not newest:
        state.touch(test_id)
    if suspect.facts_version != before:
        if execution.at == suspect.last_failed_at:
            state.doubt_reading(test_id)  # it may answer, or come between, failures of this very second
        # A later pass may answer failures, but neither began them nor ended a breakage: they read as before.
        (step.stale if plain else step.changed).add(test_id)
    elif suspect.live.clean_streak >= state.recheck.get(test_id, 0):
        step.stale.add(test_id)
    return newest
