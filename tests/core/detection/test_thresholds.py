"""The detection part of a policy is checked when it is read."""

import pytest

from core.errors import ValidationError
from core.thresholds import Thresholds


def test_a_policy_survives_being_written_and_read():
    t = Thresholds(version=4, default_branch="trunk", ignored_branches=("release/*",), window_days=14)
    assert Thresholds.from_dict(t.to_dict()) == t


@pytest.mark.parametrize(
    "values",
    [
        {"flag_at": 1.5},
        {"clear_at": 0.7},
        {"window_days": 0},
        {"window_days": 400},
        {"prior": 0.0},
        {"alpha": -1.0},
        {"no_such_setting": 1},
        {"flag_at": "high"},
        {"window_days": True},
    ],
)
def test_numbers_that_make_no_sense_are_refused(values):
    with pytest.raises(ValidationError):
        Thresholds.from_dict(values)


def test_ignored_branches_are_patterns():
    t = Thresholds(ignored_branches=("release/*",))
    assert t.counts_branch("main")
    assert not t.counts_branch("release/1.2")
