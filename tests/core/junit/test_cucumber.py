"""What Cucumber Messages of any Cucumber say, envelope by envelope, as their schema tells."""

import json

from core.junit import read_report

META = {"meta": {"protocolVersion": "32.0.0", "implementation": {"name": "cucumber-jvm"}}}
ROWS = [{"id": "r1"}, {"id": "r2"}]
DOCUMENT = {
    "gherkinDocument": {
        "uri": "a.feature",
        "feature": {
            "name": "cart",
            "children": [{"scenario": {"id": "s1", "examples": [{"tableBody": ROWS}]}}],
        },
    }
}
ENDED = {"testRunFinished": {"success": True}}


def pickle(number: int, name: str) -> dict[str, object]:
    return {
        "pickle": {"id": f"p{number}", "uri": "a.feature", "name": name, "astNodeIds": ["s1", f"r{number}"]}
    }


def ran(number: int, *statuses: str, attempt: int = 0) -> list[dict[str, object]]:
    started = f"t{number}.{attempt}"
    steps = [
        {
            "testStepFinished": {
                "testCaseStartedId": started,
                "testStepResult": {"status": status, "duration": {"seconds": 1, "nanos": 5e8}},
            }
        }
        for status in statuses
    ]
    return [
        {"testCase": {"id": f"c{number}", "pickleId": f"p{number}"}},
        {"testCaseStarted": {"id": started, "testCaseId": f"c{number}", "attempt": attempt}},
        *steps,
        {"testCaseFinished": {"testCaseStartedId": started, "willBeRetried": False}},
    ]


def report(*envelopes: dict[str, object]):
    return read_report("\n".join(map(json.dumps, (META, DOCUMENT, *envelopes))).encode())


def test_rows_of_an_outline_that_share_its_name_are_told_apart():
    found = report(
        pickle(1, "adds"), pickle(2, "adds"), *ran(1, "PASSED"), *ran(2, "PASSED", "FAILED"), ENDED
    )
    assert {case.key.name: case.outcome.value for case in found.cases} == {
        "adds #1.1": "passed",
        "adds #1.2": "failed",
    }
    assert found.cases[1].duration == 3.0


def test_a_row_that_names_itself_needs_no_number():
    found = report(pickle(1, "adds 1"), *ran(1, "SKIPPED"), ENDED)
    assert [case.key for case in found.cases] == [("", "cart", "adds 1", "a.feature", "")]
    assert found.cases[0].outcome.value == "skipped"


def test_a_failed_attempt_before_a_pass_is_a_flake():
    found = report(pickle(1, "adds"), *ran(1, "FAILED"), *ran(1, "PASSED", attempt=1), ENDED)
    assert found.cases[0].flaky


def test_a_run_that_breaks_off_is_partial_and_what_ran_is_an_error():
    found = report(pickle(1, "adds"), *ran(1, "PASSED")[:-1])
    assert found.partial
    assert found.cases[0].outcome.value == "error"


def test_what_broke_outside_of_scenarios_is_an_error_of_its_file():
    found = report(
        {"parseError": {"source": {"uri": "b.feature"}, "message": "expected: #Scenario"}},
        {"testRunHookFinished": {"result": {"status": "FAILED", "message": "no database"}}},
        ENDED,
    )
    assert [(error.suite, error.message) for error in found.suite_errors] == [
        ("b.feature", "expected: #Scenario"),
        ("", "no database"),
    ]
