"""From the marks of a case to its attempts, in order."""

from core.junit.dialects.base import Dialect
from core.junit.raw import Mark, RawCase
from core.junit.text import told
from core.junit.times import seconds
from core.limits import Limits
from core.report import Attempt, Outcome

_OUTCOMES = {
    "failure": Outcome.FAILED,
    "error": Outcome.ERROR,
    "flakyFailure": Outcome.FAILED,
    "flakyError": Outcome.ERROR,
    "rerunFailure": Outcome.FAILED,
    "rerunError": Outcome.ERROR,
    "skipped": Outcome.SKIPPED,
}
_STATUSES = {
    "skipped": Outcome.SKIPPED,
    "notrun": Outcome.SKIPPED,
    "disabled": Outcome.SKIPPED,
    "untested": Outcome.SKIPPED,
    "undefined": Outcome.ERROR,
    "suppressed": Outcome.SKIPPED,
    "fail": Outcome.FAILED,
    "failed": Outcome.FAILED,
    "failure": Outcome.FAILED,
    "error": Outcome.ERROR,
}


PASSING = frozenset({"", "run", "completed", "passed", "pass", "success", "ok"})


def passed(time: str) -> tuple[Attempt, ...]:
    """The attempts of a case that passed at once."""
    return (Attempt(Outcome.PASSED, seconds(time) if time else None),)


def attempts(raw: RawCase, dialect: Dialect, limits: Limits) -> tuple[Attempt, ...]:
    """What one entry says; several entries of one test are joined by `grouping`."""
    duration = seconds(raw.time) if raw.time else None
    if not raw.marks:
        return (Attempt(_STATUSES.get(raw.status.lower(), Outcome.PASSED), duration),)
    flaky = [mark for mark in raw.marks if mark.tag.startswith("flaky")]
    if flaky:
        return (*(_failed(mark, limits) for mark in flaky), Attempt(Outcome.PASSED, duration))
    skipped = [mark for mark in raw.marks if mark.tag == "skipped"]
    bad = [mark for mark in raw.marks if mark.tag != "skipped"]
    if not bad or (skipped and dialect.skipped_wins):
        outcome = dialect.skipped_means(raw) or Outcome.SKIPPED
        return (Attempt(outcome, duration, _message(raw.marks[0], limits)),)
    return _bad(bad, duration, dialect, limits)


def _bad(bad: list[Mark], duration: float | None, dialect: Dialect, limits: Limits) -> tuple[Attempt, ...]:
    if dialect.failures_are_attempts or any(mark.tag.startswith("rerun") for mark in bad):
        *before, last = (_failed(mark, limits) for mark in bad)
        return (
            *before,
            Attempt(last.outcome, last.duration if last.duration is not None else duration, last.message),
        )
    outcome = Outcome.FAILED if any(mark.tag == "failure" for mark in bad) else Outcome.ERROR
    message = "\n\n".join(filter(None, (_message(mark, limits) for mark in bad)))
    return (Attempt(outcome, duration, message or None),)


def _failed(mark: Mark, limits: Limits) -> Attempt:
    return Attempt(_OUTCOMES[mark.tag], seconds(mark.time) if mark.time else None, _message(mark, limits))


def _message(mark: Mark, limits: Limits) -> str | None:
    return told(mark.message, mark.type, mark.text, limit=limits.text_chars)
