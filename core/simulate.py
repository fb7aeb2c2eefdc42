"""Replay stored history under two policies: who would have been flagged, when, and what changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from core.engine import ProjectState, RunOutcome, apply_merge, apply_run, sweep
from core.evidence import QTable
from core.execution import Merge, RunResults
from core.q_table import SHIPPED
from core.run import Run
from core.step import History
from core.thresholds import Thresholds
from core.verdict import TestState, Transition


@dataclass(frozen=True, slots=True)
class Flagging:
    """A test's time as flagged under one policy."""

    test_id: int
    flagged_at: datetime
    confirmed_at: datetime | None
    cleared_at: datetime | None
    score: float


class Change(StrEnum):
    """What another policy does to a test."""

    MORE = "newly flagged"
    FEWER = "no longer flagged"
    SOONER = "flagged sooner"
    LATER = "flagged later"
    PROOF = "confirmed otherwise"
    CLEARED = "cleared otherwise"


@dataclass(frozen=True, slots=True)
class Difference:
    """The same test under today's and under the proposed policy; None where it would not be flagged."""

    test_id: int
    old: Flagging | None
    new: Flagging | None

    @property
    def change(self) -> Change | None:
        """None when both say the same."""
        if self.old is None or self.new is None:
            return Change.MORE if self.old is None else Change.FEWER
        if self.old.flagged_at != self.new.flagged_at:
            return Change.SOONER if self.new.flagged_at < self.old.flagged_at else Change.LATER
        if self.old.confirmed_at != self.new.confirmed_at:
            return Change.PROOF
        return Change.CLEARED if self.old.cleared_at != self.new.cleared_at else None


@dataclass(frozen=True, slots=True)
class Day:
    """Tests flagged at its end."""

    at: datetime
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Both replays and where they differ."""

    old: tuple[Flagging, ...]
    new: tuple[Flagging, ...]
    differences: tuple[Difference, ...]
    per_day: tuple[Day, ...]


@dataclass(slots=True)
class Trial:
    """One policy on its way through a history, in time order."""

    thresholds: Thresholds
    q_table: QTable = field(default_factory=lambda: SHIPPED)
    state: ProjectState = field(default_factory=ProjectState.empty)
    transitions: list[Transition] = field(default_factory=list)
    until: datetime | None = None

    def see_run(self, run: Run, results: RunResults, *, run_ref: int, history: History) -> None:
        """`history` answers as in `apply_run`, and must not look ahead."""
        outcome = apply_run(
            self.state,
            run,
            results,
            run_ref=run_ref,
            thresholds=self.thresholds,
            history=history,
            q_table=self.q_table,
        )
        self._note(outcome, run.at)

    def see_merge(self, merge: Merge) -> None:
        """A pull request was merged."""
        outcome = apply_merge(self.state, merge, thresholds=self.thresholds, q_table=self.q_table)
        self._note(outcome, merge.at)

    def end(self) -> list[Flagging]:
        """Let the last day pass; every test's time as flagged."""
        if self.until is not None:
            outcome = sweep(self.state, self.until, thresholds=self.thresholds, q_table=self.q_table)
            self._note(outcome, self.until)
        return flaggings(self.transitions)

    def _note(self, outcome: RunOutcome, at: datetime) -> None:
        self.transitions += outcome.transitions
        self.until = at


def compare(old: Sequence[Flagging], new: Sequence[Flagging]) -> Simulation:
    """Each test by its first time as flagged."""
    olds, news = ({f.test_id: f for f in reversed(found)} for found in (old, new))
    everyone = sorted(olds.keys() | news.keys())
    differences = [Difference(test, olds.get(test), news.get(test)) for test in everyone]
    return Simulation(
        tuple(old), tuple(new), tuple(d for d in differences if d.change is not None), _per_day(old, new)
    )


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
    if change.after is not TestState.FLAKY:
        return replace(spell, cleared_at=change.at)
    confirmed = spell.confirmed_at or (change.at if change.confirmed else None)
    return replace(spell, confirmed_at=confirmed, score=max(spell.score, change.score))


def _per_day(old: Sequence[Flagging], new: Sequence[Flagging]) -> tuple[Day, ...]:
    moments = [m for f in (*old, *new) for m in (f.flagged_at, f.cleared_at) if m]
    days = sorted({m.replace(hour=23, minute=59, second=59, microsecond=0) for m in moments})
    return tuple(Day(day, _flagged_on(old, day), _flagged_on(new, day)) for day in days)


def _flagged_on(spells: Iterable[Flagging], at: datetime) -> int:
    return sum(f.flagged_at <= at and (f.cleared_at is None or f.cleared_at > at) for f in spells)
