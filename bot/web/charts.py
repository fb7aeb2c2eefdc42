"""Charts as plain numbers; the templates draw them, and say them in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.slack.blocks.words import count
from bot.web.words import moment
from core.report import Outcome
from storage.history import Execution

HEIGHT: Final = 100
LABELS: Final = 15
"""Dates that fit side by side on a phone."""
LEAST: Final = 3
"""A day with one failure among hundreds still shows."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    day: date
    value: int
    height: int
    labelled: bool
    """There is room for its date."""
    month: bool
    """It is the first of its month whose date is shown."""


def bars(daily: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    """Failures per day, oldest first; of many days only some are labelled, the newest always."""
    most = max((value for _, value in daily), default=0)
    every = -(-len(daily) // LABELS)
    drawn: list[Bar] = []
    months: set[int] = set()
    for left, (text, value) in zip(range(len(daily) - 1, -1, -1), daily, strict=True):
        day, labelled = date.fromisoformat(text), left % every == 0
        height = max(LEAST, round(HEIGHT * value / most)) if value else 0
        drawn.append(Bar(day, value, height, labelled, labelled and day.month not in months))
        months |= {day.month} if labelled else set()
    return tuple(drawn)


def bars_in_words(shown: Sequence[Bar]) -> str:
    """What the chart says, for whoever does not see it."""
    values = ", ".join(f"{bar.day.day} {bar.day:%b}: {bar.value}" for bar in shown)
    return f"Flaky failures per day. {values}."


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution in a history strip."""

    kind: str
    title: str
    url: str


KINDS: Final = ("passed", "failed", "retried", "skipped")
WORDS: Final = {"passed": "passed", "failed": "failed", "retried": "passed on a retry", "skipped": "skipped"}


def kind_of(one: Execution) -> str:
    """How it ended, as the strip tells it apart."""
    if one.outcome is Outcome.SKIPPED:
        return "skipped"
    if one.outcome.bad:
        return "failed"
    return "passed" if one.clean else "retried"


def strip(newest_first: Sequence[Execution]) -> tuple[Cell, ...]:
    """One cell for each execution, oldest first."""
    return tuple(_cell(one) for one in reversed(newest_first))


def strip_in_words(cells: Iterable[Cell]) -> str:
    """What the strip says, for whoever does not see it."""
    kinds = [cell.kind for cell in cells]
    told = ", ".join(f"{kinds.count(kind)} {WORDS[kind]}" for kind in KINDS if kind in kinds)
    return f"The last {count(len(kinds), 'execution')}, oldest first: {told}."


def _cell(one: Execution) -> Cell:
    kind, run = kind_of(one), one.run
    where = f" on {run.branch}" if run.branch else ""
    return Cell(kind, f"{WORDS[kind]}{where}, {moment(run.at)}, commit {run.commit[:10]}", run.url)


@dataclass(frozen=True, slots=True)
class Whisker:
    """A rate with its interval on a line of 100 units."""

    low: float
    rate: float
    high: float


_SCALES: Final = (0.05, 0.1, 0.25, 0.5, 1.0)


def scale_for(highs: Iterable[float]) -> float:
    """One scale for a whole column, so that its lines can be compared."""
    most = max(highs, default=1.0)
    return next((scale for scale in _SCALES if most <= scale), 1.0)


def whisker(low: float, rate: float, high: float, scale: float) -> Whisker:
    """Where to draw it."""
    return Whisker(*(round(100 * min(max(part / scale, 0.0), 1.0), 1) for part in (low, rate, high)))
