"""People's decisions shift the table, a little, visibly, reversibly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evidence import Bucket, EvidenceClass
from core.learn import BUCKETS, Decision, Lesson, Shown, learn, shown
from core.q_table import SHIPPED

C = EvidenceClass


def lesson(decision, kind=C.CROSS_BRANCH, bucket=Bucket.ALONE, count=1):
    q = SHIPPED[kind][bucket]
    return Lesson(decision, (Shown(kind, bucket, q),) * count)


def test_no_decisions_change_nothing():
    assert all(cell.learnt == pytest.approx(cell.shipped) for cell in learn([]).cells)


def test_real_bugs_lower_the_chance_of_the_class_that_accused_them():
    learnt = learn([lesson(Decision.REAL_BUG)] * 10).table
    assert learnt[C.CROSS_BRANCH][Bucket.ALONE] < SHIPPED[C.CROSS_BRANCH][Bucket.ALONE] - 0.15
    assert learnt[C.RETRY_PASS] == pytest.approx(SHIPPED[C.RETRY_PASS])


def test_undecided_ones_teach_nothing():
    assert learn([lesson(Decision.UNDECIDED)] * 50).decisions == 0


def test_one_decision_is_one_vote_however_many_pieces_it_was_shown():
    learnt = learn([lesson(Decision.REAL_BUG, count=30)])
    assert sum(cell.bugs for cell in learnt.cells) == pytest.approx(1)


def test_what_proves_nothing_stays_so():
    approved = [lesson(Decision.FLAKE, C.BASE_RED)] * 100
    assert learn(approved).table[C.BASE_RED][Bucket.ALONE] == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Decision.FLAKE, Decision.REAL_BUG]),
            st.sampled_from(list(C)),
            st.sampled_from(BUCKETS),
        ),
        max_size=60,
    )
)
def test_less_alone_is_never_more_convincing(drawn):
    table = learn([lesson(d, kind, bucket) for d, kind, bucket in drawn]).table
    for row in table.values():
        chances = [row[bucket] for bucket in BUCKETS]
        assert chances == sorted(chances, reverse=True)
        assert 0 <= chances[-1] <= chances[0] <= 1


def test_calibration_compares_what_was_said_with_what_people_said():
    shown = learn([lesson(Decision.FLAKE, C.RETRY_PASS)] * 9 + [lesson(Decision.REAL_BUG, C.RETRY_PASS)])
    (row,) = shown.calibration
    assert row.observed == pytest.approx(0.9)
    assert row.predicted == pytest.approx(SHIPPED[C.RETRY_PASS][Bucket.ALONE])


def test_pieces_are_read_from_the_explanation_that_was_shown():
    frozen = [
        {"class": "retry_pass", "bucket": "alone", "chance": 0.99, "counts": True},
        {"class": "retry_pass", "bucket": "alone", "chance": 0.99, "counts": False},
        {"class": "of an older version", "bucket": "alone", "chance": 0.5, "counts": True},
    ]
    assert shown(frozen) == (Shown(C.RETRY_PASS, Bucket.ALONE, 0.99),)
