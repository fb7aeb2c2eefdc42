from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fakes.shop import LONG

from core.errors import ConflictError
from core.report import SuiteError
from core.run import Run
from jobs.decide import approve
from jobs.ingest import ingest_report
from storage.detection import detections
from storage.result import get_runs


def test_a_second_upload_changes_nothing_and_gets_the_same_answer(shop):
    shop.flaked_before("test_login")
    first = shop.uploads(run_id="r", commit="c", test_login="flaky", test_cart="failed")
    proposals, events = shop.proposals(), shop.audited()
    again = shop.uploads(run_id="r", commit="c", test_login="flaky", test_cart="failed")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.counts == first.counts
    assert [one.test_id for one in again.failures] == [one.test_id for one in first.failures]
    assert (shop.proposals(), shop.audited()) == (proposals, events)


def test_the_same_run_with_other_results_is_refused_and_changes_nothing(shop):
    shop.uploads(run_id="r", commit="c", test_login="passed")
    with pytest.raises(ConflictError, match="already stored with other results"):
        shop.uploads(run_id="r", commit="c", test_login="flaky")
    assert shop.proposals() == []


def test_eight_copies_at_once_are_one_run(shop):
    shop.flaked_before("test_login")
    run = Run("r", "c", "main", shop.clock())
    cases = [shop.case("test_login", "flaky", "boom")]
    desks = [shop.desk, shop.other_desk()] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda desk: ingest_report(desk, shop.project.id, run, cases), desks))
    assert sorted(one.duplicate for one in answers) == [False] + [True] * 7
    with shop.database.read() as tx:
        assert get_runs(tx, shop.project.id)[1] == LONG + 2
    assert len(shop.proposals()) == 1


def test_runs_on_two_nodes_at_once_are_all_scored(shop):
    shop.flaked_before("test_login")
    desks = [shop.desk, shop.other_desk()] * 8
    runs = [
        (desk, Run(f"r{number}", f"c{number}", "main", shop.clock())) for number, desk in enumerate(desks)
    ]

    def upload(one):
        desk, run = one
        return ingest_report(desk, shop.project.id, run, [shop.case("test_login", "flaky", "boom")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload, runs))
    with shop.database.read() as tx:
        [found], _ = detections(tx, shop.project.id)
    assert found.state == "flaky"
    assert shop.desk.scores is not shop.other_desk().scores


def test_a_failed_transaction_leaves_no_trace_in_memory(shop):
    shop.finds_flaky()
    before = shop.proposals()
    with pytest.raises(RuntimeError):
        ingest_report(shop.desk, shop.project.id, Run("bad", "cx", "main", shop.clock()), _broken(shop))
    answer = shop.uploads(test_login="failed")
    assert [one.verdict for one in answer.failures] == ["known_flaky"]
    assert shop.proposals() == before


def _broken(shop):
    yield shop.case("test_login", "flaky", "boom")
    raise RuntimeError("the connection broke in the middle of the report")


class Cut:
    """A stream that tells only at its end that it was cut short."""

    dialect, warnings = "pytest", ("the file ends early",)

    def __init__(self, cases):
        self._cases, self.partial = cases, False

    def __iter__(self):
        yield from self._cases
        self.partial = True


def test_a_report_found_to_be_cut_short_covers_nothing(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    run = Run("cut", "c", "main", shop.clock())
    answer = ingest_report(shop.desk, shop.project.id, run, Cut([shop.case("test_login", "failed", "boom")]))
    assert answer.run.partial
    assert answer.to_dict()["partial"] is True
    assert "the file ends early" in answer.warnings
    assert not answer.all_failures_quarantined


def test_a_crashed_suite_is_never_covered(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    answer = shop.uploads(test_login="failed")
    assert answer.all_failures_quarantined
    assert not replace(answer, suite_errors=(SuiteError("web", "ImportError"),)).all_failures_quarantined
    assert not replace(answer, unlisted=1).all_failures_quarantined
    assert not replace(answer, failures=()).all_failures_quarantined


def test_one_uncovered_failure_is_enough_to_block(shop):
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    answer = shop.uploads(test_login="failed", test_cart="failed")
    assert {one.key.name: one.verdict for one in answer.failures} == {
        "test_login": "quarantined",
        "test_cart": "new",
    }
    assert not answer.all_failures_quarantined


def test_an_outage_is_marked_and_proves_nothing(shop):
    names = {f"test_{letter}": "failed" for letter in "abcdefgh"}
    shop.uploads(**dict.fromkeys(names, "passed"))
    answer = shop.uploads(run_id="out", commit="c", message="ConnectionRefusedError", **names)
    again = shop.uploads(run_id="out", commit="c", message="ConnectionRefusedError", **names)
    assert answer.infra
    assert again.infra
    assert {one.verdict for one in (*answer.failures, *again.failures)} == {"infra"}
    assert shop.proposals() == []


def test_another_way_of_failing_is_said_once_in_the_thread(small_shop):
    shop = small_shop
    proposal = shop.finds_flaky()
    approve(shop.desk, proposal.id, by=shop.alice)
    shop.publishes()
    shop.uploads(test_login="failed")
    for _ in range(3):
        shop.uploads(test_login="failed", message="KeyError: 'basket'")
    shop.publishes()
    assert shop.chat.replies() == [
        f"First failure that does not count, in run run-{LONG + 3}.",
        "It now fails in another way than the one approved.",
    ]
