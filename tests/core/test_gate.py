"""The gate's decision, by PROMISES: red turns green if and only if nothing speaks against it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gate import RUNNERS, Facts, decide, facts_of, find_runner, runner_of_command, told_name


def failure(name="test_x", verdict="quarantined"):
    return {"test_id": 1, "class": "shop", "name": name, "verdict": verdict}


def facts(*verdicts, total=10, **more):
    failures = tuple(failure(f"test_{number}", verdict) for number, verdict in enumerate(verdicts))
    return Facts(total=total, failing=len(verdicts), failures=failures, **more)


QUARANTINED = facts("quarantined", "quarantined")


def test_a_step_whose_every_failure_is_quarantined_becomes_green():
    decision = decide(1, QUARANTINED, runner=RUNNERS["pytest"])
    assert (decision.exit_code, decision.changed_to_green) == (0, True)


@pytest.mark.parametrize(
    ("runner", "code"),
    [
        ("pytest", 1),
        ("jest", 1),
        ("nextest", 100),
        ("ctest", 8),
        ("mocha", 2),
        ("go-test", 1),
        ("maven", 1),
        ("gradle", 1),
        ("playwright", 1),
        ("phpunit", 1),
        ("phpunit", 2),
        ("rspec", 1),
        ("vitest", 1),
        ("cargo-test", 101),
    ],
)
def test_each_runners_own_code_for_failed_tests_may_become_green(runner, code):
    assert decide(code, QUARANTINED, runner=RUNNERS[runner]).exit_code == 0


@pytest.mark.parametrize(
    ("runner", "code"),
    [
        ("pytest", 2),  # interrupted, or a collection error
        ("pytest", 3),  # internal error
        ("pytest", 4),  # usage
        ("pytest", 5),  # no tests collected
        ("pytest", 137),  # killed
        ("jest", 2),
        ("nextest", 101),  # the build failed
        ("nextest", 104),
        ("ctest", 1),
        ("mocha", 1),  # two tests failed, so one is not their number
        ("mocha", 7),
        ("go-test", 2),
        ("cargo-test", 1),
        ("phpunit", 255),
        ("gradle", 143),
    ],
)
def test_any_other_code_stays_what_it_is(runner, code):
    assert decide(code, QUARANTINED, runner=RUNNERS[runner]).exit_code == code


@pytest.mark.parametrize(
    "found",
    [
        facts(),
        facts("quarantined", "new"),
        facts("known_flaky"),
        facts("broken"),
        facts("infra"),
        facts("quarantined", total=0),
        facts("quarantined", partial=True),
        facts("quarantined", suite_errors=("import failed",)),
        Facts(total=10, failing=2, failures=(failure(),)),
        Facts(total=10, failing=0, failures=(failure(),)),
        None,
    ],
    ids=[
        "nothing failed",
        "one of two",
        "flaky only",
        "broken",
        "infra",
        "nothing parsed",
        "truncated",
        "suite error",
        "a verdict is missing",
        "counts disagree",
        "no answer",
    ],
)
def test_a_failing_step_stays_red_when_anything_speaks_against_it(found):
    assert decide(1, found, runner=RUNNERS["pytest"]).exit_code == 1


def test_without_an_answer_the_line_says_why():
    decision = decide(1, None, trouble="the service is unreachable (refused)")
    assert decision.lines == ("exit code 1 stays: the service is unreachable (refused)",)


def test_without_a_report_a_failing_step_stays_red():
    assert decide(1, None, reports=0).exit_code == 1


@pytest.mark.parametrize("found", [QUARANTINED, facts("new"), facts(total=0), facts(partial=True), None])
def test_a_green_step_stays_green(found):
    assert decide(0, found).exit_code == 0


@pytest.mark.parametrize(
    ("found", "reports", "code"),
    [
        (facts(), 1, 0),
        (None, 0, 1),
        (facts(total=0), 1, 1),
        (facts(partial=True), 1, 1),
        (None, 1, 0),
    ],
    ids=["whole", "missing", "empty", "truncated", "service down"],
)
def test_strict_mode_wants_a_whole_report_of_a_green_step(found, reports, code):
    assert decide(0, found, strict=True, reports=reports).exit_code == code


def test_an_unknown_runner_is_trusted_with_1_only():
    assert [decide(code, QUARANTINED).exit_code for code in (1, 2, 101)] == [0, 2, 101]


def test_the_reports_dialect_tells_the_runner():
    assert decide(100, facts("quarantined", dialect="nextest")).exit_code == 0


def test_a_named_failure_code_counts_as_ordinary():
    assert decide(42, QUARANTINED, extra_codes=[42]).exit_code == 0


reports = st.builds(
    lambda verdicts, total, partial, errors: facts(
        *verdicts, total=total, partial=partial, suite_errors=("x",) * errors
    ),
    st.lists(st.sampled_from(["quarantined", "new", "known_flaky", "infra"]), max_size=4),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
)


@given(code=st.integers(-255, 255).filter(bool), found=reports, runner=st.sampled_from(sorted(RUNNERS)))
def test_red_turns_green_only_under_every_condition_of_the_promise(code, found, runner):
    whole = found.total > 0 and not found.partial and not found.suite_errors
    covered = found.failing > 0 and not found.blocking
    ordinary = RUNNERS[runner].ordinary(code, found.failing)
    decision = decide(code, found, runner=RUNNERS[runner])
    assert (decision.exit_code == 0) == (whole and covered and ordinary)


@pytest.mark.parametrize(
    ("command", "runner"),
    [
        ("pytest -q tests", "pytest"),
        ("python -m pytest", "pytest"),
        ("poetry run py.test", "pytest"),
        ("npx jest --ci", "jest"),
        ("node_modules/.bin/mocha", "mocha"),
        ("npx playwright test", "playwright"),
        ("cargo nextest run", "nextest"),
        ("cargo test --workspace", "cargo-test"),
        ("go test ./...", "go-test"),
        ("gotestsum --junitfile x.xml", "go-test"),
        ("./mvnw -B verify", "maven"),
        ("./gradlew test", "gradle"),
        ("vendor/bin/phpunit", "phpunit"),
        ("bundle exec rspec", "rspec"),
        ("ctest --output-junit x.xml", "ctest"),
        ("bazel test //...", "bazel"),
        ("make test", None),
        ("go vet ./...", None),
        ("npm test", None),
    ],
)
def test_the_command_tells_the_runner(command, runner):
    found = runner_of_command(command.split())
    assert (found.name if found else None) == runner


@pytest.mark.parametrize(
    "name",
    ["surefire", "Pytest", "mvn", "gotestsum", "go-test-json", "jest-junit", "mocha-json", "xctest", "nose"],
)
def test_programs_and_dialects_name_runners_too(name):
    assert find_runner(name) is not None


def test_quarantined_failures_and_unmatched_entries_are_listed():
    decision = decide(
        1, facts("quarantined", "new", unmatched=("shop > test_gone",)), runner=RUNNERS["pytest"]
    )
    text = "\n".join(decision.lines)
    assert "failing, but quarantined (1):\n  - shop > test_0" in text
    assert "failing and not quarantined (1):\n  - shop > test_1 [new]" in text
    assert "quarantined, but not in this report (1):\n  - shop > test_gone" in text


def test_a_long_list_is_cut():
    decision = decide(1, facts(*["new"] * 80))
    assert decision.lines[51] == "  ... and 30 more"


@pytest.mark.parametrize("name", ["::error::x", "a\x1b[31mb", "x\ny", "\u202egnp.exe"])
def test_hostile_names_do_not_act_in_a_log(name):
    line = decide(1, Facts(10, 1, (failure(name, "new"),))).lines[1]
    assert line.startswith("  - ")
    assert line.isprintable()


def test_a_test_is_told_with_its_variant():
    assert told_name({"class": "C", "name": "n", "variant": "3.12"}) == "C > n (3.12)"


def test_the_ingestion_answer_is_read():
    answer = {
        "counts": {"passed": 3, "failed": 1, "error": 1, "skipped": 0, "flaky": 0},
        "total": 5,
        "failures": [failure("a"), failure("b", "new")],
        "partial": True,
        "suite_errors": [{"suite": "s", "message": "boom"}],
        "dialect": "pytest",
        "unmatched_quarantine": ["gone"],
    }
    found = facts_of(answer)
    assert (found.total, found.failing, len(found.failures), found.partial) == (5, 2, 2, True)
    assert (found.suite_errors, found.dialect, found.unmatched) == (("s: boom",), "pytest", ("gone",))


def test_an_answer_that_says_nothing_never_turns_green():
    assert decide(1, facts_of({}), runner=RUNNERS["pytest"]).exit_code == 1
