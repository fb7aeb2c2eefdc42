"""Results: a whole run goes in once, packed; a test's past comes out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

import numpy as np

from core.codes import OUTCOME_BITS, PASSED, RETRIED, SKIPPED, buckets, pack_durations, pack_outcomes
from core.identity import digest
from core.ids import NO_IDS, Ids
from core.report import CaseResult
from core.run import Run
from core.sheet import Digest, Sheet, sheets
from storage.database import Tx, lock_project
from storage.failure import MOST_ROWS, FailureRecord, StoredFailure, add_failures, failures_in_run
from storage.history import Execution as Execution  # noqa: PLC0414 - part of this module's interface
from storage.history import history as history  # noqa: PLC0414
from storage.merge import merged as merged  # noqa: PLC0414
from storage.merge import merges as merges  # noqa: PLC0414
from storage.run_part import add_part
from storage.summary import Stored
from storage.summary import store_summary as store_summary  # noqa: PLC0414
from storage.test_case import CREATION, aliases, create_cases, find_ids
from storage.test_list import put_list
from storage.test_run import RunRecord as RunRecord  # noqa: PLC0414
from storage.test_run import Tally, claim_run, finish_run, stored_content
from storage.test_run import get_run as get_run  # noqa: PLC0414
from storage.test_run import get_runs as get_runs  # noqa: PLC0414
from storage.test_run import mark_run as mark_run  # noqa: PLC0414
from storage.test_run import runs_of_commit as runs_of_commit  # noqa: PLC0414

Fingerprint = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What became of an upload. For a duplicate the facts are those of the run already stored."""

    run_pk: int
    status: Stored
    counts: dict[str, int]
    total: int
    passed_ids: Ids = field(default_factory=lambda: NO_IDS)
    """Clean passes, sorted."""
    skipped_ids: Ids = field(default_factory=lambda: NO_IDS)
    failures: tuple[StoredFailure, ...] = ()
    """Failing and retried tests, in the report's order."""
    more_failures: int = 0
    """Failing tests beyond the cap, known by their packed outcome only."""
    partial: bool = False
    dialect: str = ""
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Told(Protocol):
    """What a report's stream knows once it has been read."""

    @property
    def dialect(self) -> str: ...
    @property
    def partial(self) -> bool: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


def store_run(
    tx: Tx,
    project_id: int,
    run: Run,
    cases: Iterable[CaseResult],
    *,
    fingerprint: Fingerprint,
    now: datetime,
    warnings: Sequence[str] = (),
    dialect: str = "",
) -> StoredRun:
    """Store a run once, whatever is repeated or parallel.

    When `cases` is a stream that tells `dialect`, `partial` and `warnings` once read (core.junit.ReportStream),
    that is stored too.
    """
    parts = [(sheet, [digest(key) for key in sheet.keys]) for sheet in sheets(cases)]
    content = Digest()
    for sheet, digests in parts:
        content.add(sheet, b"".join(digests))
    run_pk = claim_run(tx, project_id, run, content.value(), now)
    status: Stored = "created"
    if run_pk is None:
        run_pk, stored = stored_content(tx, project_id, run)
        status = "duplicate" if stored == content.value() else "conflict"
    if status == "conflict":
        return StoredRun(run_pk, status, Tally().counts, 0)
    today = aliases(tx, project_id)
    answers = [_part(tx, project_id, sheet, digests, run.at) for sheet, digests in parts]
    tally = sum((_tally(sheet) for sheet, _ in parts), Tally())
    failures: list[tuple[int, StoredFailure]] = []
    for (sheet, _), ids in zip(parts, answers, strict=True):
        for place, case in sheet.odd:
            raw = int(ids[place])
            failures.append((raw, _failure(today.get(raw, raw), case, fingerprint)))
    partial = run.partial or (isinstance(cases, Told) and cases.partial)
    told = cases if isinstance(cases, Told) else None
    dialect = dialect or (told.dialect if told else "")
    said = (*warnings, *(w for w in (told.warnings if told else ()) if w not in warnings))
    if status == "created":
        for number, ((sheet, _), ids) in enumerate(zip(parts, answers, strict=True)):
            order = np.argsort(ids, kind="stable")
            add_part(
                tx,
                project_id=project_id,
                run_pk=run_pk,
                at=run.at,
                part=number,
                list_id=put_list(tx, project_id, ids[order]),
                outcomes=pack_outcomes(sheet.codes[order]),
                durations=pack_durations(buckets(sheet.seconds[order])),
            )
        add_failures(tx, project_id, run_pk, run.at, failures[:MOST_ROWS])
        finish_run(
            tx, run_pk, content=content.value(), tally=tally, partial=partial, dialect=dialect, warnings=said
        )
    all_ids = np.concatenate(answers)
    codes = np.concatenate([sheet.codes for sheet, _ in parts])
    return StoredRun(
        run_pk,
        status,
        tally.counts,
        tally.total,
        _canonical(all_ids[codes == PASSED], today),
        _canonical(all_ids[codes == SKIPPED], today),
        tuple(failure for _, failure in failures[:MOST_ROWS]),
        max(0, len(failures) - MOST_ROWS),
        partial,
        dialect,
        said,
    )


def _part(tx: Tx, project_id: int, sheet: Sheet, digests: list[bytes], at: datetime) -> Ids:
    known = find_ids(tx, project_id, digests)
    if len(known) < len(set(digests)):
        lock_project(tx, CREATION, project_id)
        known = find_ids(tx, project_id, digests)
        missing = {d: key for d, key in zip(digests, sheet.keys, strict=True) if d not in known}
        if missing:
            create_cases(tx, project_id, missing, at)
            known |= find_ids(tx, project_id, list(missing))
    return np.array([known[d] for d in digests], np.int64)


def _canonical(ids: Ids, today: dict[int, int]) -> Ids:
    if today:
        ids = np.array([today.get(int(raw), int(raw)) for raw in ids], np.int64)
    return np.unique(ids)


def _failure(test_id: int, case: CaseResult, fingerprint: Fingerprint) -> StoredFailure:
    prints = tuple(
        fingerprint(attempt.message) if attempt.outcome.bad and attempt.message else None
        for attempt in case.attempts
    )
    return StoredFailure(test_id, case.key, case.attempts, prints, case.ambiguous)


def _tally(sheet: Sheet) -> Tally:
    ends = np.bincount(sheet.codes & OUTCOME_BITS, minlength=4)
    flaky = int(np.count_nonzero(sheet.codes == RETRIED))
    return Tally(*map(int, (ends[0], ends[1], ends[2], ends[3])), flaky, float(np.nansum(sheet.seconds)))


def failures_of_run(tx: Tx, project_id: int, run_pk: int) -> dict[int, FailureRecord]:
    """The failing and retried tests of a stored run, by today's test id."""
    today = aliases(tx, project_id)
    return {today.get(raw, raw): record for raw, record in failures_in_run(tx, project_id, run_pk).items()}
