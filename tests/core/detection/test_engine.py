"""What the engine believes after small, telling histories."""

from datetime import timedelta

import pytest
from histories.ci import BAD, OK, Ci, failed

from core.engine import ProjectState, sweep
from core.evidence import EvidenceClass
from core.isolation import recurrent
from core.run import Trust
from core.verdict import FailureVerdict, TestState


@pytest.fixture
def ci():
    ci = Ci()
    ci.greens(10)
    return ci


def flake(ci, times=3, test=7):
    for i in range(times):
        ci.greens(6)
        ci.run(f"f{i}-{ci.hour}", failed(test, BAD, OK))


def test_a_test_that_passes_on_retry_again_and_again_is_flaky_and_confirmed(ci):
    flake(ci)
    verdict = ci.verdict(7)
    assert (verdict.state, verdict.confirmed) == (TestState.FLAKY, True)
    assert verdict.evidence == {EvidenceClass.RETRY_PASS: 3}


@pytest.mark.parametrize("every", [6, 12, 24])
@pytest.mark.parametrize("gaps", [(1, 24), (8, 48, 48), (1, 240, 240, 24)])
def test_a_test_that_keeps_silent_recovers_once_whatever_the_window_forgets(gaps, every):
    ci = Ci(tests=60)
    ci.greens(25, hours=0.1)
    for hours in gaps:
        ci.run(f"f{ci.hour}", failed(7, BAD, OK, message=f"no {ci.hour}"), hours=hours)
    ci.greens(60 * 24 // every, hours=every)
    states = [t.after for o in ci.outcomes for t in o.transitions if t.test_id == 7]
    assert states == [TestState.SUSPECT, TestState.FLAKY, TestState.RECOVERED]


@pytest.mark.parametrize(("before", "state"), [(5, TestState.FLAKY), (60, TestState.SUSPECT)])
def test_one_recovery_flags_a_test_of_which_little_was_seen(ci, before, state):
    ci.greens(before)
    ci.run("f", failed(7, BAD, OK))
    assert ci.verdict(7).state is state


@pytest.mark.parametrize(("message", "count"), [("assert 1 == 2", 1), ("another thing", 2)])
def test_one_message_within_six_hours_counts_once(ci, message, count):
    ci.run("a", failed(7, BAD, OK, message="assert 1 == 2"))
    ci.greens(4)
    ci.run("b", failed(7, BAD, OK, message=message))
    assert ci.verdict(7).evidence == {EvidenceClass.RETRY_PASS: count}


def test_a_recovery_proves_as_much_where_the_runner_fails_the_test_all_the_same(ci):
    for i in range(3):
        ci.greens(6)
        ci.run(f"f{i}", failed(7, BAD, OK, BAD))
    verdict = ci.verdict(7)
    assert (verdict.state, verdict.evidence) == (TestState.FLAKY, {EvidenceClass.RETRY_PASS: 3})


def test_the_rate_counts_every_flake_though_evidence_of_one_incident_counts_once(ci):
    for i in range(80):
        ci.run(f"c{i}", *([failed(7, BAD, OK)] if i % 4 == 0 else []), hours=0.5)
    verdict = ci.verdict(7)
    low, high = verdict.rate_interval
    assert verdict.rate == pytest.approx(20 / 90, abs=0.02)
    assert low < 20 / 90 < high


def test_failures_of_a_breakage_do_not_count_towards_the_rate(ci):
    flake(ci)
    before = ci.verdict(7).rate
    for i in range(20):
        ci.run(f"bad{i}", failed(7, message="ValueError: gone"))
    assert ci.verdict(7).rate < before


def test_a_test_that_passes_when_the_commit_is_run_again_is_flaky(ci):
    for i in range(3):
        ci.greens(6)
        ci.run(f"c{i}", failed(7), run_id=f"r{i}")
        ci.run(f"c{i}", run_id=f"r{i}", attempt=2)
    assert ci.verdict(7).strongest is EvidenceClass.RERUN_PASS
    assert ci.verdict(7).confirmed


def test_a_rerun_under_another_run_id_proves_as_much(ci):
    for i in range(3):
        ci.greens(6)
        ci.run(f"c{i}", failed(7), run_id=f"r{i}")
        ci.run(f"c{i}", run_id=f"again{i}")
    assert ci.verdict(7).state is TestState.FLAKY


def test_a_test_broken_on_the_default_branch_is_broken_since_the_first_bad_commit(ci):
    for i in range(4):
        ci.run(f"bad{i}", failed(7))
    verdict = ci.verdict(7)
    assert (verdict.state, verdict.since_commit, verdict.confirmed) == (TestState.BROKEN, "bad0", False)


def test_a_repaired_test_has_recovered_and_was_never_flaky(ci):
    for i in range(4):
        ci.run(f"bad{i}", failed(7))
    ci.greens(3)
    states = [t.after for o in ci.outcomes for t in o.transitions if t.test_id == 7]
    assert states == [TestState.BROKEN, TestState.RECOVERED]


def test_a_pull_request_that_breaks_a_test_until_it_is_repaired_accuses_nobody(ci):
    for push in range(4):
        ci.run(f"p{push}", failed(7), branch="feature", base="g0", hours=5)
    ci.run("p5", branch="feature", base="g0")
    assert ci.verdict(7).score < 0.2
    assert ci.verdict(7).state is TestState.HEALTHY


def test_failures_on_changes_that_started_from_a_broken_commit_prove_nothing(ci):
    ci.run("bad", failed(7))
    for i in range(4):
        ci.run(f"p{i}", failed(7), branch=f"feature/{i}", base="bad", hours=5)
        ci.run(f"p{i}", branch=f"feature/{i}", base="bad", attempt=2)
    assert ci.verdict(7).evidence.keys() <= {EvidenceClass.MAIN_OPEN}


def in_places(ci, *branches, base="g9-9.0"):
    """The same failure in one place after the other, green runs between."""
    for i, branch in enumerate(branches):
        ci.run(f"p{i}", failed(7), branch=branch, base="" if branch == "main" else base, hours=9)
        ci.greens(6)


def test_the_same_failure_here_and_there_and_on_the_default_branch_is_evidence(ci):
    in_places(ci, "feature/1", "main", "feature/2", "main")
    assert ci.verdict(7).evidence == {EvidenceClass.CROSS_BRANCH: 4}
    assert ci.verdict(7).state is TestState.FLAKY
    assert not ci.verdict(7).confirmed


def test_a_test_that_only_changes_break_is_not_flaky(ci):
    for i in range(8):
        for push in range(1 + i % 2):
            ci.run(f"p{i}-{push}", failed(7), branch=f"feature/{i}", base="g9-9.0", hours=9)
        ci.run(f"p{i}-good", branch=f"feature/{i}", base="g9-9.0")
        ci.greens(6)
    assert ci.verdict(7).state is TestState.HEALTHY


def test_what_changes_of_unknown_base_may_have_inherited_counts_once(ci):
    ci.greens(20)
    for i in range(4):
        ci.run(f"p{i}", failed(7), branch=f"feature/{i}", hours=5)
        ci.run(f"p{i}", branch=f"feature/{i}", attempt=2)
    assert not ci.verdict(7).flagged
    assert ci.verdict(7).evidence == {EvidenceClass.RERUN_PASS: 1}


def test_a_breakage_seen_in_three_jobs_is_one_breakage(ci):
    for job in ("linux", "windows", "arm"):
        ci.run("bad", failed(7), job=job, hours=0.1)
    for job in ("linux", "windows", "arm"):
        ci.run("good", job=job, hours=0.1)
    assert recurrent(ci.state.suspects[7].live) == frozenset()


def test_what_fails_everywhere_until_it_is_put_right_counts_once(ci):
    ci.greens(20)
    for i in range(4):
        ci.run(f"p{i}", failed(7), branch=f"feature/{i}", base="g9-9.0", hours=5)
    for i in range(4):
        ci.run(f"p{i}", branch=f"feature/{i}", base="g9-9.0", attempt=2)
    assert not ci.verdict(7).flagged


def test_two_tests_that_fail_together_twice_a_day_have_one_cause(ci):
    ci.greens(20)
    for i in range(3):
        ci.run(f"p{i}", failed(7), failed(8), branch=f"feature/{i}", base="g9-9.0", hours=5)
        ci.run(f"p{i}", branch=f"feature/{i}", base="g9-9.0", attempt=2)
    assert not ci.verdict(7).flagged


def test_an_outage_marks_its_run_and_proves_nothing_even_if_reruns_pass(ci):
    for i in range(3):
        outcome = ci.run(
            f"o{i}", *[failed(t, message="no space") for t in range(30)], run_id=f"o{i}", hours=30
        )
        ci.run(f"o{i}", run_id=f"o{i}", attempt=2)
        assert outcome.mass_failure
        assert set(outcome.failures.values()) == {FailureVerdict.INFRA}
    assert all(ci.verdict(t).score == 0 for t in range(30))


def test_an_outage_that_lasts_over_two_attempts_still_proves_nothing(ci):
    victims = [failed(t, message=f"gone {chr(97 + t)}") for t in range(8)]
    for i in range(3):
        ci.run(f"o{i}", *victims, run_id=f"o{i}", hours=30)
        ci.run(f"o{i}", *victims, run_id=f"o{i}", attempt=2)
        ci.run(f"o{i}", run_id=f"o{i}", attempt=3)
    assert max(ci.verdict(t).score for t in range(8)) == 0


def test_a_message_of_an_outage_proves_nothing_soon_after(ci):
    ci.run("o", *[failed(t, message="db refused") for t in range(10)])
    ci.run("p", failed(50, BAD, OK, message="db refused"), hours=20)
    assert ci.verdict(50).score == 0


def test_forks_teach_nothing(ci):
    for i in range(5):
        outcome = ci.run(f"x{i}", failed(7, BAD, OK), branch="main", trust=Trust.FORK, hours=9)
        assert outcome.failures == {7: FailureVerdict.NEW}
    assert ci.verdict(7).state is TestState.HEALTHY


def test_a_partial_report_never_proves_a_pass(ci):
    for i in range(4):
        ci.run(f"c{i}", failed(7), run_id=f"r{i}", hours=9)
        ci.run(f"c{i}", run_id=f"r{i}", attempt=2, partial=True)
    assert EvidenceClass.RERUN_PASS not in ci.verdict(7).evidence


def test_ambiguous_executions_are_no_retry_evidence(ci):
    for i in range(5):
        ci.run(f"c{i}", failed(7, BAD, OK, ambiguous=True), hours=9)
    assert ci.verdict(7).state is TestState.HEALTHY


def test_a_test_never_seen_passing_on_the_default_branch_is_not_confirmed():
    ci = Ci()
    for i in range(5):
        ci.run(f"p{i}", failed(7, BAD, OK), branch=f"feature/{i}", base="m", hours=9)
    assert ci.verdict(7).state is TestState.FLAKY
    assert not ci.verdict(7).confirmed


def test_silence_clears_a_flaky_test_and_a_rare_one_needs_more_of_it(ci):
    flake(ci, times=6)
    rare = Ci()
    for i in range(6):
        rare.greens(60, first=i * 100, hours=0.2)
        rare.run(f"f{i}", failed(7, BAD, OK), hours=5)
    often, seldom = _greens_until_clear(ci), _greens_until_clear(rare)
    assert 10 < often < seldom


def _greens_until_clear(ci):
    for count in range(1, 2000):
        ci.run(f"later{count}", hours=0.02)
        if not ci.verdict(7).flagged:
            return count
    return 2000


def test_hysteresis_keeps_a_flag_between_the_lines(ci):
    flake(ci)
    seen = set()
    for i in range(200):
        ci.run(f"h{i}", hours=0.1)
        verdict = ci.verdict(7)
        seen.add((verdict.flagged, verdict.score > 0.15))
    assert seen == {(True, True), (False, False)}


def test_a_known_flaky_test_is_called_so_in_the_run(ci):
    flake(ci)
    assert ci.run("next", failed(7)).failures == {7: FailureVerdict.KNOWN_FLAKY}
    assert ci.run("next2", failed(9)).failures == {9: FailureVerdict.NEW}


def test_a_merge_unchanged_with_a_green_default_branch_speaks_for_the_test(ci):
    ci.run("p1", failed(7), branch="feature", base="g9-9.0")
    before = ci.verdict(7).score
    ci.merge("feature", "p1", "m1")
    ci.run("m1")
    assert ci.verdict(7).strongest is EvidenceClass.MERGED_GREEN
    assert ci.verdict(7).score > before


def test_time_lets_evidence_leave_the_window(ci):
    flake(ci)
    for day in range(30):
        ci.run(f"d{day}", failed(8), hours=24) if day % 9 == 0 else ci.run(f"d{day}", hours=24)
    later = ci.now + timedelta(days=5)
    sweep(ci.state, later, thresholds=ci.thresholds)
    assert not ci.verdict(7).flagged


def test_a_test_that_vanished_is_retired(ci):
    flake(ci)
    ci.tests = 7
    for day in range(20):
        ci.run(f"d{day}", hours=24)
    assert ci.verdict(7).state is TestState.RETIRED


def test_a_forgotten_suspect_leaves_no_row(ci):
    ci.run("once", failed(7))
    ci.state.dirty()
    for day in range(60):
        ci.run(f"d{day}", hours=24)
    assert 7 not in ci.state.suspects
    assert ci.state.dirty().suspects.get(7, b"") is None


def test_a_second_dump_is_empty_until_something_changes(ci):
    flake(ci)
    first = ci.state.dirty()
    assert first.context
    assert first.suspects.keys() == {7}
    assert ci.state.dirty().suspects == {}


def test_an_empty_context_loads_as_an_empty_project():
    assert ProjectState.load(b"", {}).suspects == {}


def test_the_first_failure_finds_the_passes_before_it(ci):
    ci.greens(40)
    ci.run("c", failed(7))
    verdict = ci.verdict(7)
    assert verdict.runs == 51
    assert verdict.strip == "." * 19 + "x"


def test_applying_the_same_run_again_changes_nothing(ci):
    flake(ci)
    before = ci.verdict(7)
    run, results, _ = ci.stored[-1]
    ci.store(run, results)
    assert ci.verdict(7) == before
