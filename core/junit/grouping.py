"""Several entries of one identity: attempts of one test, different tests, or one volatile name."""

from collections.abc import Sequence

from core.junit.batch import Entry, Key
from core.junit.dialects.base import Repeats
from core.report import Attempt, CaseResult, Outcome, TestKey

_SEVERITY = {Outcome.SKIPPED: 0, Outcome.PASSED: 1, Outcome.FAILED: 2, Outcome.ERROR: 3}


def joined(key: Key, entries: Sequence[Entry], repeats: Repeats) -> CaseResult:
    """One result out of the entries of one written name, in the order of the report."""
    named = TestKey(*key)
    if len(entries) == 1:
        return CaseResult(named, entries[0])
    attempts = _attempts(entries, repeats)
    if attempts is not None:
        return CaseResult(named, attempts)
    return CaseResult(named, tuple(sorted(_flat(entries), key=_severity)), ambiguous=True)


def _attempts(entries: Sequence[Entry], repeats: Repeats) -> Entry | None:
    """None when the entries are of different tests."""
    match repeats:
        case Repeats.ATTEMPTS:
            return _flat(entries)
        case Repeats.PARTS:
            return (_in_parts(_flat(entries)),)
        case Repeats.AFTER_FAILURE:
            return _flat(entries) if all(entry[-1].outcome.bad for entry in entries[:-1]) else None
        case _:
            return _reruns(entries) if _run_again(entries, repeats) else None


def _run_again(entries: Sequence[Entry], repeats: Repeats) -> bool:
    skipped_before = any(entry[-1].outcome is Outcome.SKIPPED for entry in entries[:-1])
    match repeats:
        case Repeats.RERUNS:
            return True
        case Repeats.RERUNS_UNLESS_SKIPPED:
            return not skipped_before
        case Repeats.RERUNS_UNLESS_PASSED:
            return not skipped_before and any(entry[-1].outcome.bad for entry in entries)
        case _:
            return False


def folded(key: Key, results: Sequence[CaseResult], *, output: str = "") -> CaseResult:
    """Different names that became one by masking: the worst stands for all; they are not attempts."""
    worst = max(results, key=lambda result: (_SEVERITY[result.outcome], result.flaky))
    return CaseResult(
        TestKey(*key), worst.attempts, worst.ambiguous, volatile=len(results) > 1, output=output
    )


def _flat(entries: Sequence[Entry]) -> Entry:
    return tuple(attempt for entry in entries for attempt in entry)


def _severity(attempt: Attempt) -> int:
    return _SEVERITY[attempt.outcome]


def _in_parts(parts: Entry) -> Attempt:
    """One bad part is a bad whole; a test that skips itself half-way has passed up to there."""
    bad = [part for part in parts if part.outcome.bad]
    skipped = [part for part in parts if part.outcome is Outcome.SKIPPED]
    telling = bad or skipped or parts
    outcome = max(telling, key=_severity).outcome
    durations = [part.duration for part in parts if part.duration is not None]
    message = "\n\n".join(part.message for part in telling if part.message)
    return Attempt(outcome, sum(durations) if durations else None, message or None)


def _reruns(entries: Sequence[Entry]) -> Entry:
    """A failed call and its failed teardown are two entries of one attempt in pytest's reports."""
    flat = _flat(entries)
    if flat[-1].outcome is Outcome.ERROR and flat[-2].outcome is Outcome.FAILED:
        flat = (*flat[:-2], _with_teardown(flat[-2], flat[-1]))
    return (*(_as_failed(attempt) for attempt in flat[:-1]), flat[-1])


def _with_teardown(call: Attempt, teardown: Attempt) -> Attempt:
    message = "\n\n".join(filter(None, (call.message, teardown.message)))
    return Attempt(Outcome.FAILED, call.duration, message or None)


def _as_failed(attempt: Attempt) -> Attempt:
    """Without a child the entry of a failed attempt looks like a pass."""
    if attempt.outcome.bad:
        return attempt
    return Attempt(Outcome.FAILED, attempt.duration, attempt.message)
