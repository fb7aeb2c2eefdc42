"""What failed under the name of a block is told from a test of that name."""

import pytest

from core.junit import read_report

SUITES = (
    '<testsuites name="vitest tests" tests="1" failures="1" errors="0" time="1">'
    '<testsuite name="a.test.ts" timestamp="2026-11-22T14:19:35.439Z" hostname="vm" tests="1" failures="1" errors="0" '
    'skipped="0" time="0.1">{}</testsuite></testsuites>'
)
GOOD = '<testcase classname="a.test.ts" name="{}" time="0.1"></testcase>'
BAD = '<testcase classname="a.test.ts" name="{}" time="0.1"><failure message="no" type="Error">no</failure></testcase>'
TEST = GOOD.format("cart &gt; sum &gt; adds")


@pytest.mark.parametrize(
    ("cases", "errors", "failed"),
    [
        (TEST + BAD.format("sum"), {"a.test.ts > sum"}, set()),
        (TEST + BAD.format("sum") + BAD.format("cart"), {"a.test.ts > sum", "a.test.ts > cart"}, set()),
        (TEST + BAD.format("adds"), set(), {"adds"}),
        (TEST + BAD.format("cart") + GOOD.format("last"), set(), {"cart"}),
        (TEST + BAD.format("bare") + BAD.format("cart"), {"a.test.ts > cart"}, {"bare"}),
        (TEST * 5000 + BAD.format("cart"), {"a.test.ts > cart"}, set()),
    ],
)
def test_a_block_that_failed_behind_all_tests_is_an_error(cases, errors, failed):
    report = read_report(SUITES.format(cases).encode())
    assert {error.suite for error in report.suite_errors} == errors
    assert {case.key.name for case in report.cases if case.outcome.bad} == failed
