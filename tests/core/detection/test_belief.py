"""The arithmetic of belief."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.belief import add_up, believe, poisson_binomial, rate, rate_interval
from core.thresholds import Thresholds

T = Thresholds()
chances = st.lists(st.floats(0, 1), max_size=12)


@given(chances)
def test_a_distribution_sums_to_one_and_has_the_right_mean(qs):
    weights = poisson_binomial(qs)
    assert sum(weights) == pytest.approx(1)
    assert sum(k * w for k, w in enumerate(weights)) == pytest.approx(sum(qs))


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8), st.floats(0.01, 0.99))
def test_more_evidence_never_makes_it_less_likely_flaky(qs, more):
    fewer = believe(add_up(qs), runs=100, clean_runs=0, thresholds=T).p_flaky
    assert believe(add_up([*qs, more]), runs=100, clean_runs=0, thresholds=T).p_flaky >= fewer - 1e-9


@given(st.integers(0, 500), st.integers(1, 500))
def test_silence_never_makes_it_more_likely_active(clean, more):
    total = add_up([0.97, 0.99])
    active = [believe(total, runs=20 + c, clean_runs=c, thresholds=T).p_active for c in (clean, clean + more)]
    assert active[1] <= active[0] + 1e-9


def test_thirty_clean_runs_say_less_of_a_rare_test_than_of_a_frequent_one():
    rare = believe(add_up([0.99] * 3), runs=600, clean_runs=30, thresholds=T).p_active
    frequent = believe(add_up([0.99] * 20), runs=100, clean_runs=30, thresholds=T).p_active
    assert rare > 0.6 > frequent


@pytest.mark.parametrize(("flakes", "runs"), [(0, 10), (1, 10), (5, 1000), (400, 500)])
def test_the_interval_holds_the_rate(flakes, runs):
    low, high = rate_interval(flakes, runs, T)
    assert 0 <= low < rate(flakes, runs, T) < high <= 1


def test_the_interval_is_the_beta_distribution_s():
    low, high = rate_interval(3, 50, T)
    assert low == pytest.approx(0.014386, abs=5e-5)
    assert high == pytest.approx(0.141066, abs=5e-4)
