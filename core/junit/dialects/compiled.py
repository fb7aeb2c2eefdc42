"""Go (gotestsum, go-junit-report, Ginkgo), Rust (nextest), .NET, XCTest, and what tests C++."""

import re

from core.identity import stable_file
from core.junit.dialects.base import Dialect, Key, Repeats, around, bad, errors_beyond_cases, plain_key
from core.junit.raw import Evidence, RawCase
from core.report import Attempt, Outcome

_NOT_STARTED = (
    "Unable to find",
    "Could not",
    "Fixture dependency",
    "Failed test dependencies",
    "BAD_COMMAND",
)
_AROUND_TESTS = frozenset({"initTestCase", "cleanupTestCase"})
_ASSEMBLIES = (".dll", ".exe")
_FRAMEWORK = re.compile(r"[\\/](net(?:coreapp)?\d[\w.\-]*)[\\/]")
_XCTEST_SUITES = frozenset({"All tests", "Selected tests"})
_GINKGO_NODE = re.compile(r"\[((?:Synchronized|Report)?(?:Before|After)Suite|DeferCleanup \(Suite\))\]")


_MESON = ("tests", "errors", "failures")
_MESON_SUITE = ("name", "tests", "errors", "failures", "skipped", "time")
_GTEST_BEGINS = ("name", "tests", "failures", "disabled")
_LIBTEST = ("name", "package", "id", "errors", "failures", "tests", "skipped")
_TAP_NUMBER = re.compile(r"\d+ (?=.)")
_ITERATION = re.compile(r"@stress-\d+$")
_OPEN_LINE = re.compile(r"[^\n]--- PASS: (\S+) \((\d+\.\d+)s\)$", re.MULTILINE)
_BROKEN_PACKAGES = frozenset({"[build failed]", "[setup failed]", "TestMain"})
_GO_JUNIT_REPORT = ("name", "tests", "failures", "errors", "id")


def _go_junit_report(seen: Evidence) -> bool:
    """Without its option -go-version nothing tells it but the order of attributes and a package for a class."""
    first = seen.first_case
    return (
        first is not None
        and first.class_name == first.suite.name
        and seen.root == "testsuites"
        and tuple(seen.suite_attributes)[:5] == _GO_JUNIT_REPORT
        and {"name", "classname"} <= seen.case_attributes <= {"name", "classname", "time", "status"}
    )


def _go_package(raw: RawCase) -> str | None:
    """A package that does not build, or fails around its tests, is an entry under a name no test can have."""
    broken = raw.name in _BROKEN_PACKAGES or (
        raw.name == "Failure" and any(mark.message == "Runtime error" for mark in raw.marks)
    )
    return (raw.suite.name or raw.class_name) if bad(raw) and broken else around(raw)


