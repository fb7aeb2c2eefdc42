"""Dialects whose tools cannot be run here, as their own sources and documentation say that they write."""

import pytest

from core.junit import read_report

P, F, E, S = "passed", "failed", "error", "skipped"


def gradle(*cases: str) -> str:
    """One class of Gradle 8 with the test-retry plugin."""
    return (
        '<testsuite name="shop.CartTest" tests="3" skipped="0" failures="1" errors="0" '
        'timestamp="2026-11-22T08:16:50" hostname="vm" time="0.1">' + "".join(cases) + "</testsuite>"
    )


def case(name: str, inside: str = "", more: str = "") -> str:
    """A case of a class."""
    return f'<testcase name="{name}" classname="shop.CartTest" time="0.1"{more}>{inside}</testcase>'


BAD = '<failure message="no" type="AssertionError">at CartTest.java:6</failure>'
GINKGO = (
    '<testsuites tests="5" disabled="2" errors="1" failures="1" time="0.01">'
    '<testsuite name="Shop Suite" package="/home/runner/work/shop/shop/shop" tests="5" disabled="1" skipped="1" '
    'errors="1" failures="1" time="0.01" timestamp="2026-11-22T08:16:50">'
    '<properties><property name="SuiteSucceeded" value="false"/><property name="RandomSeed" value="1"/></properties>'
    '{}<testcase name="[It] checkout passes" classname="Shop Suite" status="passed" time="0.1"></testcase>'
    '<testcase name="[It] checkout fails" classname="Shop Suite" status="failed" time="0.1">'
    '<failure message="no" type="failed">shop_test.go:6</failure></testcase>'
    '<testcase name="[It] checkout panics" classname="Shop Suite" status="panicked" time="0.1">'
    '<error message="no" type="panicked">shop_test.go:7</error></testcase>'
    '<testcase name="[It] checkout waits" classname="Shop Suite" status="pending" time="0">'
    '<skipped message="pending"></skipped></testcase></testsuite></testsuites>'
)
BEFORE = (
    '<testcase name="[BeforeSuite]" classname="Shop Suite" status="failed" time="0.1">'
    '<failure message="no database" type="failed">suite_test.go:9</failure></testcase>'
)
DOTNET = (
    '<testsuites name="Shop.Tests.dll" tests="2" failures="1" time="0.14"><testsuite name="Shop.Tests.dll" tests="2" '
    'skipped="0" failures="1" errors="0" time="0.14" timestamp="2026-11-22T 23:56:54Z" hostname="executor://nunit3/">'
    '<testcase classname="Shop.MathTests" name="Adds(1,0,1)" file="C:\\a\\bin\\{}\\Shop.Tests.dll" time="1E-07"/>'
    '<testcase classname="Shop.MathTests" name="Adds(1,2,4)" file="C:\\a\\bin\\{}\\Shop.Tests.dll" time="0.1">'
    '<failure type="failure" message="no">at MathTests.cs:line 40</failure></testcase></testsuite></testsuites>'
)
BAZEL = (
    '<testsuites><testsuite name="shop/cart_test" tests="1" failures="0" errors="1">'
    '<testcase name="shop/cart_test" status="run" duration="3" time="3">'
    '<error message="exited with error code 1"></error></testcase>'
    "<system-out><![CDATA[no]]></system-out></testsuite></testsuites>"
)
GO_JUNIT_REPORT = (
    '<testsuites tests="6" failures="1" errors="2" skipped="1">'
    '<testsuite name="shop" tests="4" failures="2" errors="0" id="0" hostname="vm" skipped="1" time="0.1" '
    'timestamp="2026-11-22T08:16:50Z"><properties><property name="coverage.statements.pct" value="80.00"/></properties>'
    '<testcase name="TestPasses" classname="shop" time="0.000"></testcase>'
    '<testcase name="TestFails/x" classname="shop" time="0.010"><failure message="Failed"><![CDATA[no]]></failure>'
    '</testcase><testcase name="TestSkipped" classname="shop" time="0.000"><skipped message="Skipped"><![CDATA[later]]>'
    '</skipped></testcase><testcase name="TestAgain" classname="shop" time="0.0"><failure message="Failed"></failure>'
    '</testcase><testcase name="TestAgain" classname="shop" time="0.0"></testcase></testsuite>'
    '<testsuite name="shop/broken" tests="1" failures="0" errors="1" id="1" hostname="vm" time="0.000">'
    '<testcase name="[build failed]" classname="shop/broken" time="0.000"><error message="Build error">'
    "<![CDATA[undefined: nowhere]]></error></testcase></testsuite>"
    '<testsuite name="shop/exits" tests="1" failures="0" errors="1" id="2" hostname="vm" time="0.000">'
    '<testcase name="Failure" classname="shop/exits" time="0.000"><error message="Runtime error">'
    "<![CDATA[exit status 3]]></error></testcase></testsuite></testsuites>"
)
TEST_MAIN = (
    '<testsuites tests="1" failures="0" errors="0" time="0.1"><testsuite tests="0" failures="0" time="0.1" name="shop" '
    'timestamp="2026-11-22T08:16:50Z"><properties><property name="go.version" value="go1.22 linux/amd64"/></properties>'
    '<testcase classname="" name="TestMain" time="0.000000"><failure message="Failed" type="">no database</failure>'
    "</testcase></testsuite></testsuites>"
)
FIREBASE = (
    '<testsuites><testsuite name="Pixel2.arm-30-en_US-portrait" tests="4" failures="1" flakes="2" errors="0" '
    'skipped="0" time="9.1" timestamp="2026-11-22T08:16:50" hostname="localhost">'
    '<testcase name="passes" classname="shop.CartTest" time="1.2"/>'
    '<testcase name="fails" classname="shop.CartTest" time="1.2"><failure>no</failure></testcase>'
    '<testcase name="recovers" classname="shop.CartTest" time="1.2" flaky="true"><failure>no</failure></testcase>'
    '<testcase name="recoversSilently" classname="shop.CartTest" time="1.2" flaky="true"/>'
    '<testcase name="calm" classname="shop.CartTest" time="1.2" flaky="false"/></testsuite></testsuites>'
)
XCTEST = (
    '<testsuites name="All tests" tests="4" failures="2"><testsuite name="ShopTests.CartTests" tests="4" failures="2">'
    '<testcase classname="ShopTests.CartTests" name="testPasses" time="0.1"/>'
    '<testcase classname="ShopTests.CartTests" name="testRecovers"><failure message="a.swift:9 - no"/></testcase>'
    '<testcase classname="ShopTests.CartTests" name="testRecovers" time="0.1"/>'
    '<testcase classname="ShopTests.CartTests" name="testFails"><failure message="a.swift:12 - no"/></testcase>'
    "</testsuite></testsuites>"
)


