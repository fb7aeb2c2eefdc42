from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.patience import JITTER, LONGEST_PAUSE, LONGEST_WAIT, RETRIES, Answer, next_try, pause

HOUR = timedelta(hours=1)


@given(tries=st.integers(1, len(RETRIES)), chance=st.floats(0, 1))
def test_tries_follow_the_schedule_and_come_a_little_later(tries, chance):
    wait = next_try(tries, Answer(500), chance=chance)
    assert RETRIES[tries - 1] <= wait <= RETRIES[tries - 1] * (1 + JITTER)


def test_after_ten_attempts_there_is_no_other():
    assert next_try(len(RETRIES) + 1, Answer(500), chance=0) is None
    assert timedelta(days=3) < sum(RETRIES, timedelta()) < timedelta(days=4)


@pytest.mark.parametrize(
    ("asked", "waits"), [(HOUR, HOUR), (timedelta(seconds=1), RETRIES[0]), (90 * HOUR, LONGEST_WAIT)]
)
def test_a_receiver_may_ask_for_more_time_but_not_for_ever(asked, waits):
    assert next_try(1, Answer(503, retry_after=asked), chance=0) == waits


@pytest.mark.parametrize(
    ("failures", "answer", "rests"),
    [
        (1, Answer(500), timedelta(seconds=1)),
        (4, Answer(404), timedelta(seconds=8)),
        (1000, Answer(), LONGEST_PAUSE),
        (1, Answer(429, retry_after=HOUR), HOUR),
        (1, Answer(500, retry_after=HOUR), timedelta(seconds=1)),
    ],
)
def test_an_endpoint_rests_the_longer_the_more_often_it_fails(failures, answer, rests):
    assert pause(failures, answer) == rests


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (299, True), (301, False), (None, False)]
)
def test_two_hundreds_alone_are_success(status, ok):
    assert Answer(status).ok is ok
