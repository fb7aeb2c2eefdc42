"""Go (gotestsum), Rust (nextest), GoogleTest, Catch2 and ctest."""

from collections.abc import Sequence

from core.junit.dialects.base import Dialect, Repeats, counted_but_not_shown
from core.junit.raw import Evidence, RawCase
from core.report import Outcome, SuiteError

_NOT_STARTED = (
    "Unable to find",
    "Could not",
    "Fixture dependency",
    "Failed test dependencies",
    "BAD_COMMAND",
)


def _not_built(seen: Evidence, errors: Sequence[SuiteError]) -> Sequence[SuiteError]:
    """A package that does not build has no test case; only the outermost count tells."""
    if seen.counted_errors <= seen.error_cases or errors:
        return counted_but_not_shown(seen, errors)
    return (
        SuiteError(
            "", f"{seen.counted_errors} errors outside of any test: a package did not build or crashed"
        ),
    )


def _ctest(seen: Evidence) -> bool:
    first = seen.first_case
    return (
        first is not None
        and first.status in {"run", "fail", "notrun", "disabled"}
        and first.name == first.class_name
    )


def _not_started(raw: RawCase) -> Outcome | None:
    """ctest calls a test whose program is missing "notrun", and fails the run for it."""  # noqa: D403 - the tool's name
    return Outcome.ERROR if raw.marks[0].message.startswith(_NOT_STARTED) else None


DIALECTS = (
    Dialect(
        name="gotestsum",
        claims=lambda seen: "go.version" in seen.properties,
        repeats=Repeats.ATTEMPTS,
        hidden_errors=_not_built,
    ),
    Dialect(name="nextest", claims=lambda seen: seen.attributes.get("name") == "nextest-run"),
    Dialect(name="googletest", claims=lambda seen: seen.attributes.get("name") == "AllTests"),
    Dialect(name="ctest", claims=_ctest, skipped_means=_not_started),
    Dialect(name="catch2", claims=lambda seen: seen.suite_attributes.get("hostname") == "tbd"),
)
