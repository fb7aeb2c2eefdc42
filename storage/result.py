"""Results: a whole run goes in once, packed; a test's past comes out."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Protocol, runtime_checkable

import numpy as np

from core.codes import AMBIGUOUS, OUTCOME_BITS, PASSED, RETRIED, SKIPPED
from core.ids import NO_IDS, Ids, contains
from core.report import CaseResult
from core.run import Run
from core.sheet import Digest, Sheet, sheets
from storage.database import Tx
from storage.failure import MOST_ROWS, FailureRecord, StoredFailure, add_failures, failures_in_run
from storage.history import Execution as Execution  # noqa: PLC0414 - part of this module's interface
from storage.history import history as history  # noqa: PLC0414
from storage.history import past as past  # noqa: PLC0414
from storage.identity import UNKNOWN, When, known_ids, name_tests
from storage.knowledge import knowledge
from storage.merge import merged as merged  # noqa: PLC0414
from storage.merge import merges as merges  # noqa: PLC0414
from storage.roster import Chosen, choose_roster, job_key
from storage.run_part import Columns, add_part
from storage.summary import Stored
from storage.summary import store_summary as store_summary  # noqa: PLC0414
from storage.test_alias import aliases, todays
from storage.test_case import has_cases
from storage.test_run import UNREAD, Findings, Tally, claim_run, finish_run, stored_content
from storage.test_run import RunRecord as RunRecord  # noqa: PLC0414
from storage.test_run import get_run as get_run  # noqa: PLC0414
from storage.test_run import get_runs as get_runs  # noqa: PLC0414
from storage.test_run import mark_run as mark_run  # noqa: PLC0414
from storage.test_run import runs_of_commit as runs_of_commit  # noqa: PLC0414
from storage.test_seen import note_ids, note_seen

Fingerprint = Callable[[str], bytes | None]


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
    """Failing tests beyond the cap: only counted here, and known by their packed outcome."""
    partial: bool = False
    dialect: str = ""
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Told(Protocol):
    """What a report's stream knows once it has been read (core.junit.ReportStream)."""

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
    """Store a run once, whatever is repeated or parallel; a huge report is read and packed in parts.

    What a stream tells after it was read (dialect, partial, warnings) is stored too. Not for use inside a
    savepoint that may be rolled back.
    """
    upload = _Upload(tx, project_id, run, now)
    reading = _Reading(run, cases, dialect=dialect, warnings=warnings)
    answer = _Answer(aliases(tx, project_id), fingerprint)
    parts = iter(reading)
    first = next(parts)
    findings = reading.findings() if reading.done else UNREAD
    run_pk = claim_run(tx, project_id, run, findings, now)
    whole = chain([first], parts)
    if run_pk is None:
        return _again(upload, reading, whole, answer)
    writing = _Writing(upload, run_pk, reading)
    for sheet in whole:
        ids = writing.name(sheet)
        columns, twins = columns_of(sheet, ids)
        answer.add(sheet, ids, columns, twins)
        writing.pack(columns)
    writing.failures(answer)
    if findings is UNREAD or writing.withheld:
        finish_run(tx, run_pk, replace(reading.findings(), warnings=writing.warnings()))
    knowledge(tx, project_id).runs[run_pk] = replace(run, partial=reading.partial)
    return answer.stored(run_pk, "created", reading, writing.warnings())


def failures_of_run(tx: Tx, project_id: int, run_pk: int, at: datetime) -> dict[int, FailureRecord]:
    """The failing and retried tests of a stored run (which ran at that time), by today's test id."""
    today = aliases(tx, project_id)
    found = failures_in_run(tx, project_id, run_pk, at)
    return {today.get(raw, raw): record for raw, record in found.items()}


@dataclass(frozen=True, slots=True)
class _Upload:
    """What is being stored where."""

    tx: Tx
    project_id: int
    run: Run
    now: datetime


