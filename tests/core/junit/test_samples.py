"""The samples of real tools against what their test sources say, written by hand."""

from pathlib import Path

import pytest

from core.junit import ReportError, read_report, stream_report
from core.report import Report

SAMPLES = Path(__file__).parents[2] / "samples"
P, F, E, S = "passed", "failed", "error", "skipped"


def read(sample: str) -> Report:
    return read_report((SAMPLES / sample).read_bytes(), name=sample)


def outcomes(report: Report) -> dict[str, list[str]]:
    return {case.key.name: [attempt.outcome.value for attempt in case.attempts] for case in report.cases}


TRUTH = {
    "junit/pytest-rerunfailures.xml": {
        "test_pass": [P], "test_fail": [F], "test_setup_error": [E], "test_teardown_error": [E],
        "test_fail_and_teardown_error": [F], "test_skipped": [S], "test_runtime_skip": [S], "test_xfail": [S],
        "test_xpass_strict": [F], "test_flaky_recovers": [F, P], "test_flaky_exhausted": [F, F, F], "test_deep": [F],
    },
    "junit/pytest-reruns.xml": {
        "test_passes": [P], "test_fails": [F, F, F, F], "test_skipped": [S], "test_xfail": [S],
        "test_recovers": [F, F, P], "test_setup_error": [F, F, F, E], "test_teardown_error": [F, F, F, E],
        "test_fails_and_teardown_error": [F, F, F, F], "test_param[x/y]": [F, F, F, F], "test_unit": [P],
        "test_sub": [F],
    },
    "junit/pytest-xdist-xunit1.xml": {
        "test_passes": [P], "test_fails": [F], "test_recovers": [F], "test_setup_error": [E],
        "test_teardown_error": [E],
        "test_fails_and_teardown_error": [F], "test_flaky_then_teardown_error": [F], "test_subtests": [F],
    },
    "junit/pytest-none.xml": {},
    "junit/unittest-xml-reporting.xml": {
        "test_passes": [P], "test_fails": [F], "test_errors": [E], "test_skipped": [S], "test_sub (i=1)": [F],
        "test_expected_failure": [S], "test_unexpected_success": [E],
    },
    "junit/nose2.xml": {
        "test_passes": [P], "test_fails": [F], "test_errors": [E], "test_skipped": [S],
        "test_unexpected_success": [F],
    },
    "junit/behave.xml": {
        "passes": [P], "fails": [F], "skipped": [S], "undefined": [E], "outline -- @1.1": [P], "outline -- @1.2": [F],
    },
    "junit/robot.xml": {"Passes": [P], "Fails": [F], "Skipped": [S]},
    "junit/surefire-SampleTest.xml": {
        "passes": [P], "fails": [F, F, F], "errors": [E, E, E], "flakyRecovers": [F, P],
        "flakyErrorRecovers": [E, E, P],
        "skipped": [S], "assumption": [S],
    },
    "junit/testng-junitreports.xml": {"passes": [P], "fails": [F]},
    "junit/testng-suite.xml": {"passes": [P], "fails": [F], "skipped": [S]},
    "junit/jest-junit.xml": {"checkout passes": [P], "checkout fails": [F], "checkout skipped": [S]},
    "junit/vitest.xml": {
        "checkout > passes": [P], "checkout > fails": [F, F, F], "checkout > skipped": [S], "checkout > todo": [S],
    },
    "junit/mocha-xunit.xml": {"passes": [P], "fails": [F], "recovers": [P], "skipped": [S], "pending": [S]},
    "junit/cucumber.xml": {
        "passes": [P], "fails": [F], "undefined": [F], "pending": [F], "outline - #1.1": [P], "outline - #1.2": [F],
    },
    "junit/jasmine.xml": {"passes": [P], "fails twice": [F], "pending": [S]},
    "junit/node-test.xml": {"passes": [P], "fails": [F], "skipped": [S], "todo that fails": [S], "bare": [P]},
    "junit/gotestsum-rerun.xml": {
        "TestPasses": [P], "TestFails": [F, F, F, F], "TestRecovers": [F, F, P], "TestSkipped": [S],
        "TestTable/x/y": [P],
    },
    "junit/gotestsum-build-failure.xml": {"TestPasses": [P], "TestFails": [F], "TestRecovers": [F], "TestSkipped": [S]},
    "junit/bats.xml": {"passes": [P], "fails": [F], "skipped": [S], "recovers": [F, F, P]},
    "junit/phpunit.xml": {
        "testPasses": [P], "testFails": [F], "testErrors": [E], "testSkipped": [S], "testIncomplete": [S],
        "testRisky": [E], 'testNumber with data set "one"': [P], 'testNumber with data set "two"': [F],
    },
    "junit/rspec.xml": {"Shop passes": [P], "Shop fails": [F], "Shop is pending": [S], "Shop is skipped": [S]},
    "junit/rspec-load-error.xml": {},
    "junit/gtest.xml": {
        "Passes": [P], "Fails": [F], "Skipped": [S], "DISABLED_Off": [S], "Number/0": [P], "Number/1": [F],
    },
    "junit/catch2.xml": {"passes": [P], "fails": [F], "fails/inner": [F], "fails/fine": [P], "throws": [E]},
    "junit/ctest.xml": {"passes": [P], "fails": [F], "skipped": [S], "off": [S], "missing": [E], "recovers": [P]},
    "native/jest.json": {"passes": [P], "fails": [F, F, F], "recovers": [F, F, P], "skipped": [S], "todo": [S]},
    "native/vitest.json": {
        "checkout > passes": [P], "checkout > fails": [F, F, F], "checkout > recovers": [F, F, P],
        "checkout > skipped": [S],
    },
    "native/go-test.json": {"TestPasses": [P], "TestFails": [F], "TestRecovers": [F], "TestSkipped": [S]},
}  # fmt: skip

