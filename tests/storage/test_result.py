from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from results import NOW, case, make_project, report, run_of, store, store_in_transaction

from core.report import Outcome
from storage.result import failures_of_run, get_runs, history, past
from storage.test_case import add_alias, count_tests, list_tests


@pytest.fixture
def project(database):
    return make_project(database)


def test_a_second_upload_of_the_same_run_changes_nothing(database, project):
    first = store(database, project, run_of(1), report(10, failing={3}))
    second = store(database, project, run_of(1), report(10, failing={3}))
    assert (first.status, second.status) == ("created", "duplicate")
    assert replace(first, status="duplicate", passed_ids=0, skipped_ids=0) == replace(
        second, passed_ids=0, skipped_ids=0
    )
    assert first.passed_ids.tolist() == second.passed_ids.tolist()


def test_the_same_run_with_other_content_is_a_conflict_and_leaves_nothing(database, project):
    store(database, project, run_of(1), report(3))
    other = store(database, project, run_of(1), report(3, prefix="other"))
    assert other.status == "conflict"
    with database.read() as tx:
        assert count_tests(tx, project) == 3


@pytest.mark.parametrize(
    "change", [{"attempt": 2}, {"job": "lint"}, {"variant": "py3.12"}, {"run_id": "another"}]
)
def test_another_identity_is_another_run(database, project, change):
    store(database, project, run_of(1), report(3))
    assert store(database, project, replace(run_of(1), **change), report(3)).status == "created"


@pytest.mark.parametrize("field", ["seconds", "message", "order"])
def test_content_is_exact(database, project, field):
    cases = report(3, failing={0})
    store(database, project, run_of(1), cases)
    changed = {
        "seconds": [case("t0", "failed", message="boom 0"), case("t1", seconds=0.25000001), *cases[2:]],
        "message": [case("t0", "failed", message="Boom 0"), *cases[1:]],
        "order": cases[::-1],
    }[field]
    assert store(database, project, run_of(1), changed).status == "conflict"


@pytest.mark.parametrize("copies", [8])
def test_parallel_copies_are_one_created_and_the_rest_duplicates(database, project, copies):
    with ThreadPoolExecutor(copies) as pool:
        answers = list(
            pool.map(lambda _: store(database, project, run_of(1), report(300, failing={7})), range(copies))
        )
    assert sorted(answer.status for answer in answers) == ["created"] + ["duplicate"] * (copies - 1)
    assert len({answer.failures for answer in answers}) == 1
    with database.read() as tx:
        assert (count_tests(tx, project), get_runs(tx, project)[1]) == (300, 1)


def test_parallel_new_runs_in_different_orders_create_each_test_once(database, project):
    reports = [report(400)[::step] for step in (1, -1, 1, -1)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: store(database, project, run_of(n), reports[n]), range(4)))
    assert {answer.status for answer in answers} == {"created"}
    assert len({tuple(answer.passed_ids.tolist()) for answer in answers}) == 1


def test_counts_tell_how_tests_ended(database, project):
    cases = [
        case("passes"),
        case("fails", "failed", message="no"),
        case("errs", "error"),
        case("skipped", "skipped"),
        case("retried", "failed", "passed"),
        case("exhausted", "failed", "failed"),
    ]
    stored = store(database, project, run_of(1), cases)
    assert stored.counts == {"passed": 2, "failed": 2, "error": 1, "skipped": 1, "flaky": 1}
    assert (stored.total, len(stored.passed_ids), len(stored.skipped_ids)) == (6, 1, 1)
    assert [failure.key.name for failure in stored.failures] == ["fails", "errs", "retried", "exhausted"]


def test_history_tells_every_execution_newest_first(database, project):
    for number, outcomes in enumerate([["passed"], ["failed"], ["failed", "passed"], ["skipped"]]):
        store(database, project, run_of(number), [case("t", *outcomes), *report(20)])
    with database.read() as tx:
        [test] = [one for one in list_tests(tx, project, limit=99)[0] if one.key.name == "t"]
        past_ = history(tx, project, test.id)
    assert [one.outcome.value for one in past_] == ["skipped", "passed", "failed", "passed"]
    assert [len(one.attempts) for one in past_] == [1, 2, 1, 1]
    assert [one.clean for one in past_] == [True, False, True, True]
    assert past_[1].message == "boom"
    assert past_[3].duration == pytest.approx(0.25, rel=0.05)


def test_history_can_be_limited_and_begin_at_a_time(database, project):
    ids = store(database, project, run_of(0), report(5)).passed_ids
    for number in range(1, 10):
        store(database, project, run_of(number), report(5))
    with database.read() as tx:
        newest = history(tx, project, int(ids[0]), limit=3)
        since = history(tx, project, int(ids[0]), since=run_of(6).at)
    assert [one.run.run_id for one in newest] == ["9", "8", "7"]
    assert [one.run.run_id for one in since] == ["9", "8", "7", "6"]


def test_a_late_run_takes_its_place_in_time(database, project):
    for number in (5, 1, 3):
        stored = store(database, project, run_of(number), report(5))
    with database.read() as tx:
        found = history(tx, project, int(stored.passed_ids[0]))
    assert [one.run.run_id for one in found] == ["5", "3", "1"]


def test_an_absent_test_has_no_execution(database, project):
    first = store(database, project, run_of(1), report(10))
    store(database, project, run_of(2), report(10)[:9])
    with database.read() as tx:
        assert len(history(tx, project, int(first.passed_ids[9]))) == 1


