"""Import history: many runs in time order, as if each had been uploaded when it happened."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from core.errors import ValidationError
from core.execution import Merge
from core.fingerprint import fingerprint
from core.identity import normalise
from core.report import Attempt, CaseResult, Outcome, TestKey
from core.run import Run, Trust
from core.verdict import TestState
from jobs.desk import Desk
from jobs.ingest import RunKey, key_of, learn
from jobs.respond import ask_about
from jobs.score import Scoring, close_scoring, open_scoring
from storage.database import Tx
from storage.detection import detections
from storage.project import get_project
from storage.result import StoredRun, mark_run, merged, store_run

BATCH = 100
"""Runs in one transaction: large enough that the disk is not waited for, small enough that others get in."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Verdicts are told by the project's own clock, which never runs back."""
Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all)."""


@dataclass(slots=True)
class ImportAnswer:
    """What an import became."""

    runs: int = 0
    results: int = 0
    merges: int = 0
    duplicates: int = 0
    conflicts: int = 0
    proposals: list[str] = field(default_factory=list)

    def count(self, stored: StoredRun) -> None:
        """One more run of the file."""
        created = stored.status == "created"
        self.runs += created
        self.results += stored.total if created else 0
        self.duplicates += stored.status == "duplicate"
        self.conflicts += stored.status == "conflict"

    def add(self, other: "ImportAnswer") -> None:
        """One more batch."""
        self.runs += other.runs
        self.results += other.results
        self.merges += other.merges
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts


@dataclass(slots=True)
class PastRun:
    """One run of the file: its context and the attempts of each test in order."""

    run: Run
    tests: dict[TestKey, list[Attempt]] = field(default_factory=dict)

    def cases(self) -> Iterator[CaseResult]:
        """The results as a report would give them."""
        return (CaseResult(key, tuple(attempts)) for key, attempts in self.tests.items())


@dataclass(slots=True)
class History:
    """A whole results.jsonl, grouped by run."""

    runs: dict[RunKey, PastRun] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    projects: set[str] = field(default_factory=set)
    keys: dict[tuple[object, ...], TestKey] = field(default_factory=dict)
    """Names read once, by how the file writes them: a history repeats each of them in every run."""
    latest: tuple[tuple[object, ...], PastRun] | None = None
    """The run of the line before, by how the file writes it: mostly the next line belongs to it too."""
    attempts: dict[tuple[object, object], Attempt] = field(default_factory=dict)
    """Attempts without a message, by status and duration as written: most lines say what others said before."""

    def in_order(self) -> list[PastRun | Merge]:
        """By time; a merge before the runs of the same moment."""
        everything: list[PastRun | Merge] = [*self.merges, *self.runs.values()]
        return sorted(everything, key=_at)


def read_history(lines: Iterable[tuple[int, Mapping[str, Any]]], *, project: str = "") -> dict[str, History]:
    """Group numbered lines of results.jsonl by project; ValidationError names the line that cannot be read."""
    found: dict[str, History] = {}
    written: object = None
    name, history = "", History()
    for number, line in lines:
        if line.get("project") != written or not name:
            written = line.get("project")
            name = project or _text(line, "project", number)
            if not name:
                raise ValidationError(
                    f"Line {number} names no project; give --project OWNER/NAME.", line=number
                )
            history = found.setdefault(name, History())
        if isinstance(line.get("merged"), Mapping):
            history.merges.append(_merge(line, number))
        else:
            _add(history, line, number)
    return found


def import_history(
    desk: Desk, project_id: int, history: History, *, progress: Progress | None = None
) -> ImportAnswer:
    """Store and score a project's history. A second import of the same file changes nothing."""
    answer, done = ImportAnswer(), 0
    everything = iter(history.in_order())
    total = len(history.runs) + len(history.merges)
    while batch := list(islice(everything, BATCH)):
        answer.add(desk.database.run(partial(_store, desk=desk, project_id=project_id, batch=batch)))
        done += len(batch)
        if progress:
            progress(done, total)
    with desk.database.begin() as tx:
        answer.proposals = _propose(tx, desk=desk, project_id=project_id)
    desk.dispatch.wake("publish")
    return answer


