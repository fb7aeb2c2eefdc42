"""Patience with receivers of webhooks: what an answer means, when to try again, how long to leave somebody alone."""

from dataclasses import dataclass
from datetime import timedelta

RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The specification's own example: the last of ten attempts comes three days after the first."""
JITTER = 0.1
"""Up to a tenth later, so that what failed together does not come back together."""
FAILING_FOR = timedelta(days=5)
"""An endpoint that has answered nothing well for so long is switched off."""
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)
"""However long a receiver asks us to wait."""
GONE = 410
_BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt ended."""

    status: int | None = None
    """None when there was no HTTP answer."""
    error: str = ""
    """In our own words, empty when all went well."""
    retry_after: timedelta | None = None

    @property
    def ok(self) -> bool:
        """2xx and nothing else."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's own borders

    @property
    def gone(self) -> bool:
        """The receiver wants nothing any more."""
        return self.status == GONE

    @property
    def busy(self) -> bool:
        """Everything for this receiver had better wait, not only this message."""
        return self.status is None or self.status in _BUSY


def next_try(tries: int, answer: Answer, *, chance: float) -> timedelta | None:
    """How long to wait after so many attempts; None when that was the last. `chance` is a random 0 to 1."""
    if tries > len(RETRIES):
        return None
    planned = RETRIES[tries - 1] * (1 + JITTER * chance)
    return max(planned, _asked_for(answer))


def pause(failures: int, answer: Answer) -> timedelta:
    """How long the whole endpoint rests after so many failures in a row, so that a dead one costs little."""
    resting = min(timedelta(seconds=2.0 ** min(failures - 1, 20)), LONGEST_PAUSE)
    return max(resting, _asked_for(answer)) if answer.busy else resting


def _asked_for(answer: Answer) -> timedelta:
    return min(answer.retry_after or timedelta(), LONGEST_WAIT)
