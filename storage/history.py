"""A test's past, unpacked from the runs of its jobs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.codes import AMBIGUOUS, RETRIED, clean, outcome_of
from core.execution import PastExecution
from core.report import Attempt, Outcome
from core.run import Run
from storage.database import Tx
from storage.failure import FailureRecord, failures_of_tests
from storage.packed import PackedResult, Window, packed_results
from storage.test_alias import canonical, names_of
from storage.test_run import runs_by_pk


@dataclass(frozen=True, slots=True)
class Execution:
    """One test in one run. Durations of plain passes are within 5 %; failing and retried ones are exact."""

    run: Run
    run_pk: int
    outcome: Outcome
    duration: float | None
    attempts: tuple[Attempt, ...]
    fingerprint: bytes | None = None
    """Of the first failing attempt."""
    message: str | None = None
    """Of the last failing attempt."""
    ambiguous: bool = False
    clean: bool = True
    """False when an attempt failed before the final outcome."""


def history(
    tx: Tx, project_id: int, test_id: int, *, since: datetime | None = None, limit: int | None = None
) -> list[Execution]:
    """The executions of a test, newest first; older names of it included."""
    names = names_of(tx, project_id, canonical(tx, project_id, test_id))
    packed = list(packed_results(tx, project_id, names, Window(since, limit, durations=True)))
    if not packed:
        return []
    runs = runs_by_pk(tx, project_id, [one.run_pk for one in packed])
    failures = failures_of_tests(tx, project_id, names, since=packed[-1].at, until=packed[0].at)
    return [
        _execution(runs[one.run_pk], one, failures.get((one.run_pk, one.test_id)))
        for one in packed
        if one.run_pk in runs
    ]


def past(tx: Tx, project_id: int, test_id: int, *, since: datetime) -> Iterator[PastExecution]:
    """What scoring wants of a test's past: outcomes without durations and messages, an order of magnitude faster."""
    names = names_of(tx, project_id, canonical(tx, project_id, test_id))
    packed = list(packed_results(tx, project_id, names, Window(since)))
    runs = runs_by_pk(tx, project_id, [one.run_pk for one in packed])
    for one in packed:
        if one.run_pk in runs:
            yield PastExecution(runs[one.run_pk], outcome_of(one.code), clean=clean(one.code))


def _execution(run: Run, one: PackedResult, failure: FailureRecord | None) -> Execution:
    if failure is None:
        return _passed(run, one, one.seconds)
    attempts = failure.attempts
    bad = [place for place, attempt in enumerate(attempts) if attempt.outcome.bad]
    return Execution(
        run=run,
        run_pk=one.run_pk,
        outcome=outcome_of(one.code),
        duration=attempts[-1].duration,
        attempts=attempts,
        fingerprint=failure.fingerprints[bad[0]] if bad else None,
        message=attempts[bad[-1]].message if bad else None,
        ambiguous=failure.ambiguous or bool(one.code & AMBIGUOUS),
        clean=clean(one.code),
    )


def _passed(run: Run, one: PackedResult, seconds: float | None) -> Execution:
    """An execution without rows: a pass, a skip, or a failure of an outage beyond the rows kept."""
    last = Attempt(outcome_of(one.code), seconds)
    attempts = (Attempt(Outcome.FAILED), last) if one.code & RETRIED else (last,)
    ambiguous = bool(one.code & AMBIGUOUS)
    return Execution(
        run, one.run_pk, last.outcome, seconds, attempts, ambiguous=ambiguous, clean=clean(one.code)
    )
