"""What a dialect may decide: who wrote the report, what a repeated entry means, what names a test."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from core.junit.raw import Evidence, RawCase
from core.report import TestKey


class Repeats(Enum):
    """What several entries with one identity mean."""

    AMBIGUOUS = "different tests of one name"
    ATTEMPTS = "the attempts of one test, in order"
    RERUNS = "pytest-rerunfailures: all but the last failed, whatever they look like"


SEPARATOR = " > "


def plain_key(raw: RawCase) -> TestKey:
    """As written: suite path, class, name and file."""
    suite = raw.suite
    return TestKey(SEPARATOR.join(suite.path), raw.class_name, raw.name, raw.file or suite.file)


def no_suite_error(_: RawCase) -> str | None:
    """Every entry is a test."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The habits of one family of tools."""

    name: str
    claims: Callable[[Evidence], bool]
    repeats: Repeats = Repeats.AMBIGUOUS
    failures_are_attempts: bool = False
    """Several `<failure>` in one case are attempts (vitest), not expectations of one attempt (jasmine)."""
    skipped_wins: bool = False
    """A failure beside `<skipped>` does not count (node:test's todo)."""
    key: Callable[[RawCase], TestKey] = plain_key
    suite_error: Callable[[RawCase], str | None] = no_suite_error
    """The name of the suite whose error this entry reports, when it is not a test."""
