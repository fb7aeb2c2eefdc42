"""What a dialect may decide: who wrote the report, what a repeated entry means, what names a test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from core.junit.raw import Evidence, RawCase
from core.report import Outcome, SuiteError

Key = tuple[str, str, str, str, str]
SEPARATOR = " > "


class Repeats(Enum):
    """What several entries with one identity mean."""

    AMBIGUOUS = "different tests of one name"
    ATTEMPTS = "the attempts of one test, in order"
    RERUNS = "all but the last are failed attempts, whatever they look like"
    AFTER_FAILURE = "attempts when each but the last failed, otherwise different tests of one name"


def plain_key(raw: RawCase) -> Key:
    """As written: suite path, class, name and file."""
    suite = raw.suite
    return SEPARATOR.join(suite.path), raw.class_name, raw.name, raw.file or suite.file, ""


def bad(raw: RawCase) -> bool:
    """Some mark of this entry is a failure or an error."""
    return any(mark.tag in {"failure", "error"} for mark in raw.marks)


def nameless(raw: RawCase) -> str | None:
    """An entry without a name that went wrong is a suite's set-up or tear-down, not a test."""
    if raw.name.strip() or not bad(raw):
        return None
    return raw.class_name or raw.suite.name


def counted_but_not_shown(seen: Evidence, errors: Sequence[SuiteError]) -> Sequence[SuiteError]:
    """Counts are never trusted for good news; when they claim bad and no case shows any, something else failed."""
    if not seen.counted_bad or errors or seen.tags - {"skipped"} or seen.odd_statuses:
        return ()
    suite = seen.attributes.get("name", "")
    return (SuiteError(suite, f"the report counts {seen.counted_bad} failures or errors but shows none"),)


def no_advice(_: Evidence) -> tuple[str, ...]:
    """Nothing to tell."""
    return ()


def as_marked(_: RawCase) -> Outcome | None:
    """The marks say it all."""
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
    skipped_means: Callable[[RawCase], Outcome | None] = as_marked
    """What a case marked skipped really was, for tools that call more than that skipped."""
    key: Callable[[RawCase], Key] | None = None
    """Suite, class, name, file and variant, where they are not as written."""
    suite_error: Callable[[RawCase], str | None] = nameless
    """The suite whose error this entry reports, when it is not a test."""
    hidden_errors: Callable[[Evidence, Sequence[SuiteError]], Sequence[SuiteError]] = counted_but_not_shown
    """Errors that only the counts betray."""
    advice: Callable[[Evidence], tuple[str, ...]] = no_advice
    """What to tell the people who made this report."""