@pytest.mark.parametrize(
    ("data", "dialect", "outcomes"),
    [
        (gradle(case("a", BAD), case("b"), case("a")), "gradle", {"a": [F, P], "b": [P]}),
        (gradle(case("a", BAD), case("a", BAD), case("a", BAD)), "gradle", {"a": [F, F, F]}),
        (gradle(case("a", '<flakyFailure message="no" type="E">x</flakyFailure>')), "gradle", {"a": [F, P]}),
        (
            gradle(case("a", BAD + '<rerunFailure message="no" type="E">x</rerunFailure>')),
            "gradle",
            {"a": [F, F]},
        ),
        (
            GINKGO.format(""),
            "ginkgo",
            {
                "[It] checkout passes": [P],
                "[It] checkout fails": [F],
                "[It] checkout panics": [E],
                "[It] checkout waits": [S],
            },
        ),
        (DOTNET.format("Debug\\net8.0", "Debug\\net8.0"), "dotnet", {"Adds(1,0,1)": [P], "Adds(1,2,4)": [F]}),
        (BAZEL, "junit", {"shop/cart_test": [E]}),
        (
            FIREBASE,
            "junit",
            {"passes": [P], "fails": [F], "recovers": [F, P], "recoversSilently": [F, P], "calm": [P]},
        ),
        (XCTEST, "xctest", {"testPasses": [P], "testRecovers": [F, P], "testFails": [F]}),
    ],
)
def test_it_is_read_as_its_tool_means_it(data, dialect, outcomes):
    report = read_report(data.encode())
    found = {case.key.name: [attempt.outcome.value for attempt in case.attempts] for case in report.cases}
    assert (report.dialect, found) == (dialect, outcomes)
    assert not report.suite_errors


