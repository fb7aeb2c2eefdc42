"""Feed a simulated history to the engine, run by run, and note what it says when."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.detection.world import Cause, History, RunEvent
from core.engine import ProjectState, apply_merge, apply_run, sweep
from core.evidence import QTable
from core.execution import AttemptFact, FailedExecution, Merge, PastExecution, RunResults
from core.fingerprint import fingerprint
from core.q_table import SHIPPED
from core.report import Outcome
from core.thresholds import Thresholds
from core.verdict import TestState, Transition

_MARKS: dict[str, bytes | None] = {}


@dataclass(slots=True)
class Replay:
    """What a rule said about one history."""

    flagged_at: dict[int, datetime] = field(default_factory=dict)
    confirmed_at: dict[int, datetime] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    """At the end."""
    peaks: dict[int, float] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    state: ProjectState | None = None
    transitions: list[Transition] = field(default_factory=list)


def mark(message: str) -> bytes | None:
    if message not in _MARKS:
        _MARKS[message] = fingerprint(message)
    return _MARKS[message]


def results_of(event: RunEvent) -> RunResults:
    import numpy as np

    failures = [
        FailedExecution(
            test,
            tuple(
                AttemptFact(Outcome.PASSED) if m is None else AttemptFact(Outcome.FAILED, mark(m))
                for m in attempts
            ),
        )
        for test, attempts in event.failures.items()
    ]
    failing = np.array(sorted(event.failures), np.int64)
    return RunResults(len(event.ids), np.setdiff1d(event.ids, failing, assume_unique=True), failures)


class Past:
    """What storage would hand back: all executions of a test so far."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, RunEvent]] = []
        self.by_roster: defaultdict[int, list[tuple[int, RunEvent]]] = defaultdict(list)

    def add(self, ref: int, event: RunEvent) -> None:
        self.by_roster[id(event.ids)].append((ref, event))

    def of(self, test: int) -> list[PastExecution]:
        import numpy as np

        found = []
        for entries in self.by_roster.values():
            ids = entries[0][1].ids
            at = int(np.searchsorted(ids, test))
            if at < len(ids) and ids[at] == test:
                found += [
                    PastExecution(e.run, Outcome.PASSED, run_ref=ref)
                    for ref, e in entries
                    if test not in e.failures
                ]
        return found


def replay(
    history: History, thresholds: Thresholds | None = None, q_table: QTable = SHIPPED, watch=None
) -> Replay:
    """`watch(state, now)` is called once a simulated week."""
    t = thresholds or Thresholds()
    state, past, said = ProjectState.empty(), Past(), Replay()
    said.state, week = state, None
    for ref, event in enumerate(history.events):
        if isinstance(event, Merge):
            started = time.process_time()
            outcome = apply_merge(state, event, thresholds=t, q_table=q_table)
        else:
            results = results_of(event)
            started = time.process_time()
            outcome = apply_run(
                state, event.run, results, run_ref=ref, thresholds=t, history=past.of, q_table=q_table
            )
            past.add(ref, event)
        said.seconds += time.process_time() - started
        _note(said, outcome.transitions)
        if watch and (this_week := event.at.isocalendar()[:2]) != week:
            week = this_week
            watch(state, event.at)
    _note(said, sweep(state, history.events[-1].at, thresholds=t, q_table=q_table).transitions)
    _final(said, state, history, t, q_table)
    return said


def _note(said: Replay, transitions) -> None:
    for change in transitions:
        said.transitions.append(change)
        said.peaks[change.test_id] = max(change.score, said.peaks.get(change.test_id, 0.0))
        if change.after is TestState.FLAKY:
            said.flagged_at.setdefault(change.test_id, change.at)
            if change.confirmed:
                said.confirmed_at.setdefault(change.test_id, change.at)


def _final(said: Replay, state: ProjectState, history: History, t: Thresholds, q_table: QTable) -> None:
    from core.judge import judge
    from core.placing import seconds

    now = seconds(history.events[-1].at)
    for test in state.suspects:
        verdict = judge(state, test, now, t, q_table)
        said.scores[test], said.rates[test] = verdict.score, verdict.rate


def accused(said: Replay, history: History) -> dict[int, str]:
    """Healthy tests that were flagged, and what really happened to them."""
    wrong = {}
    for test in said.flagged_at:
        truth = history.truths[test]
        if not truth.flaky:
            wrong[test] = str(Cause.OUTAGE if truth.outage_failures > truth.broken_failures else Cause.BROKEN)
    return wrong
