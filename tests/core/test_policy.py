import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ValidationError
from core.policy import RANGES, Policy


@pytest.mark.parametrize(
    ("tests", "cap"), [(0, 5), (10, 5), (25, 5), (30, 6), (100, 20), (999, 199), (1000, 200), (50_000, 200)]
)
def test_the_cap_is_a_share_of_the_suite_but_never_below_five(tests, cap):
    assert Policy().cap(tests) == cap


def test_a_cap_of_nothing_is_nothing():
    assert Policy(max_quarantined=0).cap(1000) == 0


@pytest.mark.parametrize(
    ("patterns", "names", "needed"),
    [
        ((), ("tests/pay/test_x.py",), 1),
        (("tests/pay/*",), ("tests/pay/test_x.py", ""), 2),
        (("tests/pay/*",), ("tests/web/test_x.py",), 1),
        (("*Payment*",), ("", "suite", "com.acme.PaymentTest"), 2),
        (("*",), ("", ""), 1),  # a pattern protects names, and there is none
    ],
)
def test_protected_tests_need_more_approvals(patterns, names, needed):
    assert Policy(protected_paths=patterns).approvals_for(*names) == needed


def test_a_policy_survives_being_stored():
    policy = Policy(protected_paths=("a/*",), detection={"flag_at": 0.95}, quiet_hours="22:00-07:00")
    assert Policy.from_dict(policy.to_dict()) == policy


def test_an_unknown_setting_is_named():
    with pytest.raises(ValidationError, match="approvals_requird"):
        Policy.from_dict({"approvals_requird": 2})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("approvals_required", "2"),
        ("approvals_required", True),
        ("approvals_required", 1.5),
        ("approvals_required", None),
        ("allow_self_approval", "no"),
        ("protected_paths", "tests/*"),
        ("protected_paths", [1]),
        ("max_share", "0.2"),
        ("max_share", float("nan")),
        ("timezone", 5),
        ("timezone", "Mars/Base"),
        ("digest_time", 900),
        ("digest_time", "25:00"),
        ("quiet_hours", "always"),
        ("detection", []),
        ("detection", {"flagg_at": 1}),
    ],
)
def test_a_value_that_cannot_be_is_refused(name, value):
    with pytest.raises(ValidationError):
        Policy.from_dict({name: value})


@pytest.mark.parametrize("name", RANGES)
def test_every_range_is_kept(name):
    low, high = RANGES[name]
    for value in (low, high):
        kind = type(getattr(Policy(), name))
        assert getattr(Policy.from_dict({name: kind(value)}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValidationError, match=name):
            Policy.from_dict({name: int(value)})


def test_the_next_version_follows_and_is_checked():
    assert Policy(version=3).next(ttl_days=7).version == 4
    with pytest.raises(ValidationError):
        Policy().next(ttl_days=0)


def test_thresholds_carry_branch_and_version():
    thresholds = Policy(version=4, detection={"window_days": 14}).thresholds("trunk")
    assert (thresholds.default_branch, thresholds.version, thresholds.window_days) == ("trunk", 4, 14)


@settings(
    suppress_health_check=[HealthCheck.too_slow], deadline=None
)  # unicode's tables are loaded here first
@given(
    st.dictionaries(
        st.sampled_from(sorted(Policy().to_dict())),
        st.none() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_any_data_is_a_policy_or_a_sentence(data):
    with contextlib.suppress(ValidationError):
        Policy.from_dict(data).check()


def test_an_unknown_setting_is_answered_with_those_there_are():
    with pytest.raises(ValidationError, match=r"called ttl; there are .*ttl_days"):
        Policy.from_dict({"ttl": 3})
