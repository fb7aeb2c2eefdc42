"""Ingest: store a run once, score it, propose what it confirmed, and answer with the verdict of each failure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from core.engine import RunOutcome, apply_run
from core.errors import ConflictError
from core.execution import AttemptFact, FailedExecution, PastExecution, RunResults
from core.fingerprint import fingerprint, first_line
from core.ledger import DAYS_KEPT
from core.quarantine import Quarantine
from core.report import CaseResult, SuiteError
from core.run import Run
from core.tenancy import Project
from core.verdict import FailureVerdict, TestState
from jobs.answer import QUARANTINED, FailureAnswer
from jobs.answer import IngestAnswer as IngestAnswer  # noqa: PLC0414 - part of this module's interface
from jobs.desk import Desk
from jobs.respond import respond, tell_quarantines
from jobs.score import Scoring, close_scoring, open_scoring
from storage.database import Tx
from storage.detection import find_detection
from storage.failure import StoredFailure
from storage.project import get_project
from storage.quarantine import in_force
from storage.result import StoredRun, get_run, mark_run, past, store_run

log = structlog.get_logger(__name__)

RunKey = tuple[str, int, str, str]


def ingest_report(
    desk: Desk,
    project_id: int,
    run: Run,
    cases: Iterable[CaseResult],
    *,
    dialect: str = "",
    warnings: Sequence[str] = (),
    suite_errors: Sequence[SuiteError] = (),
) -> IngestAnswer:
    """Store, score and answer in one transaction. ConflictError: the same run with other content is stored."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        stored = store_run(
            tx, project.id, run, cases, fingerprint=fingerprint, now=now, warnings=warnings, dialect=dialect
        )
        if stored.status == "conflict":
            raise _conflict(run)
        # Only a stream that was read to its end tells whether it was cut short.
        run = replace(run, partial=stored.partial)
        if stored.status == "duplicate":
            return _answer_again(tx, project, run, stored, suite_errors)
        outcome, proposed = _score(tx, desk, project, run, stored, now=now)
        answer = IngestAnswer(
            run=run,
            run_pk=stored.run_pk,
            duplicate=False,
            counts=dict(stored.counts),
            failures=_answers(tx, project, stored.failures, outcome),
            warnings=stored.warnings,
            suite_errors=tuple(suite_errors),
            infra=outcome.mass_failure,
            proposed=[one.name for one in proposed],
            unlisted=stored.more_failures,
        )
    log.info("run.ingested", project=project.repo, run=run.run_id, tests=stored.total, infra=answer.infra)
    if outcome.transitions or outcome.failures:  # else there is nothing new to say
        desk.dispatch.wake("publish")
    return answer


def _conflict(run: Run) -> ConflictError:
    return ConflictError(
        f"Run {run.run_id} (attempt {run.attempt}, job {run.job or '-'}) is already stored with other results; "
        "give a re-run its own attempt, a matrix cell its own job or variant.",
        run_id=run.run_id,
    )


def _score(
    tx: Tx, desk: Desk, project: Project, run: Run, stored: StoredRun, *, now: datetime
) -> tuple[RunOutcome, list[Quarantine]]:
    scoring = open_scoring(tx, desk.scores, project)
    outcome = learn(tx, scoring, run, stored)
    close_scoring(tx, desk.scores, scoring, now=run.at)
    if outcome.mass_failure:
        mark_run(tx, project.id, stored.run_pk, infra=True)
    else:
        tell_quarantines(tx, project, run, stored.failures, now=now)
    return outcome, respond(tx, scoring, outcome, now=now)


def learn(
    tx: Tx, scoring: Scoring, run: Run, stored: StoredRun, *, unlearnt: Iterable[RunKey] = ()
) -> RunOutcome:
    """Let the engine see one stored run; runs stored with it and still `unlearnt` are not yet its past."""
    since, hidden = run.at - timedelta(days=DAYS_KEPT), frozenset(unlearnt)

    def history(test_id: int) -> Iterator[PastExecution]:
        stored_past = past(tx, scoring.project.id, test_id, since=since)
        return (one for one in stored_past if key_of(one.run) not in hidden)

    outcome = apply_run(
        scoring.state,
        run,
        results_of(stored),
        run_ref=stored.run_pk,
        thresholds=scoring.thresholds,
        history=history,
        q_table=scoring.q_table,
    )
    scoring.learnt(outcome)
    return outcome


def key_of(run: Run) -> RunKey:
    """What makes it this run and no other."""
    return run.run_id, run.attempt, run.job, run.variant


def results_of(stored: StoredRun) -> RunResults:
    """What the engine needs of a stored run."""
    return RunResults(
        tests=stored.total, passed=stored.passed_ids, failures=[_execution(one) for one in stored.failures]
    )


def _execution(failure: StoredFailure) -> FailedExecution:
    pairs = zip(failure.attempts, failure.fingerprints, strict=True)
    return FailedExecution(
        failure.test_id,
        tuple(AttemptFact(attempt.outcome, mark) for attempt, mark in pairs),
        ambiguous=failure.ambiguous,
    )


def _answers(
    tx: Tx, project: Project, failures: Iterable[StoredFailure], outcome: RunOutcome
) -> list[FailureAnswer]:
    failed = [one for one in failures if one.attempts[-1].outcome.bad]
    covered = in_force(tx, project.id, {one.test_id for one in failed}) if failed else {}
    return [_answer(one, outcome.failures.get(one.test_id), covered) for one in failed]


def _answer(
    failure: StoredFailure, thought: FailureVerdict | None, covered: dict[int, Quarantine]
) -> FailureAnswer:
    quarantine = covered.get(failure.test_id)
    verdict = QUARANTINED if quarantine else (thought or FailureVerdict.NEW).value
    message = next((one.message for one in reversed(failure.attempts) if one.message), "")
    name = quarantine.name if quarantine else ""
    return FailureAnswer(failure.test_id, failure.key, verdict, first_line(message), name)


def _answer_again(
    tx: Tx, project: Project, run: Run, stored: StoredRun, suite_errors: Sequence[SuiteError]
) -> IngestAnswer:
    """A second upload of the same run changes nothing and is told what is thought now."""
    infra = get_run(tx, project.id, stored.run_pk).infra
    thoughts = {
        one.test_id: FailureVerdict.INFRA if infra else thought_now(tx, project, one.test_id)
        for one in stored.failures
    }
    return IngestAnswer(
        run=run,
        run_pk=stored.run_pk,
        duplicate=True,
        counts=dict(stored.counts),
        failures=_answers(tx, project, stored.failures, RunOutcome(failures=thoughts)),
        warnings=stored.warnings,
        suite_errors=tuple(suite_errors),
        infra=infra,
        unlisted=stored.more_failures,
    )


def thought_now(tx: Tx, project: Project, test_id: int) -> FailureVerdict:
    """What a failure of this test means by the stored verdict."""
    found = find_detection(tx, project.id, test_id)
    match found.state if found else "":
        case TestState.FLAKY.value:
            return FailureVerdict.KNOWN_FLAKY
        case TestState.BROKEN.value:
            return FailureVerdict.BROKEN
        case _:
            return FailureVerdict.NEW