def _again(upload: _Upload, reading: "_Reading", parts: Iterable[Sheet], answer: "_Answer") -> StoredRun:
    """The run is there already: the same story is answered the same way, another one is a conflict."""
    tx, project_id = upload.tx, upload.project_id
    for sheet in parts:
        ids = known_ids(tx, project_id, sheet)
        answer.add(sheet, ids, *columns_of(sheet, ids))
    run_pk, content = stored_content(tx, project_id, upload.run)
    if content != reading.findings().content:
        return StoredRun(run_pk, "conflict", Tally().counts, 0)
    return answer.stored(run_pk, "duplicate", reading, reading.warnings)


class _Reading:
    """A report read part by part; what its stream tells at the end is known before the last part is stored."""

    def __init__(
        self, run: Run, cases: Iterable[CaseResult], *, dialect: str, warnings: Sequence[str]
    ) -> None:
        self.done = False
        self._run = run
        self._cases = cases
        self._told = cases if isinstance(cases, Told) else None
        self._dialect = dialect
        self._warnings = tuple(warnings)
        self._content = Digest()
        self._tally = Tally()

    def __iter__(self) -> Iterator[Sheet]:
        for sheet in sheets(self._cases):
            self._content.add(sheet)
            self._tally += _tally(sheet)
            self.done = sheet.last
            yield sheet

    @property
    def partial(self) -> bool:
        return self._run.partial or (self._told is not None and self._told.partial)

    @property
    def dialect(self) -> str:
        return self._dialect or (self._told.dialect if self._told else "")

    @property
    def warnings(self) -> tuple[str, ...]:
        told = self._told.warnings if self._told else ()
        return (*self._warnings, *(warning for warning in told if warning not in self._warnings))

    @property
    def tally(self) -> Tally:
        return self._tally

    def findings(self) -> Findings:
        return Findings(self._content.value(), self._tally, self.partial, self.dialect, self.warnings)


class _Writing:
    """Stores a new run part by part."""

    def __init__(self, upload: _Upload, run_pk: int, reading: _Reading) -> None:
        self.withheld = 0
        self._upload = upload
        self._run_pk = run_pk
        self._reading = reading
        self._job = job_key(upload.run)
        self._first = not has_cases(upload.tx, upload.project_id)
        self._parts = 0
        self._created = NO_IDS

    def name(self, sheet: Sheet) -> Ids:
        """The ids of a part's tests, in its order."""
        upload = self._upload
        when = When(upload.run.at, upload.now, first=self._first)
        named = name_tests(upload.tx, upload.project_id, sheet, when)
        self._created = named.created
        self.withheld += named.withheld
        return named.ids

    def pack(self, columns: Columns) -> None:
        """Store the part just named."""
        tx, project_id, at = self._upload.tx, self._upload.project_id, self._upload.run.at
        chosen = self._roster(columns.ids)
        add_part(tx, project_id, self._run_pk, at, part=self._parts, chosen=chosen, columns=columns)
        present = contains(columns.ids, chosen.members)
        note_seen(tx, project_id, chosen.list_id, chosen.members, present=present, at=at)
        note_ids(tx, project_id, chosen.extra[~contains(self._created, chosen.extra)], at)
        self._parts += 1

    def _roster(self, ids: Ids) -> Chosen:
        cut_short = self._reading.done and self._reading.partial
        where = (self._upload.tx, self._upload.project_id, self._job, self._parts)
        return choose_roster(*where, ids, created=self._created, partial=cut_short)

    def failures(self, answer: "_Answer") -> None:
        """Rows for what failed."""
        where = (self._upload.tx, self._upload.project_id, self._run_pk, self._upload.run.at)
        add_failures(*where, answer.failures)

    def warnings(self) -> tuple[str, ...]:
        """The report's own and ours."""
        if not self.withheld:
            return self._reading.warnings
        ours = f"{self.withheld} passing tests with names never seen before were only counted."
        return (*self._reading.warnings, ours)


