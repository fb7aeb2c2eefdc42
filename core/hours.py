"""Wall-clock hours in a time zone: quiet hours and the daily digest, right across summer time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import ValidationError


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of this name; ValidationError names a wrong one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            f"{name[:60]!r} is not a time zone; use an IANA name such as Europe/Paris.", field="timezone"
        ) from error


def clock_time(text: str) -> time:
    """`09:00` as a time; ValidationError for anything else."""
    try:
        hours, minutes = text.split(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        raise ValidationError(f"{text[:20]!r} is not a time; write it like 09:00.", field="time") from error


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the clocks of the zone show `at` on that day (UTC); the first time when they show it twice."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def last_occurrence(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The newest moment, not after `now`, at which the clocks of the zone showed `at`."""
    today = now.astimezone(zone).date()
    candidates = (moment(today - timedelta(days=back), at, zone) for back in range(3))
    return next(one for one in candidates if one <= now)


def next_occurrence(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The first moment after `now` at which the clocks of the zone show `at`."""
    today = now.astimezone(zone).date()
    candidates = (moment(today + timedelta(days=ahead), at, zone) for ahead in range(3))
    return next(one for one in candidates if one > now)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hours in which nobody wants to hear anything; may span midnight."""

    start: time
    stop: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, timezone: str) -> "QuietHours":
        """`22:00-07:00` in a time zone."""
        start, separator, stop = text.partition("-")
        if not separator:
            raise ValidationError("Quiet hours are written like 22:00-07:00.", field="quiet_hours")
        begin, end = clock_time(start.strip()), clock_time(stop.strip())
        if begin == end:
            raise ValidationError("Quiet hours need a beginning and another end.", field="quiet_hours")
        return cls(begin, end, zone_of(timezone))

    def end(self, now: datetime) -> datetime | None:
        """When the present quiet hours end; None when it is not quiet now."""
        begun = last_occurrence(self.start, self.zone, now)
        over = next_occurrence(self.stop, self.zone, begun)
        return over if now < over else None