def import_at_once(tx: Tx, desk: Desk, project_id: int, history: History) -> ImportAnswer:
    """The same as a part of something larger: for a history so small that others can wait for it."""
    answer = _store(tx, desk=desk, project_id=project_id, batch=history.in_order())
    answer.proposals = _propose(tx, desk=desk, project_id=project_id)
    return answer


def _store(tx: Tx, *, desk: Desk, project_id: int, batch: list[PastRun | Merge]) -> ImportAnswer:
    """Store the whole batch, then score it in order: the other way round, an upload at the same time would deadlock."""
    project, answer, now = get_project(tx, project_id), ImportAnswer(), desk.now()
    stored = {
        key_of(one.run): store_run(tx, project_id, one.run, one.cases(), fingerprint=fingerprint, now=now)
        for one in batch
        if isinstance(one, PastRun)
    }
    unlearnt = {key for key, one in stored.items() if one.status == "created"}
    scoring = open_scoring(tx, desk.scores, project)
    for one in batch:
        if isinstance(one, Merge):
            answer.merges += _learn_merge(tx, scoring, one)
            continue
        found = stored[key_of(one.run)]
        answer.count(found)
        if found.status == "created":
            unlearnt.discard(key_of(one.run))
            _learn(tx, scoring, one.run, found, unlearnt)
    close_scoring(tx, desk.scores, scoring, now=_at(batch[-1]))
    return answer


def _learn(tx: Tx, scoring: Scoring, run: Run, stored: StoredRun, unlearnt: set[RunKey]) -> None:
    outcome = learn(tx, scoring, run, stored, unlearnt=unlearnt)
    if outcome.mass_failure:
        mark_run(tx, scoring.project.id, stored.run_pk, infra=True)


def _learn_merge(tx: Tx, scoring: Scoring, one: Merge) -> bool:
    if not _remember(tx, scoring.project.id, one):
        return False
    scoring.merge(one)
    return True


def _at(one: PastRun | Merge) -> datetime:
    return one.at if isinstance(one, Merge) else one.run.at


def _remember(tx: Tx, project_id: int, one: Merge) -> bool:
    return merged(
        tx, project_id, branch=one.branch, commit=one.commit, into_commit=one.into_commit, at=one.at
    )


def _propose(tx: Tx, *, desk: Desk, project_id: int) -> list[str]:
    """What is confirmed at the end of the history is proposed; what was long ago is not."""
    scoring = open_scoring(tx, desk.scores, get_project(tx, project_id))
    scoring.refresh()
    close_scoring(tx, desk.scores, scoring, now=_LONG_AGO)
    flaky, _ = detections(tx, project_id, states=[TestState.FLAKY.value], limit=10_000)
    sure = [one.test_id for one in flaky if one.confirmed]
    return [one.name for one in ask_about(tx, scoring, sure, now=desk.now())]


def _add(history: History, line: Mapping[str, Any], number: int) -> None:
    written = (line.get("run_id"), line.get("attempt"), line.get("job"), line.get("variant"))
    if history.latest is None or history.latest[0] != written:
        history.latest = (written, _past_run(history, line, number))
    past = history.latest[1]
    names = (line.get("suite"), line.get("class"), line.get("name"), line.get("file"), past.run.variant)
    try:
        test = history.keys.get(names)
    except TypeError as error:
        raise ValidationError(f"Line {number}: a test's names must be text.", line=number) from error
    if test is None:
        test = history.keys[names] = _key(line, number, past.run.variant)
    past.tests.setdefault(test, []).append(_attempt(history, line, number))


def _past_run(history: History, line: Mapping[str, Any], number: int) -> PastRun:
    run_id = _needed(line, "run_id", number)
    attempt = _whole(line, "attempt", number)
    key: RunKey = (run_id, attempt, _text(line, "job", number), _text(line, "variant", number))
    past = history.runs.get(key)
    if past is None:
        past = history.runs[key] = PastRun(_run(line, key, number))
    return past


