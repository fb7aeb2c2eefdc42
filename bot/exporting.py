"""A project's results as `results.jsonl`, the neutral format that `import` reads."""

from collections.abc import Callable, Iterator
from typing import Any

from core.codes import outcome_of
from core.report import Attempt, TestKey
from core.tenancy import Project
from storage.database import Tx
from storage.merge import merges
from storage.result import failures_of_run
from storage.test_alias import aliases
from storage.test_case import get_tests
from storage.test_run import RunRecord, stored_runs
from storage.whole_run import runs_in_order, whole_run

Line = dict[str, Any]
Progress = Callable[[int, int], None]


def results(tx: Tx, project: Project, progress: Progress) -> Iterator[Line]:
    """Every execution, oldest run first, an attempt a line; then the merges."""
    total = stored_runs(tx, project.id)
    keys: dict[int, TestKey] = {}
    for done, record in enumerate(runs_in_order(tx, project.id), 1):
        yield from _run(tx, project, record, keys)
        progress(done, total)
    for merge in merges(tx, project.id):
        told = {"branch": merge.branch, "commit": merge.commit, "into_commit": merge.into_commit}
        yield {"project": project.repo, "merged": told, "at": merge.at.isoformat()}


def _run(tx: Tx, project: Project, record: RunRecord, keys: dict[int, TestKey]) -> Iterator[Line]:
    today = aliases(tx, project.id)
    failures = failures_of_run(tx, project.id, record.run_pk, record.run.at)
    place = _place(project, record)
    for part in whole_run(tx, project.id, record):
        ids = [today.get(raw, raw) for raw in part.ids.tolist()]
        keys |= {test.id: test.key for test in get_tests(tx, project.id, set(ids) - set(keys)).values()}
        for test_id, code, seconds in zip(ids, part.codes.tolist(), part.seconds.tolist(), strict=True):
            if test_id not in keys:
                continue
            failure = failures.get(test_id)
            plain = Attempt(outcome_of(code), seconds if seconds == seconds else None)  # noqa: PLR0124 - NaN
            for attempt in failure.attempts if failure else (plain,):
                yield {**place, **_test(keys[test_id], record), **_attempt(attempt)}


def _place(project: Project, record: RunRecord) -> Line:
    run = record.run
    return {
        "project": project.repo,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "job": run.job,
        "commit": run.commit,
        "branch": run.branch,
        "base": run.base,
        "event": run.event,
        "pr": run.pr,
        "at": run.at.isoformat(),
    }


def _test(key: TestKey, record: RunRecord) -> Line:
    return {
        "variant": key.variant or record.run.variant,
        "suite": key.suite,
        "class": key.class_name,
        "name": key.name,
        "file": key.file,
    }


def _attempt(attempt: Attempt) -> Line:
    return {"status": attempt.outcome.value, "duration": attempt.duration, "message": attempt.message or ""}
