"""The samples of real tools against what their test sources say, written by hand."""

import re
from pathlib import Path

import pytest
from samples.truth import DIALECTS, TRUTH, E, F, P, S

from core.junit import ReportError, read_report, stream_report
from core.report import Outcome, Report

SAMPLES = Path(__file__).parents[2] / "samples"


def read(sample: str) -> Report:
    return read_report((SAMPLES / sample).read_bytes(), name=sample)


def elsewhere(data: bytes, *, year: str, host: str, checkout: str, browser: str) -> bytes:
    """The same report from another run: another time, machine, place and release of the browser."""
    text = data.decode(errors="surrogateescape")
    text = re.sub(r"\b2026-\d\d-\d\dT\d\d:\d\d:\d\d", f"{year}-01-15T23:59:01", text)
    text = re.sub(r"-2026\d{10}\b", f"-{year}0115235901", text)
    text = re.sub(r"\bjob-2026-[\w.-]+", f"job-{year}-01-15T23.59-0a1b2c3", text)
    text = re.sub(r'hostname="(?:vm|localhost|ci-1234)"', f'hostname="{host}"', text)
    text = re.sub(r'\b(time|duration)="[\d.]+"', r'\1="7.25"', text)
    text = text.replace("156.0.0.0", browser).replace("156_0_0_0", browser.replace(".", "_"))
    text = text.replace("156_0_8078_79", browser.replace(".", "_"))
    return text.replace("/home/ci/project", checkout).encode(errors="surrogateescape")


def outcomes(report: Report) -> dict[str, list[str]]:
    """By name, and by class and name where names repeat."""
    found = {}
    for case in report.cases:
        said = [attempt.outcome.value for attempt in case.attempts]
        found[case.key.name] = found[f"{case.key.class_name}.{case.key.name}"] = said
    return found


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


@pytest.mark.parametrize("sample", sorted({*TRUTH, *DIALECTS}))
def test_another_run_on_another_machine_names_the_same_tests(sample):
    data = (SAMPLES / sample).read_bytes()
    one = elsewhere(data, year="2026", host="runner-7", checkout="/__w/shop/shop", browser="156.0.0.0")
    other = elsewhere(
        data, year="2027", host="gw-12", checkout="/home/runner/work/shop/shop", browser="157.1.2.30"
    )
    assert [case.key for case in read_report(one).cases] == [case.key for case in read_report(other).cases]


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
        ("junit/pytest6-suite-name.xml", "test_broken"),
        ("junit/pytest4-suite-name.xml", "test_broken"),
        ("junit/pytest-prefix.xml", "test_broken"),
        ("junit/jest-junit-named.xml", "broken.test.js"),
        ("junit/mocha-junit-reporter.xml", '"before all" hook for "never"'),
        ("junit/mocha-junit-reporter-ant.xml", '"before all" hook for "never"'),
        ("junit/mocha-xunit-named.xml", "hooked"),
        ("junit/mocha-xunit-named.xml", "leaky"),
        ("junit/vitest-named.xml", "broken.test.mjs"),
        ("junit/bun.xml", "hooked"),
        ("junit/vitest-hooks.xml", "shop.test.mjs > hooked"),
        ("junit/vitest-hooks.xml", "shop.test.mjs > leaky"),
        ("junit/phpunit-odd.xml", "LeakyTest"),
        ("junit/phpunit-odd.xml", "ShopTest::testBroken"),
        ("junit/unittest-xml-subtests.xml", "tearDownClass (test_u.Leaky)"),
        ("junit/nose.xml", "Broken:setup"),
        ("junit/tap-formatter-timer.xml", "sub_d_t"),
        ("junit/tap-harness.xml", "t_sub_d_t"),
        ("junit/jasmine-hooked.xml", "hooked"),
        ("junit/testng-retries.xml", "ShopTest"),
        ("junit/jest-junit-after-all.xml", "checkout"),
        ("native/jest-after-all.json", "shop.test.js"),
        ("native/mocha.json", "hooked"),
        ("native/mocha.json", "leaky"),
        ("native/mocha.json", "named"),
        ("junit/webdriverio.xml", "hooked"),
        ("junit/karma.xml", ""),
        ("junit/node-test-broken.xml", "node_t/broken.test.js"),
        ("junit/tap-formatter-junit.xml", "dies_t"),
        ("junit/gradle-set-up.xml", "shop.BrokenTest"),
        ("junit/pyjunitxml.xml", "setUpClass (test_unit.Broken)"),
        ("junit/pyjunitxml.xml", "unittest.loader._FailedTest.test_nowhere"),
        ("junit/subunit.xml", "setUpClass (tests.test_unit.Broken)"),
        ("junit/common-test.xml", "shop_SUITE:init_per_group"),
        ("junit/common-test.xml", "broken_SUITE:init_per_suite"),
        ("junit/eunit.xml", "module 'shop_tests'"),
        ("native/ctrf-mocha.json", "hooked"),
        ("native/ctrf-mocha.json", "leaky"),
        ("native/vitest-hook.json", ""),
        ("native/jest.json", "js/jest/broken.test.js"),
        ("native/vitest.json", "js/vi/broken.test.mjs"),
        ("native/go-test.json", "example.com/shop/broken"),
    ],
)
def test_what_broke_outside_of_tests_is_an_error_of_its_suite(sample, suite):
    report = read(sample)
    assert suite in {error.suite for error in report.suite_errors}
    ran = [case for case in report.cases if case.outcome is not Outcome.SKIPPED]
    assert not any("never" in case.key.name.lower() for case in ran)


