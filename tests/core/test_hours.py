from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ValidationError
from core.hours import QuietHours, clock_time, last_occurrence, next_occurrence, zone_of

PARIS = ZoneInfo("Europe/Paris")
ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
CLOCKS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "9", "24:00", "09:60", "nine", "09:00:00", "-1:00"])
def test_other_text_is_no_time(text):
    with pytest.raises(ValidationError, match="not a time"):
        clock_time(text)


@pytest.mark.parametrize("name", ["Paris", "../../etc/passwd", "Europe", "a\0b"])
def test_a_wrong_time_zone_is_named(name):
    with pytest.raises(ValidationError, match="not a time zone"):
        zone_of(name)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (utc(2026, 3, 28, 12), utc(2026, 3, 28, 8)),  # winter: 09:00 is 08:00 UTC
        (utc(2026, 3, 29, 12), utc(2026, 3, 29, 7)),  # the clocks went forward at night
        (utc(2026, 10, 24, 12), utc(2026, 10, 24, 7)),
        (utc(2026, 10, 25, 12), utc(2026, 10, 25, 8)),  # and back
        (utc(2026, 10, 25, 7, 59), utc(2026, 10, 24, 7)),
    ],
)
def test_nine_in_paris_is_nine_across_summer_time(now, expected):
    assert last_occurrence(time(9), PARIS, now) == expected


def test_an_hour_the_clocks_show_twice_comes_once():
    first = last_occurrence(time(2, 30), PARIS, utc(2026, 10, 25, 12))
    assert first == utc(2026, 10, 25, 0, 30)
    assert next_occurrence(time(2, 30), PARIS, first) == utc(2026, 10, 26, 1, 30)


@given(CLOCKS, ZONES, MOMENTS)
def test_now_lies_between_the_last_time_and_the_next(at, zone, now):
    last, after = last_occurrence(at, ZoneInfo(zone), now), next_occurrence(at, ZoneInfo(zone), now)
    assert last <= now < after
    assert after - last <= timedelta(hours=49)  # Apia once left a day out


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (utc(2026, 6, 1, 20, 0), utc(2026, 6, 2, 5)),  # 22:00 in Paris
        (utc(2026, 6, 2, 4, 59), utc(2026, 6, 2, 5)),
        (utc(2026, 6, 2, 5, 0), None),
        (utc(2026, 6, 1, 19, 59), None),
    ],
)
def test_quiet_hours_span_midnight(now, end):
    assert QuietHours.parse("22:00-07:00", "Europe/Paris").end(now) == end


@pytest.mark.parametrize("text", ["", "22:00", "22:00-", "a-b", "22:00-22:00"])
def test_wrong_quiet_hours_are_refused(text):
    with pytest.raises(ValidationError):
        QuietHours.parse(text, "UTC")


@given(CLOCKS, CLOCKS, ZONES, MOMENTS)
def test_quiet_hours_end_later_than_now_and_within_a_day(start, stop, zone, now):
    if start == stop:
        return
    end = QuietHours(start, stop, ZoneInfo(zone)).end(now)
    assert end is None or now < end <= now + timedelta(hours=49)
