"""What a test report says once it is read: suites of test cases, each with its attempts in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How one attempt, or a test as a whole, ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def bad(self) -> bool:
        """True for a failure or an error."""
        return self in {Outcome.FAILED, Outcome.ERROR}


class Attempt(NamedTuple):
    """One execution of a test case; `duration` in seconds or None when unknown, `message` bounded text."""

    outcome: Outcome
    duration: float | None = None
    message: str | None = None


class TestKey(NamedTuple):
    """What names a test inside a project; every part is normalised text, empty when the dialect has none."""

    suite: str
    class_name: str
    name: str
    file: str = ""
    variant: str = ""


TestKey.__test__ = False  # type: ignore[attr-defined] # pytest would take the name for that of a test


class CaseResult(NamedTuple):
    """One test of a report: its key and its attempts in order; the last attempt stands for the test."""

    key: TestKey
    attempts: tuple[Attempt, ...]
    ambiguous: bool = False
    """Two different tests share this key in one report: its mixed outcomes prove nothing."""
    volatile: bool = False
    """The name was masked (UUID, address, time ...) and several entries folded into this one."""
    output: str = ""
    """The beginning and the end of what a failing case printed."""

    @property
    def outcome(self) -> Outcome:
        return self.attempts[-1].outcome

    @property
    def duration(self) -> float | None:
        return self.attempts[-1].duration

    @property
    def flaky(self) -> bool:
        """It failed and then passed within this one run."""
        return (
            not self.ambiguous
            and self.outcome is Outcome.PASSED
            and any(attempt.outcome.bad for attempt in self.attempts)
        )


@dataclass(frozen=True, slots=True)
class SuiteError:
    """A collection, import or set-up error of a suite: not a test with a history, but the gate must know."""

    suite: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """One whole report. `partial`: the file was cut short, so an absent test is not a passed one."""

    dialect: str
    cases: Sequence[CaseResult]
    partial: bool = False
    warnings: tuple[str, ...] = ()
    suite_errors: tuple[SuiteError, ...] = field(default=())
