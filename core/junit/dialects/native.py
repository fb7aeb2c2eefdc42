"""Go (gotestsum) and Rust (nextest)."""

from collections.abc import Sequence

from core.junit.dialects.base import Dialect, Repeats, counted_but_not_shown
from core.junit.raw import Evidence
from core.report import SuiteError


def _gotestsum(seen: Evidence) -> bool:
    return "go.version" in seen.properties


def _not_built(seen: Evidence, errors: Sequence[SuiteError]) -> Sequence[SuiteError]:
    """A package that does not build has no test case; only the outermost count tells."""
    if seen.counted_errors <= seen.error_cases or errors:
        return counted_but_not_shown(seen, errors)
    return (SuiteError("", f"{seen.counted_errors} errors outside of any test: a package did not build or crashed"),)


DIALECTS = (
    Dialect(name="gotestsum", claims=_gotestsum, repeats=Repeats.ATTEMPTS, hidden_errors=_not_built),
    Dialect(name="nextest", claims=lambda seen: seen.attributes.get("name") == "nextest-run"),
)
