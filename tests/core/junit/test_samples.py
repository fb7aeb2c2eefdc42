"""The samples of real tools against what their test sources say, written by hand."""

from pathlib import Path

import pytest

from core.junit import read_report

SAMPLES = Path(__file__).parents[2] / "samples" / "junit"


def outcomes(sample: str) -> dict[str, list[str]]:
    report = read_report((SAMPLES / sample).read_bytes(), name=sample)
    return {
        f"{case.key.variant}{':' if case.key.variant else ''}{case.key.name}": [
            attempt.outcome.value for attempt in case.attempts
        ]
        for case in report.cases
    }


@pytest.mark.parametrize(
    ("name", "attempts"),
    [
        ("test_pass", ["passed"]),
        ("test_fail", ["failed"]),
        ("test_setup_error", ["error"]),
        ("test_teardown_error", ["error"]),
        ("test_fail_and_teardown_error", ["failed"]),
        ("test_skipped", ["skipped"]),
        ("test_runtime_skip", ["skipped"]),
        ("test_xfail", ["skipped"]),
        ("test_xpass_strict", ["failed"]),
        ("test_flaky_recovers", ["failed", "passed"]),
        ("test_flaky_exhausted", ["failed", "failed", "failed"]),
    ],
)
def test_pytest_with_rerunfailures(name, attempts):
    assert outcomes("pytest-rerunfailures.xml")[name] == attempts


@pytest.mark.parametrize(
    ("name", "attempts"),
    [
        ("passes", ["passed"]),
        ("fails", ["failed", "failed", "failed"]),
        ("errors", ["error", "error", "error"]),
        ("flakyRecovers", ["failed", "passed"]),
        ("flakyErrorRecovers", ["error", "error", "passed"]),
        ("skipped", ["skipped"]),
        ("assumption", ["skipped"]),
    ],
)
def test_surefire_with_rerun_failing_tests(name, attempts):
    assert outcomes("surefire-SampleTest.xml")[name] == attempts


@pytest.mark.parametrize("project", ["chromium-desktop", "mobile"])
@pytest.mark.parametrize(
    ("name", "attempts"),
    [
        ("checkout › passes", ["passed"]),
        ("checkout › fails é <&>", ["failed", "failed", "failed"]),
        ("checkout › throws", ["error", "error", "error"]),
        ("checkout › skipped", ["skipped"]),
        ("checkout › flaky recovers", ["failed", "passed"]),
    ],
)
def test_playwright_with_include_retries(project, name, attempts):
    assert outcomes("playwright-include-retries.xml")[f"{project}:{name}"] == attempts
