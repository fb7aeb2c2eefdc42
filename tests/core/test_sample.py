from datetime import UTC, datetime, timedelta

from core.report import Outcome
from core.sample import DAYS, EVERY, MISCHIEF, STEADY, sample_runs

END = datetime(2026, 11, 22, 21, tzinfo=UTC)


def test_the_sample_is_ninety_days_of_runs_and_the_same_every_time():
    runs = list(sample_runs(END))
    first, last = runs[0][0], runs[-1][0]
    assert runs == list(sample_runs(END))
    assert last.at - first.at > timedelta(days=DAYS) - 2 * EVERY
    assert END - last.at < timedelta(hours=1)
    assert len({run.run_id for run, _ in runs}) == len(runs)


def test_every_run_has_every_test_and_mischief_is_what_fails():
    names = {one.name for one in MISCHIEF}
    failing = set()
    for _, results in sample_runs(END):
        assert len(results) == STEADY + len(MISCHIEF)
        failing |= {key.name for key, tries in results.items() if tries[0].outcome is Outcome.FAILED}
    assert failing == names
