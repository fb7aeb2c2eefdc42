import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import buckets, pack_durations, pack_outcomes, seconds_of, unpack_durations, unpack_outcomes
from core.ids import contains, pack_ids, pack_signed, place_of, unpack_ids, unpack_signed

IDS = st.lists(st.integers(0, 2**62), max_size=50)


@given(IDS.map(sorted))
def test_sorted_ids_come_back(ids):
    assert unpack_ids(pack_ids(np.array(ids, np.int64))).tolist() == ids


@given(st.lists(st.integers(0, 2**60), max_size=50))
def test_ids_in_any_order_come_back(ids):
    assert unpack_signed(pack_signed(np.array(ids, np.int64))).tolist() == ids


@given(IDS.map(set).map(sorted), IDS)
def test_membership(ids, wanted):
    held = np.array(ids, np.int64)
    assert contains(held, np.array(wanted, np.int64)).tolist() == [one in ids for one in wanted]
    assert [place_of(held, one) >= 0 for one in wanted] == [one in ids for one in wanted]


@given(st.lists(st.integers(0, 255), max_size=300))
def test_codes_come_back(codes):
    array = np.array(codes, np.uint8)
    assert unpack_outcomes(pack_outcomes(array)).tolist() == codes
    assert unpack_durations(pack_durations(array)).tolist() == codes


@given(st.floats(1e-5, 86_400))
def test_a_duration_is_kept_within_five_per_cent(seconds):
    [bucket] = buckets(np.array([seconds]))
    assert seconds_of(int(bucket)) == pytest.approx(seconds, rel=0.048)


@pytest.mark.parametrize(("seconds", "kept"), [(0.0, 0.0), (float("nan"), None), (1e9, 82_530)])
def test_durations_beyond_the_scale(seconds, kept):
    [bucket] = buckets(np.array([seconds]))
    assert seconds_of(int(bucket)) == (None if kept is None else pytest.approx(kept, rel=0.001))