def test_a_suite_that_counts_an_error_and_shows_none_has_one():
    errors = {error.suite: error.message for error in read("junit/newman.xml").suite_errors}
    assert list(errors) == ["cart / script breaks"]
    assert "counts 1" in errors["cart / script breaks"]


def test_the_exit_code_of_a_perl_test_is_no_error_when_its_failures_explain_it():
    assert [error.suite for error in read("junit/tap-formatter-junit.xml").suite_errors] == ["dies_t"]


def test_an_entry_without_any_name_is_left_out_and_told():
    report = read("junit/pytest-xdist-crash.xml")
    assert len(report.cases) == 3
    assert report.warnings == ("1 entries without a name were left out",)


@pytest.mark.parametrize(
    ("sample", "key"),
    [
        ("junit/webdriverio.xml", ("checkout", "checkout", "passes", "t/shop.spec.js", "chrome")),
        ("junit/karma.xml", ("", "checkout", "checkout passes", "", "Chrome Headless")),
        ("junit/karma-suite.xml", ("unit", "checkout", "checkout passes", "", "Chrome Headless")),
        ("junit/web-test-runner.xml", ("shop.test.js", "checkout", "passes", "shop.test.js", "Chrome")),
        (
            "junit/busted.xml",
            ("", "spec/shop_spec.lua", "checkout passes", "spec/shop_spec.lua", ""),
        ),
        ("junit/doctest.xml", ("doc", "doc.cpp", "passes", "", "")),
        ("junit/tap-formatter-junit.xml", ("shop_t", "", "passes", "", "")),
        ("junit/tap-xunit.xml", ("Default", "", "passes", "", "")),
        ("junit/minitest-reporters.xml", ("Minitest::Result", "Minitest::Result", "passes", "", "")),
        ("junit/avocado.xml", ("", "Shop", "avo.py:Shop.test_passes", "", "")),
        (
            "junit/ansible.xml",
            ("play", "play.yml", "[localhost] localhost: passes _raw_params=true", "play.yml", ""),
        ),
        ("junit/ounit.xml", ("checkout", "checkout:passes", "checkout:passes", "", "")),
        ("junit/eunit.xml", ("module 'shop_tests'", "", "shop_tests passes_test", "", "")),
        ("junit/common-test.xml", ("shop_SUITE", "g", "passes", "suites/shop_SUITE.erl", "")),
        ("junit/nightwatch.xml", ("checkout", "checkout", "passes", "sub/shop", "")),
        ("junit/testem.xml", ("Testem Tests", "", "checkout inner passes", "", "Chrome")),
        ("junit/testem.xml", ("Testem Tests", "unit", "passes", "", "")),
        ("junit/testcafe-quarantine.xml", ("", "checkout", "unstable", "shop.js", "Chrome")),
        (
            "native/playwright.json",
            ("shop.spec.ts", "shop.spec.ts", "checkout \u203a recovers", "shop.spec.ts", "webkit"),
        ),
    ],
)
def test_a_test_is_named_by_what_stays_the_same(sample, key):
    """No browser version, line number, running number or path of a program."""
    assert key in {tuple(case.key) for case in read(sample).cases}