def _open_line(raw: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Before Go 1.20 a test that leaves its last line open seems not to end, though behind that line it says PASS."""
    last = attempts[-1]
    ended = _OPEN_LINE.search(last.message or "") if last.outcome.bad else None
    if ended is None or ended[1] != raw.name:
        return attempts
    return (*attempts[:-1], Attempt(Outcome.PASSED, float(ended[2])))


def _nextest(seen: Evidence) -> bool:
    return seen.attributes.get("name") == "nextest-run"


def _stressed(seen: Evidence) -> bool:
    return _nextest(seen) and _ITERATION.search(seen.suite_attributes.get("name", "")) is not None


def _without_iteration(raw: RawCase) -> Key:
    """With --stress-count nextest runs all tests again and again, each time as suites of their own."""
    suite, class_name, name, file, variant = plain_key(raw)
    return _ITERATION.sub("", suite), class_name, name, file, variant


def _ctest(seen: Evidence) -> bool:
    first = seen.first_case
    return (
        first is not None
        and first.status in {"run", "fail", "notrun", "disabled"}
        and first.name == first.class_name
    )


def _libtest(seen: Evidence) -> bool:
    return tuple(seen.suite_attributes) == _LIBTEST and seen.suite_attributes["package"] == "test"


def _printed(raw: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Rust's own reporter says nothing in a failure; the panic is in what the test printed."""
    last = attempts[-1]
    return (last._replace(message=raw.output),) if last.outcome.bad and raw.output else attempts


def _meson(seen: Evidence) -> bool:
    """What ends first comes first, and of a GoogleTest program Meson takes the suites as they are."""
    suite = tuple(seen.suite_attributes)
    return tuple(seen.attributes) == _MESON and (suite == _MESON_SUITE or suite[:4] == _GTEST_BEGINS)


def _without_tap_number(raw: RawCase) -> Key:
    """Meson numbers the lines of a program that speaks TAP, so that a new one renames all that follow."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, name if raw.time else _TAP_NUMBER.sub("", name, count=1), file, variant


def _not_started(raw: RawCase) -> Outcome | None:
    """ctest calls a test whose program is missing "notrun", and fails the run for it."""  # noqa: D403 - the tool's name
    return Outcome.ERROR if raw.marks[0].message.startswith(_NOT_STARTED) else None


def _qt_skips(raw: RawCase) -> Outcome | None:
    """Qt 5 gives every test a result but those it skips; the reason is a comment."""
    return None if raw.status else Outcome.SKIPPED


def _qt_suite(raw: RawCase) -> str | None:
    return raw.suite.name if bad(raw) and raw.name in _AROUND_TESTS else around(raw)


def _of_program(raw: RawCase) -> Key:
    """doctest names the suite by the path with which its program was called."""  # noqa: D403 - the tool's name
    suite, class_name, name, file, variant = plain_key(raw)
    return stable_file(suite), class_name, name, file, variant


def _dotnet(seen: Evidence) -> bool:
    first = seen.first_case
    return first is not None and seen.root == "testsuites" and first.file.endswith(_ASSEMBLIES)


def _of_assembly(raw: RawCase) -> Key:
    """The file is the assembly, in a folder of its build configuration and target framework."""
    suite, class_name, name, file, _ = plain_key(raw)
    if not file.endswith(_ASSEMBLIES):
        return suite, class_name, name, file, ""
    framework = _FRAMEWORK.search(file)
    return suite, class_name, name, "", framework[1] if framework else ""


def _ginkgo_suite(raw: RawCase) -> str | None:
    return raw.suite.name if bad(raw) and _GINKGO_NODE.match(raw.name) else around(raw)


DIALECTS = (
    Dialect(
        name="gotestsum",
        claims=lambda seen: "go.version" in seen.properties,
        repeats=Repeats.ATTEMPTS,
        retold=_open_line,
        suite_error=_go_package,
        hidden_errors=errors_beyond_cases,
    ),
    # A package has one test of a name, so what occurs again was run again.
    Dialect(
        name="go-junit-report",
        claims=_go_junit_report,
        repeats=Repeats.ATTEMPTS,
        suite_error=_go_package,
    ),
    Dialect(name="nextest", claims=_stressed, key=_without_iteration, repeats=Repeats.ATTEMPTS),
    Dialect(name="nextest", claims=_nextest),
    Dialect(name="libtest", claims=_libtest, retold=_printed),
    Dialect(name="googletest", claims=lambda seen: seen.attributes.get("name") == "AllTests"),
    Dialect(
        name="ginkgo", claims=lambda seen: "SuiteSucceeded" in seen.properties, suite_error=_ginkgo_suite
    ),
    Dialect(name="dotnet", claims=_dotnet, key=_of_assembly),
    # A class has one method of a name, so what occurs again was run again.
    Dialect(
        name="xctest",
        claims=lambda seen: seen.attributes.get("name") in _XCTEST_SUITES,
        repeats=Repeats.AFTER_FAILURE,
    ),
    Dialect(name="doctest", claims=lambda seen: "doctest_version" in seen.suite_attributes, key=_of_program),
    Dialect(
        name="qttest",
        claims=lambda seen: "QTestVersion" in seen.properties,
        key=plain_key,
        unmarked_means=_qt_skips,
        suite_error=_qt_suite,
    ),
    Dialect(name="meson", claims=_meson, key=_without_tap_number),
    Dialect(name="ctest", claims=_ctest, skipped_means=_not_started),
    Dialect(name="catch2", claims=lambda seen: seen.suite_attributes.get("hostname") == "tbd"),
)