def _run(line: Mapping[str, Any], key: RunKey, number: int) -> Run:
    run_id, attempt, job, variant = key
    pr = _text(line, "pr", number)
    return Run(
        run_id=run_id,
        attempt=attempt,
        job=job,
        variant=variant,
        commit=_needed(line, "commit", number),
        branch=_needed(line, "branch", number),
        base=_text(line, "base", number),
        event=_text(line, "event", number),
        pr=pr,
        at=_time(line, number),
        trust=Trust.PR if pr else Trust.TRUNK,
    )


def _key(line: Mapping[str, Any], number: int, variant: str) -> TestKey:
    name = _needed(line, "name", number)
    suite, class_name, file = (_text(line, part, number) for part in ("suite", "class", "file"))
    return normalise(TestKey(suite=suite, class_name=class_name, name=name, file=file, variant=variant))


_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def _attempt(history: History, line: Mapping[str, Any], number: int) -> Attempt:
    if line.get("message"):
        return _read_attempt(line, number)
    written = (line.get("status"), line.get("duration"))
    try:
        known = history.attempts.get(written)
    except TypeError:  # lists and objects say nothing that could be remembered
        return _read_attempt(line, number)
    if known is None:
        known = _read_attempt(line, number)
        if len(history.attempts) < REMEMBERED:
            history.attempts[written] = known
    return known


def _read_attempt(line: Mapping[str, Any], number: int) -> Attempt:
    status = line.get("status")
    outcome = _OUTCOMES.get(status) if isinstance(status, str) else None
    if outcome is None:
        raise ValidationError(
            f"Line {number}: status is {status!r}; it must be one of {', '.join(_OUTCOMES)}.",
            line=number,
            field="status",
        )
    duration = line.get("duration")
    seconds = float(duration) if isinstance(duration, int | float) and 0 <= duration < MAX_SECONDS else None
    return Attempt(outcome, seconds, _text(line, "message", number) or None)


REMEMBERED = 100_000
MAX_SECONDS = 1e7


def _merge(line: Mapping[str, Any], number: int) -> Merge:
    told = line["merged"]
    names = ("branch", "commit", "into_commit")
    branch, commit, into_commit = (_needed(told, name, number) for name in names)
    return Merge(branch, commit, into_commit, _time(line, number))


def _time(line: Mapping[str, Any], number: int) -> datetime:
    text = _needed(line, "at", number)
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationError(
            f"Line {number}: at is {text[:40]!r}, not an ISO 8601 time.", line=number, field="at"
        ) from error
    if not EARLIEST <= at < LATEST:
        raise ValidationError(
            f"Line {number}: at is {text[:40]!r}; runs lie between {EARLIEST.year} and {LATEST.year}.",
            line=number,
            field="at",
        )
    return at


EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _whole(line: Mapping[str, Any], name: str, number: int) -> int:
    value = line.get(name)
    try:
        whole = 1 if value is None or value == "" else int(str(value))
    except ValueError as error:
        raise ValidationError(f"Line {number}: {name} is not a whole number.", line=number) from error
    if not 1 <= whole <= MAX_ATTEMPT:
        raise ValidationError(f"Line {number}: {name} must be 1 to {MAX_ATTEMPT}.", line=number)
    return whole


MAX_ATTEMPT = 10_000


def _needed(line: Mapping[str, Any], name: str, number: int) -> str:
    text = _text(line, name, number)
    if not text:
        raise ValidationError(f"Line {number} has no {name}.", line=number, field=name)
    return text


def _text(line: Mapping[str, Any], name: str, number: int) -> str:
    value = line.get(name)
    if value is None:
        return ""
    if isinstance(value, str | int):
        return sys.intern(str(value)) if len(str(value)) < INTERNED else str(value)
    raise ValidationError(f"Line {number}: {name} is not text.", line=number, field=name)


INTERNED = 200
"""Names and commits repeat; messages do not."""
