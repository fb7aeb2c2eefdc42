"""Ingest: store a run once, score it, propose what it confirmed, and answer with the verdict of each failure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from core.engine import RunOutcome, apply_run
from core.errors import ConflictError
from core.execution import AttemptFact, FailedExecution, RunResults
from core.fingerprint import fingerprint, first_line
from core.ledger import DAYS_KEPT
from core.quarantine import Quarantine
from core.report import CaseResult, SuiteError, TestKey
from core.run import Run
from core.tenancy import Project
from core.verdict import FailureVerdict, TestState
from jobs.announce import note_in_thread
from jobs.desk import Desk
from jobs.propose import propose_confirmed, withdraw_settled
from jobs.explain import explain_test
from jobs.score import Scoring, close_scoring, open_scoring, past_of
from storage.database import Tx
from storage.detection import find_detection
from storage.failure import StoredFailure
from storage.project import get_project
from storage.quarantine import in_force
from storage.result import StoredRun, mark_run, store_run
from storage.test_case import get_test

log = structlog.get_logger(__name__)

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

    @property
    def all_failures_quarantined(self) -> bool:
        """True when something failed and a quarantine in force covers every single failure."""
        covered = all(one.verdict == QUARANTINED for one in self.failures)
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
            raise ConflictError(
                f"Run {run.run_id} (attempt {run.attempt}, job {run.job or '-'}) is already stored with other results; "
                "give a re-run its own --attempt, or a matrix cell its own --job or --variant.",
                run_id=run.run_id,
            )
        if stored.status == "duplicate":
            return _answer_again(tx, project, run, stored, warnings=warnings, suite_errors=suite_errors)
        outcome, proposed = _score(tx, desk, project, run, stored, now=now)
        covered = in_force(tx, project.id)
        _raise_flags(tx, stored, covered, now=now)
        answer = IngestAnswer(
            run=run,
            run_pk=stored.run_pk,
            duplicate=False,
            counts=dict(stored.counts),
            failures=_answers(stored.failures, outcome, covered),
            warnings=warnings,
            suite_errors=suite_errors,
            infra=outcome.mass_failure,
            proposed=[one.name for one in proposed],
        )
    log.info("run.ingested", project=project.repo, run=run.run_id, tests=stored.total, infra=answer.infra)
    if proposed:
        desk.dispatch.wake("publish")
    return answer


def _score(
    tx: Tx, desk: Desk, project: Project, run: Run, stored: StoredRun, *, now: datetime
) -> tuple[RunOutcome, list[Quarantine]]:
    scoring = open_scoring(tx, desk.scores, project)
    outcome = learn(tx, scoring, run, stored)
    close_scoring(tx, desk.scores, scoring, now=run.at)
    if outcome.mass_failure:
        mark_run(tx, project.id, stored.run_pk, infra=True)
    return outcome, act_on(tx, scoring, outcome, now=now)


def learn(tx: Tx, scoring: Scoring, run: Run, stored: StoredRun) -> RunOutcome:
    """Let the engine see one stored run."""
    since = run.at - timedelta(days=DAYS_KEPT)
    outcome = apply_run(
        scoring.state,
        run,
        results_of(stored),
        run_ref=stored.run_pk,
        thresholds=scoring.thresholds,
        history=lambda test_id: past_of(tx, scoring.project.id, test_id, since),
    )
    scoring.learnt(outcome)
    return outcome


def results_of(stored: StoredRun) -> RunResults:
    """What the engine needs of a stored run."""
    return RunResults(
        tests=stored.total, passed=stored.passed_ids, failures=[_execution(one) for one in stored.failures]
    )


def act_on(tx: Tx, scoring: Scoring, outcome: RunOutcome, *, now: datetime) -> list[Quarantine]:
    """Propose what has just been confirmed; take back proposals whose reason is gone."""
    confirmed, settled = {}, {}
    for one in outcome.transitions:
        if one.after is TestState.FLAKY and one.confirmed:
            test = get_test(tx, scoring.project.id, one.test_id)
            confirmed[one.test_id] = explain_test(tx, scoring.project, test, now, scoring.state)
        elif one.after in WITHDRAWN_BY:
            settled[one.test_id] = WITHDRAWN_BY[one.after]
    withdraw_settled(tx, scoring.project, settled, now=now)
    return propose_confirmed(tx, scoring.project, confirmed, now=now) if confirmed else []


WITHDRAWN_BY = {
    TestState.BROKEN: "It fails every time now: broken, not flaky.",
    TestState.RECOVERED: "It has stopped failing.",
    TestState.HEALTHY: "It has stopped failing.",
    TestState.RETIRED: "It has not been seen in recent runs.",
}


def _execution(failure: StoredFailure) -> FailedExecution:
    pairs = zip(failure.attempts, failure.fingerprints, strict=True)
    return FailedExecution(
        failure.test_id,
        tuple(AttemptFact(attempt.outcome, mark) for attempt, mark in pairs),
        ambiguous=failure.ambiguous,
    )


def _answers(
    failures: Iterable[StoredFailure], outcome: RunOutcome, covered: dict[int, Quarantine]
) -> list[FailureAnswer]:
    return [_answer(one, outcome.failures.get(one.test_id), covered) for one in failures if _failed(one)]


def _failed(failure: StoredFailure) -> bool:
    return failure.attempts[-1].outcome.bad


def _answer(
    failure: StoredFailure, thought: FailureVerdict | None, covered: dict[int, Quarantine]
) -> FailureAnswer:
    quarantine = covered.get(failure.test_id)
    verdict = QUARANTINED if quarantine else (thought or FailureVerdict.NEW).value
    message = next((one.message for one in reversed(failure.attempts) if one.message), "")
    name = quarantine.name if quarantine else ""
    return FailureAnswer(failure.test_id, failure.key, verdict, first_line(message), name)


def _answer_again(
    tx: Tx,
    project: Project,
    run: Run,
    stored: StoredRun,
    *,
    warnings: Sequence[str],
    suite_errors: Sequence[SuiteError],
) -> IngestAnswer:
    """A second upload of the same run changes nothing and is told what is thought now."""
    thoughts = {one.test_id: thought_now(tx, project, one.test_id) for one in stored.failures}
    return IngestAnswer(
        run=run,
        run_pk=stored.run_pk,
        duplicate=True,
        counts=dict(stored.counts),
        failures=_answers(stored.failures, RunOutcome(failures=thoughts), in_force(tx, project.id)),
        warnings=warnings,
        suite_errors=suite_errors,
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


def _raise_flags(tx: Tx, stored: StoredRun, covered: dict[int, Quarantine], *, now: datetime) -> None:
    """A quarantined test that fails in another way than approved is said in its thread, once per way."""
    for failure in filter(_failed, stored.failures):
        quarantine = covered.get(failure.test_id)
        mark = next((one.hex() for one in reversed(failure.fingerprints) if one), "")
        if quarantine is None or not mark or not quarantine.fingerprints or mark in quarantine.fingerprints:
            continue
        message = next((one.message for one in reversed(failure.attempts) if one.message), "")
        payload = {"text": "It now fails in another way than the one approved.", "quote": first_line(message)}
        note_in_thread(tx, quarantine, fact=f"other-{mark}", payload=payload, now=now)
