"""GitHub's rate limits: what an answer says about them, and who has to hold still until when."""

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from jobs.forge import WaitError

log = structlog.get_logger()

_SECONDARY = re.compile(r"secondary rate limit|abuse detection|rate limit exceeded", re.IGNORECASE)
_TOO_MANY = 429
_FORBIDDEN = 403
_FIRST_WAIT = 60.0
"""GitHub's advice when it says to slow down without saying for how long."""
_MAX_WAIT = 3600.0
_PER_MINUTE, _PER_HOUR = 80, 500
"""Content-creating requests GitHub tolerates."""


def wait_of(
    status: int, headers: Mapping[str, str], message: str, now: datetime, *, again: int
) -> float | None:
    """Seconds to wait when this answer is about a limit, else None; `again` counts such answers in a row."""
    if status not in {_FORBIDDEN, _TOO_MANY}:
        return None
    if (told := _seconds(headers.get("retry-after"))) is not None:
        return min(told, _MAX_WAIT)
    if headers.get("x-ratelimit-remaining") == "0":
        reset = _seconds(headers.get("x-ratelimit-reset")) or now.timestamp()
        return min(max(reset - now.timestamp(), 0.0) + 1.0, _MAX_WAIT)
    if status == _TOO_MANY or _SECONDARY.search(message):
        return min(_FIRST_WAIT * 2.0**again, _MAX_WAIT)
    return None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdecimal() and len(text) <= 12 else None  # noqa: PLR2004 - epoch seconds have 10 digits


class Holds:
    """Per credential (the App, each installation): until when nothing is sent."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        """`now` is the clock."""
        self._now = now
        self._until: dict[str, datetime] = {}
        self._again: defaultdict[str, int] = defaultdict(int)
        self._remaining: dict[str, int] = {}
        self._writes: defaultdict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=_PER_HOUR))
        self._guard = threading.Lock()

    def left(self, bucket: str) -> float:
        """Seconds this credential still has to hold still."""
        with self._guard:
            until = self._until.get(bucket)
            return max(0.0, (until - self._now()).total_seconds()) if until else 0.0

    def note(self, bucket: str, status: int, headers: Mapping[str, str], message: str) -> float | None:
        """Learn from an answer; seconds to wait when it was a refusal by a limit."""
        with self._guard:
            self._keep_remaining(bucket, headers)
            wait = wait_of(status, headers, message, self._now(), again=self._again[bucket])
            if wait is None:
                self._again[bucket] = 0
                return None
            self._again[bucket] += 1
            until = self._now() + timedelta(seconds=wait)
            self._until[bucket] = max(until, self._until.get(bucket, until))
        log.warning("github.limited", bucket=bucket, wait=round(wait, 1), status=status)
        return wait

    def count_write(self, bucket: str) -> None:
        """A content-creating request is about to be sent; WaitError when that would be one too many."""
        with self._guard:
            now, sent = self._now(), self._writes[bucket]
            for window, most in ((timedelta(minutes=1), _PER_MINUTE), (timedelta(hours=1), _PER_HOUR)):
                if len(sent) >= most and now - sent[-most] < window:
                    raise WaitError(retry_after=(window - (now - sent[-most])).total_seconds() + 0.1)
            sent.append(now)

    def remaining(self) -> dict[str, int]:
        """What GitHub last said is left of the hourly limit, per credential."""
        with self._guard:
            return dict(self._remaining)

    def _keep_remaining(self, bucket: str, headers: Mapping[str, str]) -> None:
        left = headers.get("x-ratelimit-remaining", "")
        if left.isdecimal():
            self._remaining[bucket] = int(left)
