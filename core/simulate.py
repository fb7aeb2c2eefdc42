"""Replay stored history under two policies: who would have been flagged, when, and what changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.engine import History, ProjectState, apply_merge, apply_run, sweep
from core.evidence import QTable
from core.execution import Merge, RunResults
from core.q_table import SHIPPED
from core.run import Run
from core.thresholds import Thresholds
from core.verdict import TestState, Transition


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of the history that is replayed."""

    run: Run
    results: RunResults
    run_ref: int = 0


@dataclass(frozen=True, slots=True)
class Flagging:
    """A test's time as flagged under one policy."""

    test_id: int
    flagged_at: datetime
    confirmed_at: datetime | None
    cleared_at: datetime | None
    score: float


@dataclass(frozen=True, slots=True)
class Difference:
    """The same test under today's and under the proposed policy; None where it would not be flagged."""

    test_id: int
    old: Flagging | None
    new: Flagging | None

    @property
    def same(self) -> bool:
        return self.old is not None and self.new is not None and self.old.flagged_at == self.new.flagged_at


@dataclass(frozen=True, slots=True)
class Simulation:
    """Both replays and where they differ; `per_day` counts flagged tests at the end of each day."""

    old: tuple[Flagging, ...]
    new: tuple[Flagging, ...]
    differences: tuple[Difference, ...]
    per_day: tuple[tuple[datetime, int, int], ...]

    @property
    def newly_flagged(self) -> tuple[int, ...]:
        return tuple(d.test_id for d in self.differences if d.old is None)

    @property
    def no_longer_flagged(self) -> tuple[int, ...]:
        return tuple(d.test_id for d in self.differences if d.new is None)


def simulate(
    history: Callable[[], Iterable[StoredRun | Merge]],
    old: Thresholds,
    new: Thresholds,
    *,
    past: History,
    q_table: QTable = SHIPPED,
) -> Simulation:
    """`history` is read once for each policy, in time order; `past` answers as in `apply_run`."""
    before, after = (_flaggings(history(), t, past, q_table) for t in (old, new))
    olds, news = ({f.test_id: f for f in reversed(found)} for found in (before, after))
    everyone = sorted(olds.keys() | news.keys())
    differences = [Difference(test, olds.get(test), news.get(test)) for test in everyone]
    return Simulation(
        tuple(before), tuple(after), tuple(d for d in differences if not d.same), _per_day(before, after)
    )


def _flaggings(
    history: Iterable[StoredRun | Merge], t: Thresholds, past: History, q_table: QTable
) -> list[Flagging]:
    state, transitions = ProjectState.empty(), list[Transition]()
    last: datetime | None = None
    for event in history:
        if isinstance(event, Merge):
            outcome, last = apply_merge(state, event, thresholds=t, q_table=q_table), event.at
        else:
            outcome = apply_run(
                state,
                event.run,
                event.results,
                run_ref=event.run_ref,
                thresholds=t,
                history=_until(past, event.run.at),
                q_table=q_table,
            )
            last = event.run.at
        transitions += outcome.transitions
    if last is not None:
        transitions += sweep(state, last, thresholds=t, q_table=q_table).transitions
    return flaggings(transitions)


def _until(past: History, now: datetime) -> History:
    """A replay must not look ahead."""
    return lambda test_id: [p for p in past(test_id) if p.run.at <= now]


def flaggings(transitions: Iterable[Transition]) -> list[Flagging]:
    """Spells of being flagged, in order of their beginning."""
    spells: list[Flagging] = []
    open_spells: dict[int, int] = {}
    for change in transitions:
        index = open_spells.get(change.test_id)
        if change.after is TestState.FLAKY and index is None:
            open_spells[change.test_id] = len(spells)
            confirmed = change.at if change.confirmed else None
            spells.append(Flagging(change.test_id, change.at, confirmed, None, change.score))
        elif index is not None:
            spells[index] = _continued(spells[index], change)
            if change.after is not TestState.FLAKY:
                del open_spells[change.test_id]
    return spells


def _continued(spell: Flagging, change: Transition) -> Flagging:
    flaky = change.after is TestState.FLAKY
    return Flagging(
        spell.test_id,
        spell.flagged_at,
        spell.confirmed_at or (change.at if flaky and change.confirmed else None),
        None if flaky else change.at,
        max(spell.score, change.score) if flaky else spell.score,
    )


def _per_day(old: Sequence[Flagging], new: Sequence[Flagging]) -> tuple[tuple[datetime, int, int], ...]:
    moments = [m for f in (*old, *new) for m in (f.flagged_at, f.cleared_at) if m]
    days = sorted({m.replace(hour=23, minute=59, second=59, microsecond=0) for m in moments})
    return tuple((day, _flagged_on(old, day), _flagged_on(new, day)) for day in days)


def _flagged_on(spells: Iterable[Flagging], at: datetime) -> int:
    return sum(f.flagged_at <= at and (f.cleared_at is None or f.cleared_at > at) for f in spells)
