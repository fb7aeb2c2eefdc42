"""Simulate: replay the stored history under another policy, in memory, and say which tests it would flag."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from core.codes import PASSED
from core.detection_state import ProjectState
from core.engine import RunOutcome, apply_merge, apply_run
from core.execution import AttemptFact, FailedExecution, Merge, PastExecution, RunResults
from core.ids import NO_IDS
from core.ledger import DAYS_KEPT
from core.policy import Policy
from core.tenancy import Project
from core.thresholds import Thresholds
from core.verdict import TestState, Transition
from jobs.desk import Desk
from jobs.ingest import key_of
from storage.database import Tx
from storage.detection import detections
from storage.failure import FailureRecord
from storage.merge import merges
from storage.project import get_policy, get_project
from storage.result import failures_of_run, past
from storage.test_alias import aliases, todays
from storage.test_case import get_tests
from storage.test_run import RunRecord
from storage.whole_run import runs_in_order, whole_run

Progress = Callable[[int, int], None]
RunKey = tuple[str, int, str, str]
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Simulation:
    """What another policy would have made of the same history."""

    runs: int
    before: frozenset[str]
    """Flaky tests by the stored verdicts."""
    after: frozenset[str]
    """Flaky tests by the policy tried."""
    flagged: int
    """How often a test would have been flagged on the way."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "runs": self.runs,
            "flaky_now": sorted(self.before),
            "flaky_then": sorted(self.after),
            "more": sorted(self.after - self.before),
            "fewer": sorted(self.before - self.after),
            "flagged": self.flagged,
        }


@dataclass(slots=True)
class _Replay:
    """A replay on its way."""

    tx: Tx
    project: Project
    thresholds: Thresholds
    state: ProjectState = field(default_factory=ProjectState)
    seen: set[RunKey] = field(default_factory=set)
    transitions: list[Transition] = field(default_factory=list)


def simulate(
    desk: Desk,
    project_id: int,
    changes: Mapping[str, Any],
    *,
    progress: Progress = lambda _done, _total: None,
) -> Simulation:
    """Read only. ValidationError names a setting that does not exist or is out of its range."""
    with desk.database.read() as tx:
        project = get_project(tx, project_id)
        policy = Policy.from_dict({**get_policy(tx, project_id).to_dict(), **changes})
        replay = _Replay(tx, project, policy.thresholds(project.default_branch))
        records = runs_in_order(tx, project_id)
        for done, one in enumerate(_in_order(tx, project_id, records)):
            _learn(replay, one)
            progress(done, len(records))
        stored, _ = detections(tx, project_id, states=[TestState.FLAKY.value], limit=MOST)
        return Simulation(
            runs=len(records),
            before=_names(tx, project_id, {one.test_id for one in stored}),
            after=_names(tx, project_id, _flaky(replay.transitions)),
            flagged=sum(one.after is TestState.FLAKY for one in replay.transitions),
        )


def _in_order(tx: Tx, project_id: int, records: list[RunRecord]) -> list[RunRecord | Merge]:
    everything: list[RunRecord | Merge] = [*merges(tx, project_id), *records]
    return sorted(everything, key=_when)


def _when(one: RunRecord | Merge) -> datetime:
    return one.at if isinstance(one, Merge) else one.run.at


def _learn(replay: _Replay, one: RunRecord | Merge) -> None:
    if isinstance(one, Merge):
        outcome: RunOutcome = apply_merge(replay.state, one, thresholds=replay.thresholds)
    else:
        replay.seen.add(key_of(one.run))
        outcome = apply_run(
            replay.state,
            one.run,
            _results(replay, one),
            run_ref=one.run_pk,
            thresholds=replay.thresholds,
            history=lambda test_id: _past(replay, one, test_id),
        )
    replay.transitions.extend(outcome.transitions)


def _past(replay: _Replay, record: RunRecord, test_id: int) -> Iterator[PastExecution]:
    """What was known then: only runs that the replay has come by."""
    since = record.run.at - timedelta(days=DAYS_KEPT)
    found = past(replay.tx, replay.project.id, test_id, since=since)
    return (one for one in found if key_of(one.run) in replay.seen)


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


def _flaky(transitions: list[Transition]) -> set[int]:
    last = {one.test_id: one.after for one in transitions}
    return {test_id for test_id, state in last.items() if state is TestState.FLAKY}


def _names(tx: Tx, project_id: int, test_ids: set[int]) -> frozenset[str]:
    tests = get_tests(tx, project_id, test_ids)
    return frozenset(f"{test.key.class_name or test.key.suite}::{test.key.name}" for test in tests.values())
