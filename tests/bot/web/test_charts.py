"""Charts as numbers."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.charts import HEIGHT, bars, scale_for, whisker


@given(st.lists(st.integers(0, 10**6), max_size=30))
def test_bars_grow_with_their_values_and_fit(values):
    drawn = bars([(f"2026-01-{day + 1:02}", value) for day, value in enumerate(values)])
    assert len(drawn) == len(values)
    assert all(0 <= bar.height <= HEIGHT and bool(bar.height) == bool(bar.value) for bar in drawn)
    ordered = sorted(drawn, key=lambda bar: bar.value)
    assert [bar.height for bar in ordered] == sorted(bar.height for bar in drawn)


@given(st.integers(1, 90))
def test_of_many_days_some_are_labelled_and_the_newest_always(days):
    first = date(2026, 1, 20)
    drawn = bars([((first + timedelta(number)).isoformat(), 1) for number in range(days)])
    labelled = [bar for bar in drawn if bar.labelled]
    assert drawn[-1].labelled
    assert min(days, 8) <= len(labelled) <= 15
    assert [bar.day.month for bar in drawn if bar.month] == sorted({bar.day.month for bar in labelled})


@given(st.tuples(*[st.floats(0, 1)] * 3).map(sorted))
def test_a_whisker_lies_in_order_on_its_line(rates):
    low, rate, high = rates
    drawn = whisker(low, rate, high, scale_for([high]))
    assert 0 <= drawn.low <= drawn.rate <= drawn.high <= 100


@pytest.mark.parametrize(("highs", "scale"), [([], 1.0), ([0.01], 0.05), ([0.01, 0.2], 0.25), ([0.9], 1.0)])
def test_one_scale_fits_a_column(highs, scale):
    assert scale_for(highs) == scale
