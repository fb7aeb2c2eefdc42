"""What a simulated history consists of: events in time order, and the truth that no rule may look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from core.execution import Merge
from core.report import TestKey
from core.run import Run

Attempts = tuple[str | None, ...]
"""Message of each failing attempt in order, None for a passing one; the last stands for the test."""


class Cause(StrEnum):
    """Why an execution really failed."""

    CHANCE = "chance"
    BROKEN = "broken"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class RunEvent:
    run: Run
    ids: npt.NDArray[np.int64]
    """Sorted ids of all tests of the report."""
    failures: Mapping[int, Attempts]
    causes: Mapping[int, Cause]

    @property
    def at(self):
        return self.run.at


@dataclass(slots=True)
class Truth:
    """What a test really is."""

    kind: str = "healthy"
    rate: float = 0.0
    since: float = 0.0
    until: float = float("inf")
    """Simulated hours between which it is flaky."""
    chance_failures: list[float] = field(default_factory=list)
    broken_failures: int = 0
    outage_failures: int = 0
    executions: int = 0

    @property
    def flaky(self) -> bool:
        return self.kind != "healthy"


@dataclass(frozen=True, slots=True)
class History:
    profile: str
    seed: int
    events: Sequence[RunEvent | Merge]
    truths: Mapping[int, Truth]
    keys: Mapping[int, TestKey]
    hours: float

    @property
    def runs(self) -> list[RunEvent]:
        return [event for event in self.events if isinstance(event, RunEvent)]

    def detectable(self, least: int = 3, window_hours: float = 28 * 24) -> set[int]:
        """Flaky tests that failed by their own chance at least `least` times within one window."""
        return {
            test
            for test, truth in self.truths.items()
            if truth.flaky and _within(truth.chance_failures, least, window_hours)
        }

    def active_at_end(self) -> set[int]:
        return {test for test, truth in self.truths.items() if truth.flaky and truth.until >= self.hours}


def _within(times: Sequence[float], least: int, span: float) -> bool:
    return any(times[i + least - 1] - times[i] <= span for i in range(len(times) - least + 1))
