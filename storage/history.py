"""A test's past, unpacked from the runs of its jobs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.codes import AMBIGUOUS, clean, outcome_of, seconds_of, unpack_durations, unpack_outcomes
from core.ids import place_of
from core.report import Attempt, Outcome
from core.run import Run
from storage.database import Tx
from storage.failure import FailureRecord, failures_of_tests
from storage.run_part import RunPartRow
from storage.test_case import canonical, names_of
from storage.test_list import get_lists
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
    ambiguous: bool = False
    clean: bool = True
    """False when an attempt failed before the final outcome."""


def history(
    tx: Tx, project_id: int, test_id: int, *, since: datetime | None = None, limit: int | None = None
) -> list[Execution]:
    """The executions of a test, newest first; older names of it included."""
    names = names_of(tx, project_id, canonical(tx, project_id, test_id))
    lists = {
        list_id: (ids, name, place)
        for list_id, ids in get_lists(tx, project_id).items()
        for name in names
        if (place := place_of(ids, name)) >= 0
    }
    query = select(
        col(RunPartRow.run_pk), col(RunPartRow.list_id), col(RunPartRow.outcomes), col(RunPartRow.durations)
    ).where(col(RunPartRow.project_id) == project_id, col(RunPartRow.list_id).in_(list(lists)))
    if since is not None:
        query = query.where(col(RunPartRow.at) >= since)
    query = query.order_by(col(RunPartRow.at).desc(), col(RunPartRow.run_pk).desc())
    if limit is not None:
        query = query.limit(limit)
    found = []
    for run_pk, list_id, outcomes, durations in tx.execute(query):
        _ids, name, place = lists[list_id]
        code = int(unpack_outcomes(outcomes)[place])
        found.append((run_pk, name, code, seconds_of(int(unpack_durations(durations)[place]))))
    run_pks = [item[0] for item in found]
    runs = runs_by_pk(tx, project_id, run_pks)
    failures = failures_of_tests(tx, project_id, names, run_pks)
    return [
        _execution(runs[run_pk], run_pk, code, seconds, failures.get((run_pk, name)))
        for run_pk, name, code, seconds in found
    ]


def _execution(
    run: Run, run_pk: int, code: int, seconds: float | None, failure: FailureRecord | None
) -> Execution:
    outcome, ambiguous = outcome_of(code), bool(code & AMBIGUOUS)
    if failure is None:
        attempts = (Attempt(outcome, seconds),)
        return Execution(run, run_pk, outcome, seconds, attempts, None, None, ambiguous, clean(code))
    attempts = failure.attempts
    bad = [place for place, attempt in enumerate(attempts) if attempt.outcome.bad]
    fingerprint = failure.fingerprints[bad[0]] if bad else None
    message = attempts[bad[-1]].message if bad else None
    return Execution(
        run, run_pk, outcome, attempts[-1].duration, attempts, fingerprint, message, ambiguous, clean(code)
    )