DIALECTS = {
    "junit/pytest-reruns.xml": "pytest",
    "junit/unittest-xml-reporting.xml": "unittest-xml-reporting",
    "junit/nose2.xml": "nose2",
    "junit/behave.xml": "behave",
    "junit/surefire-SampleTest.xml": "surefire",
    "junit/testng-suite.xml": "testng",
    "junit/jest-junit.xml": "jest",
    "junit/vitest.xml": "vitest",
    "junit/mocha-xunit.xml": "mocha",
    "junit/cucumber.xml": "cucumber",
    "junit/node-test.xml": "node:test",
    "junit/gotestsum-rerun.xml": "gotestsum",
    "junit/bats.xml": "bats",
    "junit/phpunit.xml": "phpunit",
    "junit/rspec.xml": "rspec",
    "junit/gtest.xml": "googletest",
    "junit/catch2.xml": "catch2",
    "junit/ctest.xml": "ctest",
    "junit/playwright-include-retries.xml": "playwright",
    "native/jest.json": "jest-json",
    "native/vitest.json": "vitest-json",
    "native/go-test.json": "go-test-json",
}


@pytest.mark.parametrize("sample", TRUTH)
def test_outcomes_are_those_of_the_test_sources(sample):
    found = outcomes(read(sample))
    assert {name: found.get(name) for name in TRUTH[sample]} == TRUTH[sample]


@pytest.mark.parametrize(("sample", "dialect"), DIALECTS.items())
def test_the_writer_is_recognised(sample, dialect):
    assert read(sample).dialect == dialect


@pytest.mark.parametrize("sample", sorted({*TRUTH, *DIALECTS}))
def test_streaming_says_the_same_as_reading(sample):
    report = read(sample)
    with (SAMPLES / sample).open("rb") as source:
        stream = stream_report(source, name=sample)
        assert tuple(stream) == report.cases
    assert (stream.dialect, stream.partial) == (report.dialect, report.partial)
    assert (stream.warnings, stream.suite_errors) == (report.warnings, report.suite_errors)


@pytest.mark.parametrize("project", ["chromium-desktop", "mobile"])
@pytest.mark.parametrize(
    ("name", "attempts"),
    [
        ("passes", [P]),
        ("fails é <&>", [F, F, F]),
        ("throws", [E, E, E]),
        ("skipped", [S]),
        ("flaky recovers", [F, P]),
    ],
)
def test_playwright_projects_are_variants(project, name, attempts):
    cases = read("junit/playwright-include-retries.xml").cases
    (case,) = (c for c in cases if c.key.variant == project and c.key.name == f"checkout \u203a {name}")
    assert [attempt.outcome.value for attempt in case.attempts] == attempts


@pytest.mark.parametrize(
    ("sample", "suite"),
    [
        ("junit/pytest-reruns.xml", "test_broken"),
        ("junit/unittest-xml-reporting.xml", "setUpClass (unit_shop.Broken)"),
        ("junit/nose2.xml", "setUpClass (unit_shop.Broken)"),
        ("junit/jest-junit.xml", "jest/broken.test.js"),
        ("junit/vitest.xml", "vi/broken.test.mjs"),
        ("junit/mocha-xunit.xml", "checkout hooked"),
        ("junit/gotestsum-build-failure.xml", ""),
        ("junit/gotestsum.xml", ""),
        ("native/jest.json", "js/jest/broken.test.js"),
        ("native/vitest.json", "js/vi/broken.test.mjs"),
        ("native/go-test.json", "example.com/shop/broken"),
    ],
)
def test_what_broke_outside_of_tests_is_an_error_of_its_suite(sample, suite):
    report = read(sample)
    assert suite in {error.suite for error in report.suite_errors}
    assert not any("never" in case.key.name.lower() for case in report.cases)


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("junit/rspec.xml", "Shop is a twin"),
        ("junit/jest-junit.xml", "checkout twin"),
        ("junit/jest-junit-default.xml", "checkout dup"),
        ("junit/testng-suite.xml", "number"),
    ],
)
def test_twins_are_ambiguous_and_failed_never_flaky(sample, name):
    report = read(sample)
    (twin,) = (case for case in report.cases if case.key.name == name)
    assert twin.ambiguous
    assert twin.outcome.bad
    assert not twin.flaky
    assert any(name in warning for warning in report.warnings)


def test_foreign_xml_is_named_and_the_way_out_told():
    with pytest.raises(ReportError, match=r"TestNG's own format.*junitreports"):
        read("junit/not-junit-testng-results.xml")