@pytest.mark.parametrize(
    ("sample", "project", "name", "attempts"),
    [
        ("junit/playwright-default.xml", "webkit", "checkout \u203a recovers", [P]),
        ("junit/playwright-default.xml", "webkit", "checkout \u203a times out", [E]),
        ("junit/playwright-default.xml", "chromium", "checkout \u203a unexpected pass", [F]),
        ("native/playwright.json", "chromium", "checkout \u203a recovers", [F, F, P]),
        ("native/playwright.json", "webkit", "checkout \u203a expected failure", [P]),
        ("native/playwright.json", "webkit", "checkout \u203a unexpected pass", [F, F, F]),
        ("native/playwright.json", "chromium", "checkout \u203a skipped", [S]),
    ],
)
def test_each_browser_project_has_its_own_result(sample, project, name, attempts):
    (case,) = (c for c in read(sample).cases if (c.key.variant, c.key.name) == (project, name))
    assert [attempt.outcome.value for attempt in case.attempts] == attempts


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("junit/vitest-projects.xml", "checkout > passes"),
        ("junit/bun.xml", "twin"),
        ("junit/deno.xml", "twin"),
        ("junit/webdriverio.xml", "twin"),
        ("junit/mocha-junit-reporter.xml", "checkout twin"),
        ("junit/cucumber-twins.xml", "twin"),
        ("junit/ginkgo1.xml", "checkout recovers"),
        ("native/ctrf-jest.json", "checkout twin"),
        ("native/vitest-hook.json", "checkout > twin"),
        ("native/mocha.json", "twin"),
        ("junit/pytest-merged.xml", "test_passes"),
        ("junit/pytest-merged.xml", "test_on_one_only"),
        ("junit/pytest-flakefinder.xml", "test_passes"),
        ("junit/pytest-flakefinder.xml", "test_skipped"),
    ],
)
def test_what_shares_its_name_without_being_attempts_is_ambiguous(sample, name):
    found = [case for case in read(sample).cases if case.key.name == name]
    assert found
    assert all(case.ambiguous and not case.flaky for case in found)


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("junit/rspec.xml", "Shop is a twin"),
        ("junit/testcafe-quarantine.xml", "twin"),
        ("junit/ounit.xml", "checkout:twin"),
        ("junit/criterion.xml", "param"),
        ("junit/cmocka.xml", "passes"),
        ("junit/tap-junit.xml", "same"),
        ("junit/jest-junit.xml", "checkout twin"),
        ("junit/jest-junit-default.xml", "checkout dup"),
        ("junit/testng-suite.xml", "number"),
        ("junit/testng-retries-junitreports.xml", "row"),
        ("junit/testng-retries-junitreports.xml", "recovers"),
    ],
)
def test_twins_are_ambiguous_and_failed_never_flaky(sample, name):
    report = read(sample)
    (twin,) = (case for case in report.cases if case.key.name == name)
    assert twin.ambiguous
    assert twin.outcome.bad
    assert not twin.flaky
    assert any(name in warning for warning in report.warnings)


@pytest.mark.parametrize(
    ("sample", "name", "messages"),
    [
        ("junit/robot-merged.xml", "Fails", ["no <&> é", "no <&> é"]),
        ("junit/testthat.xml", "fails", ["1 not equal to 2"]),
        ("junit/testthat.xml", "fails", ["FALSE is not TRUE"]),
        ("junit/libtest.xml", "fails", ["assertion `left == right` failed: no <&>"]),
        ("junit/testcafe-quarantine.xml", "recovers", ["deeply equal 3", "", "deeply equal 3"]),
    ],
)
def test_each_attempt_says_what_was_said_of_it(sample, name, messages):
    (case, *_) = (case for case in read(sample).cases if case.key.name == name)
    said = [attempt.message or "" for attempt in case.attempts]
    assert all(part in message for part, message in zip(messages, said, strict=True))
    assert not any("<span" in message for message in said)


@pytest.mark.parametrize(
    ("sample", "finding"),
    [
        ("junit/lint-bandit.xml", "bad.py: assert_used"),
        ("junit/lint-biome.xml", "bad.js: org.biome.lint.suspicious.noDoubleEquals"),
        (
            "junit/lint-checkov.xml",
            "m.tf: [NONE][CKV_AWS_18] Ensure the S3 bucket has access logging enabled",
        ),
        ("junit/lint-eslint.xml", "a.js: org.eslint.no-redeclare"),
        ("junit/lint-flake8.xml", "bad.py: F401, 'os' imported but unused"),
        ("junit/lint-mypy.xml", "mypy: mypy-py3_11-linux"),
        ("junit/lint-oxlint.xml", "bad.js: eslint(no-unused-vars)"),
        ("junit/lint-pylint.xml", "bad.py: bad:3:0"),
        ("junit/lint-ruff.xml", "bad.py: org.ruff.F401"),
        ("junit/lint-tsc-junit.xml", "bad.ts"),
        ("junit/lint-stylelint.xml", "bad.css: property-no-unknown"),
        ("junit/lint-yamllint.xml", "bad.yml"),
        ("junit/lint-commitlint.xml", "feat: x: type-enum"),
    ],
)
def test_what_a_linter_finds_is_an_error_and_no_test(sample, finding):
    report = read(sample)
    assert any(error.suite.endswith(finding) for error in report.suite_errors)
    assert not any(case.outcome.bad for case in report.cases)
    assert "never flaky" in report.warnings[0]


def test_of_endless_errors_the_first_are_told():
    cases = "".join(
        f'<testcase classname="a.py" name="F{number}"><failure/></testcase>' for number in range(2000)
    )
    report = read_report(
        f'<testsuites name="ruff"><testsuite name="a.py">{cases}</testsuite></testsuites>'.encode()
    )
    assert len(report.suite_errors) == 501
    assert report.suite_errors[-1].message == "and 1,500 errors more"


def test_foreign_xml_is_named_and_the_way_out_told():
    with pytest.raises(ReportError, match=r"TestNG's own format.*junitreports"):
        read("junit/not-junit-testng-results.xml")
