"""Simulate: replay the stored history under another policy, in memory, and say which tests it would flag."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.codes import PASSED
from core.errors import ValidationError
from core.execution import AttemptFact, FailedExecution, Merge, PastExecution, RunResults
from core.ids import NO_IDS
from core.ledger import DAYS_KEPT
from core.naming import full_name
from core.policy import Policy
from core.run import Run
from core.simulate import Difference, Flagging, Simulation, Trial, compare
from core.tenancy import Project
from core.thresholds import Thresholds
from jobs.desk import Desk
from jobs.ingest import RunKey, key_of
from storage.database import Tx
from storage.failure import FailureRecord
from storage.merge import merges
from storage.project import get_policy, get_project
from storage.result import failures_of_run, past
from storage.test_alias import aliases, todays
from storage.test_case import get_tests
from storage.test_run import RunRecord, stored_runs
from storage.whole_run import runs_in_order, whole_run

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What another policy would have made of the same history."""

    runs: int
    found: Simulation
    names: Mapping[int, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        now, then = ({one.test_id for one in side if not one.cleared_at} for side in self._sides())
        return {
            "runs": self.runs,
            "flaky_now": self._named(now),
            "flaky_then": self._named(then),
            "more": self._named(then - now),
            "fewer": self._named(now - then),
            "flagged_now": len(self.found.old),
            "flagged_then": len(self.found.new),
            "changes": [self._change(one) for one in self.found.differences],
            "per_day": [{"day": f"{d.at:%Y-%m-%d}", "now": d.old, "then": d.new} for d in self.found.per_day],
        }

    def _sides(self) -> tuple[Sequence[Flagging], Sequence[Flagging]]:
        return self.found.old, self.found.new

    def _named(self, test_ids: Iterable[int]) -> list[str]:
        return sorted(self.names[test_id] for test_id in test_ids)

    def _change(self, one: Difference) -> dict[str, Any]:
        return {
            "test_id": one.test_id,
            "test": self.names[one.test_id],
            "change": str(one.change),
            "now": _spell(one.old),
            "then": _spell(one.new),
        }


def _spell(one: Flagging | None) -> dict[str, Any] | None:
    if one is None:
        return None
    moments = {"flagged_at": one.flagged_at, "confirmed_at": one.confirmed_at, "cleared_at": one.cleared_at}
    return {name: at.isoformat() if at else None for name, at in moments.items()}


@dataclass(slots=True)
class _Replay:
    """Both policies on their way; every run is read once."""

    tx: Tx
    project: Project
    trials: Sequence[Trial]
    runs: int = 0
    at: datetime | None = None
    moment: set[RunKey] = field(default_factory=set)
    """Runs of this very moment that it has come by; all those before it have been."""

    def come_by(self, run: Run) -> None:
        """From now on this run is a part of the past."""
        if run.at != self.at:
            self.at, self.moment = run.at, set()
        self.moment.add(key_of(run))
        self.runs += 1

    def knows(self, run: Run) -> bool:
        """False for what was still to come."""
        return key_of(run) in self.moment or (self.at is not None and run.at < self.at)


def simulate(
    desk: Desk,
    project_id: int,
    changes: Mapping[str, Any],
    *,
    progress: Progress = lambda _done, _total: None,
) -> Answer:
    """Read only. ValidationError names a setting that does not exist or is out of its range."""
    with desk.database.read() as tx:
        project, today = get_project(tx, project_id), get_policy(tx, project_id)
        trials = [_trial(project, today), _trial(project, tried(today, changes))]
        replay = _Replay(tx, project, trials)
        told = merges(tx, project_id)
        total = stored_runs(tx, project_id) + len(told)
        for done, one in enumerate(_in_order(told, runs_in_order(tx, project_id)), 1):
            _learn(replay, one)
            progress(done, total)
        found = compare(*(trial.end() for trial in trials))
        flagged = {one.test_id for one in (*found.old, *found.new)}
        return Answer(replay.runs, found, _names(tx, project_id, flagged))


def tried(today: Policy, changes: Mapping[str, Any]) -> Policy:
    """Today's policy with the changes; detection settings one by one, because a file names only what differs."""
    known = {one.name for one in fields(Thresholds)}
    if misplaced := sorted(known & set(changes) - {"version"}):
        raise ValidationError(f"Put {', '.join(misplaced)} below detection.", fields=misplaced)
    detection = changes.get("detection", {})
    if not isinstance(detection, Mapping):
        raise ValidationError("detection must be a table.", field="detection")
    merged = {**changes, "detection": {**today.detection, **detection}}
    return Policy.from_dict({**today.to_dict(), **merged})


def _trial(project: Project, policy: Policy) -> Trial:
    return Trial(policy.thresholds(project.default_branch), policy.q_table())


def _in_order(*streams: Iterable[RunRecord | Merge]) -> Iterator[RunRecord | Merge]:
    """By time; a merge before the runs of the same moment."""
    return heapq.merge(*streams, key=_when)


def _when(one: RunRecord | Merge) -> datetime:
    return one.at if isinstance(one, Merge) else one.run.at


def _learn(replay: _Replay, one: RunRecord | Merge) -> None:
    if isinstance(one, Merge):
        for trial in replay.trials:
            trial.see_merge(one)
        return
    replay.come_by(one.run)
    results = _results(replay, one)
    for trial in replay.trials:
        trial.see_run(
            one.run, results, run_ref=one.run_pk, history=lambda test_id: _past(replay, one, test_id)
        )


def _past(replay: _Replay, record: RunRecord, test_id: int) -> Iterator[PastExecution]:
    """What was known then: only runs that the replay has come by."""
    since = record.run.at - timedelta(days=DAYS_KEPT)
    found = past(replay.tx, replay.project.id, test_id, since=since)
    return (one for one in found if replay.knows(one.run))


def _results(replay: _Replay, record: RunRecord) -> RunResults:
    today = aliases(replay.tx, replay.project.id)
    parts = list(whole_run(replay.tx, replay.project.id, record))
    passed = [todays(part.ids[part.codes == PASSED], today) for part in parts]
    failures = failures_of_run(replay.tx, replay.project.id, record.run_pk, record.run.at)
    return RunResults(
        tests=record.tally.total,
        passed=np.unique(np.concatenate([NO_IDS, *passed])),
        failures=[_failed(*item) for item in failures.items()],
    )


def _failed(test_id: int, record: FailureRecord) -> FailedExecution:
    pairs = zip(record.attempts, record.fingerprints, strict=True)
    facts = tuple(AttemptFact(attempt.outcome, mark) for attempt, mark in pairs)
    return FailedExecution(test_id, facts, ambiguous=record.ambiguous)


def _names(tx: Tx, project_id: int, test_ids: Iterable[int]) -> dict[int, str]:
    return {one.id: full_name(one.key) for one in get_tests(tx, project_id, test_ids).values()}