class _Answer:
    """Gathers what the caller is told."""

    def __init__(self, today: dict[int, int], fingerprint: Fingerprint) -> None:
        self.failures: list[tuple[int, StoredFailure]] = []
        self._more = 0
        self._today = today
        self._fingerprint = _remembering(fingerprint)
        self._passed: list[Ids] = []
        self._skipped: list[Ids] = []
        self._other: list[Ids] = []

    def add(self, sheet: Sheet, ids: Ids, columns: Columns, twins: Collection[int]) -> None:
        """One part of the report."""
        passed = columns.codes == PASSED
        self._passed.append(columns.ids[passed])
        self._skipped.append(columns.ids[columns.codes == SKIPPED])
        self._other.append(columns.ids[~passed])
        for place, case in sheet.odd:
            raw = int(ids[place])
            if raw == UNKNOWN:
                continue
            if len(self.failures) == MOST_ROWS:
                self._more += 1
            else:
                today = self._today.get(raw, raw)
                one = _failure(today, case, self._fingerprint, twin=raw in twins)
                self.failures.append((raw, one))

    def stored(self, run_pk: int, status: Stored, reading: _Reading, warnings: tuple[str, ...]) -> StoredRun:
        """The whole answer."""
        passed, skipped, other = map(self._ids, (self._passed, self._skipped, self._other))
        if len(self._passed) > 1 or self._today:
            # Names met in two parts, or two names of one test: a failure anywhere spoils the pass.
            passed = np.setdiff1d(passed, other)
        return StoredRun(
            run_pk=run_pk,
            status=status,
            counts=reading.tally.counts,
            total=reading.tally.total,
            passed_ids=passed,
            skipped_ids=skipped,
            failures=tuple(failure for _, failure in self.failures),
            more_failures=self._more,
            partial=reading.partial,
            dialect=reading.dialect,
            warnings=warnings,
        )

    def _ids(self, parts: Sequence[Ids]) -> Ids:
        if len(parts) == 1 and not self._today:
            return parts[0]
        return np.unique(todays(np.concatenate(parts), self._today))


def columns_of(sheet: Sheet, ids: Ids) -> tuple[Columns, Collection[int]]:
    """Sorted by id, without those that have none; two tests under one id (told apart) keep the worse outcome."""
    order = np.argsort(ids, kind="stable")
    order = order[np.searchsorted(ids, 0, sorter=order) :]
    columns = Columns(ids[order], sheet.codes[order], sheet.seconds[order])
    same = np.flatnonzero(columns.ids[1:] == columns.ids[:-1])
    if not len(same):
        return columns, ()
    return _folded(columns, same), set(columns.ids[same].tolist())


_SEVERITY = np.array([1, 2, 3, 0], np.uint8)
"""Of passed, failed, error, skipped."""


def _folded(columns: Columns, same: Ids) -> Columns:
    codes = columns.codes.copy()
    for place in same:
        one, other = int(codes[place]), int(codes[place + 1])
        worse = max(one, other, key=lambda code: _SEVERITY[code & OUTCOME_BITS])
        mixed = AMBIGUOUS if (one ^ other) & OUTCOME_BITS else 0
        codes[place + 1] = worse | ((one | other) & (AMBIGUOUS | RETRIED)) | mixed
    kept = np.ones(len(codes), np.bool_)
    kept[same] = False
    return Columns(columns.ids[kept], codes[kept], columns.seconds[kept])


def _failure(test_id: int, case: CaseResult, fingerprint: Fingerprint, *, twin: bool) -> StoredFailure:
    prints = tuple(
        fingerprint(attempt.message) if attempt.outcome.bad and attempt.message else None
        for attempt in case.attempts
    )
    return StoredFailure(test_id, case.key, case.attempts, prints, case.ambiguous or twin)


def _remembering(fingerprint: Fingerprint) -> Fingerprint:
    """In an outage thousands of tests fail with the same words."""
    known: dict[str, bytes | None] = {}

    def ask(message: str) -> bytes | None:
        if message not in known:
            known[message] = fingerprint(message)
        return known[message]

    return ask


def _tally(sheet: Sheet) -> Tally:
    ends = np.bincount(sheet.codes & OUTCOME_BITS, minlength=4)
    return Tally(
        passed=int(ends[0]),
        failed=int(ends[1]),
        errors=int(ends[2]),
        skipped=int(ends[3]),
        flaky=int(np.count_nonzero(sheet.codes == RETRIED)),
        seconds=float(np.nansum(sheet.seconds)),
    )
