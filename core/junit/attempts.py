"""From the marks of a case to its attempts, in order."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat

from core.junit.dialects.base import Dialect, as_marked, as_told
from core.junit.raw import Mark, RawCase
from core.junit.text import told
from core.junit.times import each, seconds
from core.limits import Limits
from core.report import Attempt, Outcome

_attempt = partial(tuple.__new__, Attempt)
_OUTCOMES = {
    "failure": Outcome.FAILED,
    "error": Outcome.ERROR,
    "flakyFailure": Outcome.FAILED,
    "flakyError": Outcome.ERROR,
    "rerunFailure": Outcome.FAILED,
    "rerunError": Outcome.ERROR,
    "skipped": Outcome.SKIPPED,
}
_FINAL = {tag: _OUTCOMES[tag] for tag in ("failure", "error")}
_STATUSES = {
    **dict.fromkeys(
        (
            "skipped",
            "skip",
            "notrun",
            "disabled",
            "untested",
            "suppressed",
            "ignored",
            "pending",
            "todo",
            "xfail",
        ),
        Outcome.SKIPPED,
    ),
    **dict.fromkeys(("fail", "failed", "failure", "xpass"), Outcome.FAILED),
    **dict.fromkeys(
        (
            "error",
            "undefined",
            "broken",
            "timedout",
            "timeout",
            "crashed",
            "aborted",
            "interrupted",
            "panicked",
        ),
        Outcome.ERROR,
    ),
}


_FLAKY = "flaky"
PASSING = frozenset({"", "run", "completed", "passed", "pass", "success", "ok"})


def passed(times: Sequence[str]) -> Iterator[tuple[Attempt, ...]]:
    """The attempts of cases that passed at once."""
    drafts = zip(repeat(Outcome.PASSED), each(times), repeat(None), strict=False)
    return zip(map(_attempt, drafts), strict=True)


def marked(
    cases: Sequence[RawCase], passes: Sequence[tuple[Attempt, ...]], dialect: Dialect, limits: Limits
) -> Iterable[tuple[Attempt, ...]]:
    """The attempts of cases with one mark each, of which `passes` says how long they took."""
    if not _plain(cases, dialect):
        return (attempts(raw, dialect, limits) for raw in cases)
    marks = [raw.marks[0] for raw in cases]
    outcomes = [_OUTCOMES[mark.tag] for mark in marks]
    durations = [once.duration for (once,) in passes]
    messages = [_message(mark, limits) for mark in marks]
    return zip(map(_attempt, zip(outcomes, durations, messages, strict=True)), strict=True)


def _plain(cases: Sequence[RawCase], dialect: Dialect) -> bool:
    """The mark says it all."""
    if dialect.retold is not as_told or dialect.failures_are_attempts:
        return False
    if dialect.skipped_means is not as_marked and any(raw.marks[0].tag == "skipped" for raw in cases):
        return False
    return _FLAKY not in {raw.status.lower() for raw in cases}


def attempts(raw: RawCase, dialect: Dialect, limits: Limits) -> tuple[Attempt, ...]:
    """What one entry says; several entries of one test are joined by `grouping`."""
    return dialect.retold(raw, _marked(raw, dialect, limits))


def _marked(raw: RawCase, dialect: Dialect, limits: Limits) -> tuple[Attempt, ...]:
    duration = seconds(raw.time) if raw.time else None
    if raw.status.lower() == _FLAKY:
        return _recovered(raw.marks, duration, limits)
    if not raw.marks:
        outcome = dialect.unmarked_means(raw) or _STATUSES.get(raw.status.lower(), Outcome.PASSED)
        return (Attempt(outcome, duration),)
    if len(raw.marks) == 1 and raw.marks[0].tag in _FINAL and not dialect.failures_are_attempts:
        mark = raw.marks[0]
        return (_attempt((_FINAL[mark.tag], duration, _message(mark, limits))),)
    flaky = [mark for mark in raw.marks if mark.tag.startswith("flaky")]
    if flaky:
        recovered = (*(_failed(mark, limits) for mark in flaky), Attempt(Outcome.PASSED, duration))
        return (*recovered, *_failed_all_the_same(raw.marks, duration, limits))
    skipped = [mark for mark in raw.marks if mark.tag == "skipped"]
    bad = [mark for mark in raw.marks if mark.tag != "skipped"]
    if not bad or (skipped and dialect.skipped_wins):
        outcome = dialect.skipped_means(raw) or Outcome.SKIPPED
        return (Attempt(outcome, duration, _message(raw.marks[0], limits)),)
    return _bad(bad, duration, dialect, limits)


def _recovered(marks: Sequence[Mark], duration: float | None, limits: Limits) -> tuple[Attempt, ...]:
    """Firebase Test Lab and Flank say so of a test, with the failures before it or without."""
    failed = [_failed(mark, limits) for mark in marks if mark.tag in _FINAL]
    return (*(failed or [Attempt(Outcome.FAILED)]), Attempt(Outcome.PASSED, duration))


def _failed_all_the_same(marks: Sequence[Mark], duration: float | None, limits: Limits) -> Iterator[Attempt]:
    """A runner can be told to fail what passed on a retry (nextest): the run fails for it, and so must the gate."""
    for mark in marks:
        if mark.tag in _FINAL:
            yield Attempt(_FINAL[mark.tag], duration, _message(mark, limits))


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
