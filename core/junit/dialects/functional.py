"""Erlang (EUnit, Common Test), OCaml (OUnit) and R (testthat)."""

import re

from core.junit.dialects.base import Dialect, Key, Repeats, around, bad, plain_key
from core.junit.raw import Evidence, RawCase
from core.report import Outcome

_LINE = re.compile(r"(\w+):\d+ (?=.)")
_EUNIT = ("module '", 'file "')
"""The latter where rebar3 tests an application."""
_FIXTURE = re.compile(r"fixture \w+ \[")
_CONFIGURATION = frozenset(
    f"{moment}_per_{scope}" for moment in ("init", "end") for scope in ("suite", "group", "testcase")
)
_NUMBER = re.compile(r":\d+(?=:\D)")
_OUNIT = frozenset({"suite_name", "chooser", "results_style_1_X"})
_TESTTHAT = ("name", "timestamp", "hostname", "tests", "skipped", "failures", "errors", "time")


def _without_line_number(raw: RawCase) -> Key:
    """EUnit puts the module and the line in front of a generated test's name."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, _LINE.sub(r"\1 ", name, count=1), file, variant


def _timed_out(raw: RawCase) -> Outcome | None:
    """EUnit knows no skipping: it writes so of a test that took too long, and fails the run for it."""
    return Outcome.ERROR if raw.marks[0].type == "timeout" else None


def _eunit_fixture(raw: RawCase) -> str | None:
    return raw.suite.name if bad(raw) and _FIXTURE.match(raw.name) else around(raw)


def _common_test(seen: Evidence) -> bool:
    first = seen.first_case
    return first is not None and first.file.endswith(".erl") and "log" in seen.case_attributes


def _configuration(raw: RawCase) -> str | None:
    """Common Test lists its configuration functions among the tests."""
    return f"{raw.suite.name}:{raw.name}" if bad(raw) and raw.name in _CONFIGURATION else around(raw)


def _without_numbers(raw: RawCase) -> Key:
    """OUnit numbers its tests, so that a new one renames all that follow; without a label the number is the name."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, _NUMBER.sub("", class_name), _NUMBER.sub("", name), file, variant


def _testthat(seen: Evidence) -> bool:
    first = seen.first_case
    return (
        first is not None
        and not seen.attributes
        and tuple(seen.suite_attributes) == _TESTTHAT
        and seen.case_attributes == {"time", "classname", "name"}
        and first.class_name == first.suite.name
    )


DIALECTS = (
    Dialect(
        name="eunit",
        claims=lambda seen: seen.suite_attributes.get("name", "").startswith(_EUNIT),
        key=_without_line_number,
        suite_error=_eunit_fixture,
        skipped_means=_timed_out,
    ),
    Dialect(name="common-test", claims=_common_test, suite_error=_configuration),
    Dialect(name="ounit", claims=lambda seen: seen.properties.keys() >= _OUNIT, key=_without_numbers),
    # testthat writes an entry for each expectation.
    Dialect(name="testthat", claims=_testthat, repeats=Repeats.PARTS),
)
