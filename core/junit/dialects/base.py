"""What a dialect may decide: who wrote the report, what a repeated entry means, what names a test."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from core.junit.raw import Evidence, Mark, RawCase, Suite
from core.report import Attempt, Outcome, SuiteError

Key = tuple[str, str, str, str, str]
SEPARATOR = " > "
HOOK = re.compile(r"(?:(.*) )?\"(?:before|after) (?:all|each)\" hook")
"""As Mocha calls its hooks, behind the name of their block."""
_FIXTURE = re.compile(r"(?:setUp|tearDown)(?:Class|Module) \(")
_NOT_RUN = "Not run because a beforeAll function failed"
_PRETENDED = ("_ErrorHolder", "_FailedTest", "nose.suite.ContextSuite", "nose.failure.Failure")
"""What unittest and nose call that which stands for a fixture or a module in a list of tests."""


class Repeats(Enum):
    """What several entries with one identity mean."""

    AMBIGUOUS = "different tests of one name"
    ATTEMPTS = "the attempts of one test, in order"
    RERUNS = "all but the last are failed attempts, whatever they look like"
    RERUNS_UNLESS_SKIPPED = (
        "so, but where one before the last was skipped they are different tests of one name"
    )
    RERUNS_UNLESS_PASSED = "so, and where none of them failed they are different tests, too"
    AFTER_FAILURE = "attempts when each but the last failed, otherwise different tests of one name"
    PARTS = "the expectations of one attempt"


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


def around(raw: RawCase) -> str | None:
    """Hooks of Mocha and fixtures of unittest look like tests in what many reporters write."""
    if not bad(raw):
        return None
    name, class_name = raw.name, raw.class_name
    if "hook" in name and HOOK.match(name):
        return class_name or raw.suite.name
    if "hook" in class_name and HOOK.match(class_name):
        return name
    written = f"{class_name}.{name}" if class_name else name
    if _pretends(class_name) or _pretends(raw.suite.name):
        return written
    return written if _FIXTURE.match(written) else nameless(raw)


@lru_cache(maxsize=4096)
def _pretends(owner: str) -> bool:
    return any(pretended in owner for pretended in _PRETENDED)


def behind_hook(raw: RawCase) -> str | None:
    """Jasmine lists as failed what it did not run because a hook in front of it had failed."""
    if bad(raw) and any(_NOT_RUN in mark.message or _NOT_RUN in mark.text for mark in raw.marks):
        return raw.class_name or raw.suite.name
    return around(raw)


def shaped(root: str, *orders: Sequence[str]) -> Callable[[Evidence], bool]:
    """Claims what has this root and the attributes of a suite in one of these orders; people rename suites.

    A tool writes its attributes in one order of its own, so that it is known also when its title was configured away.
    """
    known = {tuple(order) for order in orders}
    return lambda seen: seen.root == root and tuple(seen.suite_attributes) in known


def counted_but_not_shown(seen: Evidence, errors: Sequence[SuiteError]) -> Sequence[SuiteError]:
    """Counts are never trusted for good news; when they claim bad and no case shows any, something else failed."""
    if seen.odd_statuses:
        return ()
    told = {error.suite for error in errors}
    silent = [
        SuiteError(suite.name, f"the suite counts {suite.counted_bad} failures or errors but shows none")
        for suite in seen.silent
        if suite.name not in told
    ]
    if silent or errors or not seen.counted_bad or seen.tags - {"skipped"}:
        return silent
    suite = seen.attributes.get("name", "")
    return (SuiteError(suite, f"the report counts {seen.counted_bad} failures or errors but shows none"),)


def errors_beyond_cases(seen: Evidence, errors: Sequence[SuiteError]) -> Sequence[SuiteError]:
    """For tools whose count of errors is of what went wrong outside of tests: only the outermost count tells."""
    beyond = seen.counted_errors - seen.error_cases
    if beyond <= 0 or errors:
        return counted_but_not_shown(seen, errors)
    what = "1 error" if beyond == 1 else f"{beyond} errors"
    return (SuiteError("", f"{what} outside of any test: something did not load, build or clean up"),)


def no_advice(_: Evidence) -> tuple[str, ...]:
    """Nothing to tell."""
    return ()


def as_marked(_: RawCase) -> Outcome | None:
    """The marks say it all."""
    return None


def as_told(_: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The marks are the attempts."""
    return attempts


def told_again(_: Evidence) -> bool:
    """Nothing speaks against it."""
    return True


def says_more(_suite: Suite, _mark: Mark) -> bool:
    """What stands outside of cases is something of its own."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The habits of one family of tools."""

    name: str
    claims: Callable[[Evidence], bool]
    repeats: Repeats = Repeats.AMBIGUOUS
    reran: Callable[[Evidence], bool] = told_again
    """False when the counts say that what looks like reruns that recovered was not run again."""
    failures_are_attempts: bool = False
    """Several `<failure>` in one case are attempts (vitest), not expectations of one attempt (jasmine)."""
    skipped_wins: bool = False
    """A failure beside `<skipped>` does not count (node:test's todo)."""
    skipped_means: Callable[[RawCase], Outcome | None] = as_marked
    """What a case marked skipped really was, for tools that call more than that skipped."""
    unmarked_means: Callable[[RawCase], Outcome | None] = as_marked
    """What a case without marks was, for tools that say so elsewhere; needs `key`, or rows are read in bulk."""
    retold: Callable[[RawCase, tuple[Attempt, ...]], tuple[Attempt, ...]] = as_told
    """The attempts, where a name or a message tells of more than the marks do; silent cases need `key` for it."""
    key: Callable[[RawCase], Key] | None = None
    """Suite, class, name, file and variant, where they are not as written."""
    suite_error: Callable[[RawCase], str | None] = around
    """The suite whose error this entry reports, when it is not a test."""
    blocks_fail: bool = False
    """A hook that failed is an entry with the name of its block, behind the tests of the suite."""
    hidden_errors: Callable[[Evidence, Sequence[SuiteError]], Sequence[SuiteError]] = counted_but_not_shown
    """Errors that only the counts betray."""
    repeats_itself: Callable[[Suite, Mark], bool] = says_more
    """An error of a suite that only says again what its cases say."""
    advice: Callable[[Evidence], tuple[str, ...]] = no_advice
    """What to tell the people who made this report."""

    @property
    def retries(self) -> bool:
        """Entries of one identity may be attempts."""
        return self.repeats not in {Repeats.AMBIGUOUS, Repeats.PARTS}
