"""Where a run stands among others: in the order of time, told as exactly as the run tells it."""

from datetime import timedelta

import numpy as np
import pytest
from histories.ci import BAD, OK, START, Ci, failed
from hypothesis import given
from hypothesis import strategies as st

from core.execution import RunResults
from core.placing import placed
from core.run import Run
from core.thresholds import Thresholds


def place(run_id, micros):
    run = Run(run_id, "c", "main", START + timedelta(microseconds=micros))
    return placed(run, 0, Thresholds())


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(1, 999_999)), max_size=20))
def test_runs_of_one_second_stand_in_the_order_of_their_time(told):
    told.sort(key=lambda one: one[1])
    keys = [place(*one).key >> 43 for one in told]
    assert keys == sorted(keys) == [micros for _, micros in told]
    assert all(abs(place(*one).key) < 1 << 63 for one in told)


@pytest.mark.parametrize("micros", [0, 1, 999_999])
def test_a_run_has_one_place_and_another_of_that_moment_has_another(micros):
    assert place("a", micros) == place("a", micros)
    assert place("a", micros).order != place("b", micros).order


def test_a_burst_of_runs_is_learnt_without_reading_the_past_again():
    ci, asked = Ci(tests=3), []
    past = ci.past
    ci.past = lambda test_id: asked.append(test_id) or past(test_id)
    for number in range(100):
        run = Run(f"r{number}", f"c{number}", "main", START + timedelta(milliseconds=9 * number + 1))
        failures = [failed(1, BAD, OK)] if number % 10 == 0 else []
        ci.store(run, RunResults(3, ids(0, 2) if failures else ids(0, 1, 2), failures))
    assert asked == [1]


def ids(*numbers):
    return np.array(numbers, np.int64)
