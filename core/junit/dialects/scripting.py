"""PHPUnit, RSpec, Minitest, bats, busted and what converts TAP."""

import re

from core.identity import stable_file
from core.junit.dialects.base import (
    SEPARATOR,
    Dialect,
    Key,
    Repeats,
    bad,
    errors_beyond_cases,
    nameless,
    plain_key,
)
from core.junit.raw import Evidence, Mark, RawCase, Suite

_BEGIN = re.compile(r"begin \d+ ")
_NUMBERED = re.compile(r"test_\d{4}_")
_MINITEST_ORDER = ("skipped", "failures", "errors", "tests", "assertions", "time")
_MINITEST_ORDERS = frozenset({("name", *_MINITEST_ORDER), ("name", "filepath", *_MINITEST_ORDER)})
_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]")
_NO_PROVIDER = frozenset({"Error", "Warning"})
_TIMED = frozenset({"(init)", "(teardown)"})
"""What TAP::Formatter::JUnit puts around the tests of a file when prove measures time."""
_PLACED = re.compile(r"(.+\.lua):\d+$")
_RUN = re.compile(r"Run \d+ of \d+$")
_TAP_NUMBER = re.compile(r"(?:#\d+ |\d+ - )(?=.)|\d+$")
_TAP_SUITE = frozenset({"name", "tests", "failures", "errors", "skipped"})
_TAP_HARNESS = ("name", "errors", "failures", "skipped", "tests", "time")
_TAP_EXIT = re.compile(r"Dubious, test returned (\d+) ")


def _rspec(seen: Evidence) -> bool:
    return (
        seen.root == "testsuite"
        and seen.attributes.get("name", "").startswith("rspec")
        and "seed" in seen.properties
    )


def _phpunit(seen: Evidence) -> bool:
    return "assertions" in seen.case_attributes and "class" in seen.case_attributes


def _of_pest(raw: RawCase) -> Key:
    """Pest puts the name of the test behind the file, as its own notation for both.

    The outermost suite is the folder or the configuration, by its place on this machine.
    """
    _, class_name, name, file, variant = plain_key(raw)
    path = (stable_file(part) if _ABSOLUTE.match(part) else part for part in raw.suite.path)
    return SEPARATOR.join(filter(None, path)), class_name, name, file.partition("::")[0], variant


def _around_class(raw: RawCase) -> str | None:
    """PHPUnit lists what fails behind a class, and data providers, like tests."""
    if not bad(raw):
        return None
    if raw.name == "tearDownAfterClass" or (not raw.class_name and raw.name in _NO_PROVIDER):
        return raw.suite.name
    return nameless(raw)


def _bats(seen: Evidence) -> bool:
    return seen.suite_attributes.get("name", "").endswith(".bats")


def _without_begin(raw: RawCase) -> Key:
    """bats 1.8 writes "begin 4 NAME" for the later attempts of a test."""  # noqa: D403 - the tool's name
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, _BEGIN.sub("", name, count=1) if _BEGIN.match(name) else name, file, variant


def _without_number(raw: RawCase) -> Key:
    """Minitest's specs number their tests, so that a new one renames all that follow."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, _NUMBERED.sub("", name, count=1), file, variant


def _without_line(raw: RawCase) -> Key:
    """busted names the class by file and line, and the suite by the number of runs."""  # noqa: D403 - the tool's name
    suite, class_name, name, file, variant = plain_key(raw)
    if placed := _PLACED.match(class_name):
        class_name, file = placed[1], file or placed[1]
    return "" if _RUN.match(suite) else suite, class_name, name, file, variant


def _tap(seen: Evidence) -> bool:
    """TAP::Formatter::JUnit writes its attributes in any order; the lines of TAP are numbered."""
    first = seen.first_case
    return (
        first is not None
        and seen.root == "testsuites"
        and _TAP_SUITE - {"skipped"} <= seen.suite_attributes.keys() <= _TAP_SUITE | {"time"}
        and seen.case_attributes <= {"name", "time"}
        and (first.name in _TIMED or _TAP_NUMBER.match(first.name) is not None)
    )


def _without_tap_number(raw: RawCase) -> Key:
    """The number of a TAP line changes with every line that is added above."""
    suite, class_name, name, file, variant = plain_key(raw)
    described = _TAP_NUMBER.match(name)
    return suite, class_name, name[described.end() :] or name if described else name, file, variant


def _tap_harness(seen: Evidence) -> bool:
    first = seen.first_case
    return (
        first is not None
        and first.class_name == first.suite.name
        and not seen.attributes
        and tuple(seen.suite_attributes) == _TAP_HARNESS
    )


def _unplanned(raw: RawCase) -> str | None:
    """A script that dies or stops short of its plan is an entry of its own."""
    unplanned = any(mark.type == "Plan" for mark in raw.marks)
    return raw.suite.name if bad(raw) and unplanned else nameless(raw)


def _exit_of_failures(suite: Suite, mark: Mark) -> bool:
    """A Perl test exits with the number of its failed tests, of which prove complains once more."""
    exit_ = _TAP_EXIT.match(mark.message)
    return exit_ is not None and int(exit_[1]) == suite.bad


DIALECTS = (
    Dialect(name="rspec", claims=_rspec, hidden_errors=errors_beyond_cases),
    Dialect(
        name="minitest",
        claims=lambda seen: tuple(seen.suite_attributes) in _MINITEST_ORDERS,
        key=_without_number,
    ),
    Dialect(name="phpunit", claims=_phpunit, key=_of_pest, suite_error=_around_class),
    Dialect(name="bats", claims=_bats, key=_without_begin, repeats=Repeats.RERUNS),
    Dialect(
        name="busted",
        claims=lambda seen: bool(_RUN.match(seen.suite_attributes.get("name", ""))),
        key=_without_line,
    ),
    Dialect(name="tap", claims=_tap, key=_without_tap_number, repeats_itself=_exit_of_failures),
    Dialect(name="tap-harness", claims=_tap_harness, suite_error=_unplanned),
)
