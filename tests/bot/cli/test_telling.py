"""How numbers become words in a terminal."""

from datetime import UTC, datetime

import pytest

from bot.cli.telling import day, sparkline


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [([], ""), ([0, 0], "··"), ([1], "█"), ([0, 1, 8], "·▁█"), ([3, 3, 0], "██·"), ([1, 1000], "▁█")],
)
def test_a_sparkline_shows_nothing_as_nothing_and_the_most_as_tallest(counts, drawn):
    assert sparkline(counts) == drawn


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        ("", "-"),
        ("2026-01-31T12:05:00+00:00", "2026-01-31 12:05"),
        (datetime(2026, 1, 31, 12, 5, tzinfo=UTC), "2026-01-31 12:05"),
    ],
)
def test_a_time_is_said_shortly(value, said):
    assert day(value) == said
