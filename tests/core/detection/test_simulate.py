"""Stored history under another policy."""

from dataclasses import replace

from histories.ci import BAD, OK, Ci, failed

from core.simulate import Change, Trial, compare


def replayed(ci, new):
    trials = Trial(ci.thresholds), Trial(new)
    for run, results, ref in ci.stored:
        for trial in trials:
            trial.see_run(run, results, run_ref=ref, history=lambda test, now=run.at: until(ci, test, now))
    return compare(*(trial.end() for trial in trials))


def until(ci, test, now):
    """A replay does not look ahead."""
    return [past for past in ci.past(test) if past.run.at <= now]


def flaky_history():
    ci = Ci()
    ci.greens(10)
    for i in range(3):
        ci.greens(60, first=100 * i, hours=0.2)
        ci.run(f"f{i}", failed(7, BAD, OK))
    return ci


def test_the_same_policy_changes_nothing():
    ci = flaky_history()
    result = replayed(ci, ci.thresholds)
    assert result.differences == ()
    assert [f.test_id for f in result.old] == [7]


def test_the_replay_flags_when_the_engine_did():
    ci = flaky_history()
    told = [t.at for o in ci.outcomes for t in o.transitions if t.after == "flaky"]
    assert replayed(ci, ci.thresholds).old[0].flagged_at == told[0]


def test_a_stricter_line_flags_later_or_not_at_all():
    ci = flaky_history()
    result = replayed(ci, replace(ci.thresholds, version=2, flag_at=0.9999))
    (difference,) = result.differences
    assert difference.change in {Change.FEWER, Change.LATER}


def test_it_counts_flagged_tests_per_day():
    ci = flaky_history()
    assert [(day.old, day.new) for day in replayed(ci, ci.thresholds).per_day] == [(1, 1)]