def test_two_runs_of_one_gradle_test_that_both_passed_are_no_retry():
    report = read_report(gradle(case("a"), case("a", BAD)).encode())
    assert (report.cases[0].ambiguous, report.cases[0].flaky) == (True, False)


def test_a_node_of_ginkgo_around_all_tests_is_no_test():
    report = read_report(GINKGO.format(BEFORE).encode())
    assert [(error.suite, "no database" in error.message) for error in report.suite_errors] == [
        ("Shop Suite", True)
    ]
    assert len(report.cases) == 4


def test_packages_of_go_that_break_are_no_tests_and_entries_that_occur_again_are_attempts():
    report = read_report(GO_JUNIT_REPORT.encode())
    assert {case.key.name: [attempt.outcome.value for attempt in case.attempts] for case in report.cases} == {
        "TestPasses": [P], "TestFails/x": [F], "TestSkipped": [S], "TestAgain": [F, P],
    }  # fmt: skip
    assert [error.suite for error in report.suite_errors] == ["shop/broken", "shop/exits"]
    assert report.dialect == "go-junit-report"


def test_the_file_of_a_pest_test_is_a_file():
    case_ = '<testcase name="it adds" file="tests/CartTest.php::it adds" class="Tests\\Cart" classname="Tests.Cart" '
    data = f'<testsuites><testsuite name="Tests\\Cart">{case_}assertions="1" time="0.1"/></testsuite></testsuites>'
    report = read_report(data.encode())
    assert (report.dialect, report.cases[0].key.file) == ("phpunit", "tests/CartTest.php")


def test_the_main_function_of_a_go_package_is_no_test():
    report = read_report(TEST_MAIN.encode())
    assert (report.dialect, report.cases) == ("gotestsum", ())
    assert [(error.suite, "no database" in error.message) for error in report.suite_errors] == [
        ("shop", True)
    ]


@pytest.mark.parametrize(
    ("folder", "framework"), [("Debug\\net8.0", "net8.0"), ("Release\\net8.0", "net8.0"), ("Release", "")]
)
def test_an_assembly_is_no_file_of_the_project_but_its_framework_is_a_variant(folder, framework):
    (key, _) = (case.key for case in read_report(DOTNET.format(folder, folder).encode()).cases)
    assert (key.file, key.variant, key.suite) == ("", framework, "Shop.Tests.dll")


def test_the_expectations_of_a_testthat_test_belong_together_also_in_two_files_of_one_context():
    order = 'name="cart" timestamp="2026-11-22T08:16:50Z" hostname="vm" tests="2" skipped="0" failures="0" errors="0" '
    cases = '<testcase time="0.5" classname="cart" name="{0}"/><testcase time="0.25" classname="cart" name="{0}"/>'
    suites = [f'<testsuite {order}time="0.75">{cases.format(name)}</testsuite>' for name in "ab"]
    report = read_report(f"<testsuites>{''.join(suites)}</testsuites>".encode())
    assert [(case.key.name, case.ambiguous, case.duration) for case in report.cases] == [
        ("a", False, 0.75),
        ("b", False, 0.75),
    ]
    assert (report.dialect, report.warnings) == ("testthat", ())


def test_merged_reports_are_no_retries():
    """The same suite from two machines, put into one document by a merging tool."""
    one = '<testsuite name="pytest"><testcase classname="shop" name="t"/><testcase classname="shop" name="u">'
    linux, windows = f"{one}{BAD}</testcase></testsuite>", f"{one}</testcase></testsuite>"
    report = read_report(f"<testsuites>{linux}{windows}</testsuites>".encode())
    assert [(case.outcome.value, case.ambiguous, case.flaky) for case in report.cases] == [
        (P, True, False),
        (F, True, False),
    ]
    assert "merged" in report.warnings[0]