def test_an_older_name_counts_as_the_test_of_today(database, project):
    old = store(database, project, run_of(1), [case("old name"), *report(5)]).passed_ids[0]
    new = store(database, project, run_of(2), [case("new name"), *report(5)]).passed_ids[-1]
    with database.begin() as tx:
        add_alias(tx, project, int(old), int(new))
    stored = store(database, project, run_of(3), [case("old name", "failed"), *report(5)])
    assert stored.failures[0].test_id == new
    with database.read() as tx:
        assert [one.outcome.value for one in history(tx, project, int(old))] == ["failed", "passed", "passed"]
        assert count_tests(tx, project) == 6


def test_a_partial_run_is_kept_but_never_becomes_the_roster(database, project):
    store(database, project, run_of(1), report(100))
    store(database, project, replace(run_of(2), partial=True), report(40))
    again = store(database, project, run_of(3), report(100))
    with database.read() as tx:
        lengths = [len(history(tx, project, int(test))) for test in again.passed_ids]
    assert lengths == [3] * 40 + [2] * 60


def test_a_huge_report_is_stored_in_parts(database, project, monkeypatch):
    monkeypatch.setattr("core.sheet.PART", 100)
    first = store(database, project, run_of(1), report(950, failing={5, 500}))
    again = store(database, project, run_of(1), report(950, failing={5, 500}))
    assert (first.total, len(first.passed_ids), len(first.failures)) == (950, 948, 2)
    assert again.status == "duplicate"
    with database.read() as tx:
        assert history(tx, project, int(first.passed_ids[700]))[0].outcome is Outcome.PASSED
        assert get_runs(tx, project)[0][0].tally.total == 950


def test_two_tests_of_one_name_in_a_report_are_never_a_clean_pass(database, project):
    stored = store(database, project, run_of(1), [case("twin"), case("twin", "failed"), case("other")])
    with database.read() as tx:
        [twin] = history(tx, project, stored.failures[0].test_id)
    assert len(stored.passed_ids) == 1
    assert (twin.outcome, twin.ambiguous) == (Outcome.FAILED, True)
    assert stored.failures[0].ambiguous


def test_an_outage_is_capped_in_rows_but_not_in_codes(database, project, monkeypatch):
    monkeypatch.setattr("storage.result.MOST_ROWS", 10)
    stored = store(database, project, run_of(1), report(50, failing=set(range(50))))
    assert (len(stored.failures), stored.more_failures) == (10, 40)
    with database.read() as tx:
        tests = list_tests(tx, project, limit=99)[0]
        outcomes = {history(tx, project, test.id)[0].outcome for test in tests}
    assert outcomes == {Outcome.FAILED}


def test_past_is_history_without_the_details(database, project):
    for number in range(6):
        stored = store(database, project, run_of(number), report(5, failing={2} if number % 2 else set()))
    test = stored.failures[0].test_id
    with database.read() as tx:
        told = [(one.run, one.outcome, one.clean) for one in history(tx, project, test)]
        assert [(one.run, one.outcome, one.clean) for one in past(tx, project, test, since=NOW)] == told


def test_failures_of_a_run_keep_exact_times_and_messages(database, project):
    stored = store(database, project, run_of(1), report(200, failing=set(range(100))))
    with database.read() as tx:
        found = failures_of_run(tx, project, stored.run_pk, run_of(1).at)
    assert {test: one.attempts for test, one in found.items()} == {
        failure.test_id: failure.attempts for failure in stored.failures
    }


@pytest.mark.parametrize(
    "name", ["nul\x00here", "lone \ud800 surrogate", "sep\x1earator", "日本語", "x" * 5000]
)
def test_hostile_names_are_stored_and_told_apart(database, project, name):
    stored = store(database, project, run_of(1), [case(name, "failed", message=name), case(name + "2")])
    again = store(database, project, run_of(2), [case(name, "failed", message=name), case(name + "2")])
    assert stored.failures[0].test_id == again.failures[0].test_id
    assert stored.passed_ids.tolist() == again.passed_ids.tolist()


def test_nothing_of_a_failed_transaction_is_remembered(database, project):
    with pytest.raises(ZeroDivisionError):
        store_and_fail(database, project)
    stored = store(database, project, run_of(1), report(70))
    with database.read() as tx:
        assert count_tests(tx, project) == 70
        assert len(history(tx, project, int(stored.passed_ids[0]))) == 1


def store_and_fail(database, project):
    with database.begin() as tx:
        store_in_transaction(tx, project, run_of(9), report(70))
        raise ZeroDivisionError


def test_runs_stored_together_equal_runs_stored_one_by_one(database, project):
    twin = make_project(database, "acme/twin")
    runs = [(run_of(n), report(60, failing={n % 7}, skip=n % 5)) for n in range(25)]
    one_by_one = [store(database, project, run, cases) for run, cases in runs]
    with database.begin() as tx:
        together = [store_in_transaction(tx, twin, run, cases) for run, cases in runs]
    assert [answer.counts for answer in together] == [answer.counts for answer in one_by_one]
    with database.read() as tx:
        assert told(tx, twin) == told(tx, project)


def told(tx, project):
    return {
        test.key: [(one.run, one.outcome, one.duration, one.message) for one in history(tx, project, test.id)]
        for test in list_tests(tx, project, limit=999)[0]
    }


def test_tests_are_last_seen_when_they_last_ran(database, project):
    store(database, project, run_of(0), report(3))
    late = replace(run_of(1), at=NOW + timedelta(days=40))
    store(database, project, late, report(3)[:2])
    with database.read() as tx:
        tests, total = list_tests(tx, project)
    assert total == 3
    assert [test.retired for test in tests] == [False, False, True]
    assert tests[0].last_seen >= late.at - timedelta(hours=1)
    assert np.all([test.first_seen == NOW for test in tests])
