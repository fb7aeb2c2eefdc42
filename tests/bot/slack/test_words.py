"""The sentences that draw a conclusion from numbers: is a repository well, does a test get worse."""

from datetime import timedelta

import pytest
from fakes import slack_samples as samples

from bot.slack.blocks.show import show
from bot.slack.reads import illness

NOW = samples.NOW
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "arrived", "broken", "told"),
    [
        (NOW - HOUR, (0, 0), 0, ("", "")),
        (NOW - HOUR, (96, 100), 0, ("", "")),
        (None, (0, 0), 0, ("", "")),
        (NOW - 25 * HOUR, (0, 0), 0, ("is blind", "no result for 1 day")),
        (NOW - 73 * HOUR, (1, 9), 2, ("is blind", "no result for 3 days")),
        (NOW - HOUR, (94, 100), 2, ("sees too little", "6 runs of 100 brought no result in a day")),
        (NOW - HOUR, (96, 100), 1, ("is not heard", "1 channel cannot be posted to")),
    ],
)
def test_the_first_thing_that_fails_is_named(last, arrived, broken, told):
    assert illness(last, arrived, broken, NOW) == told


def weeks(*shares):
    return tuple((str(41 + number), share) for number, share in enumerate(shares))


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ((0.5, 0.4, 1.1, 0.9, 3.6, 4.8), "Getting worse since week 45."),
        ((4.0, 5.0, 4.5, 1.0, 0.0), "Getting better since week 44."),
        ((4.0, 5.0, 4.5, 4.0), ""),
        ((0.0, 0.0, 0.5), ""),
        ((0.0, 9.0), ""),
        ((), ""),
    ],
)
def test_a_trend_is_told_when_the_weeks_leave_no_doubt(shares, told):
    shown = show(samples.page_of_test(weekly=weeks(*shares)))

    sentence = shown.blocks[2]["text"]["text"]
    assert sentence.endswith(told or "explains it.")
