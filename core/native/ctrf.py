"""CTRF, the common test report format that many runners' reporters write."""

from core.junit.batch import Entry
from core.limits import Limits
from core.native.found import Found, attempt
from core.native.values import Object, as_object, objects, seconds, text, texts
from core.report import Attempt, Outcome

_OUTCOMES = {"passed": Outcome.PASSED, "failed": Outcome.FAILED}
_MILLISECOND = 0.001
_MANY = 100


def recognise(document: Object) -> bool:
    """`results` with `tests` and a tool or a summary."""
    results = as_object(document.get("results"))
    return "tests" in results and ("tool" in results or "summary" in results)


def read(document: Object, *, limits: Limits) -> Found:
    """All tests; `retryAttempts` in order before the final outcome."""
    found = Found("ctrf")
    for test in objects(as_object(document.get("results")), "tests"):
        suite = " > ".join(texts(test, "suite"))
        found.add(
            suite=suite,
            class_name="",
            name=text(test, "name"),
            file=text(test, "filePath"),
            variant=text(test, "browser"),
            entry=_entry(test, limits),
        )
    return found


def _entry(test: Object, limits: Limits) -> Entry:
    last = _attempt(test, limits)
    retries = [_attempt(retry, limits) for retry in objects(test, "retryAttempts")]
    if retries:
        before = (
            [retry for retry in retries if retry.outcome.bad]
            if last.outcome is Outcome.PASSED
            else retries[:-1]
        )
        return (*before, last)
    count = test.get("retries")
    told = min(count, _MANY) if isinstance(count, int) else 0
    if test.get("flaky") is True:
        told = max(told, 1)
    if last.outcome is Outcome.SKIPPED:
        told = 0
    return (*(Attempt(Outcome.FAILED) for _ in range(told)), last)


def _attempt(value: Object, limits: Limits) -> Attempt:
    outcome = _OUTCOMES.get(text(value, "status"), Outcome.SKIPPED)
    message = "\n".join(filter(None, (text(value, "message"), text(value, "trace"))))
    return attempt(outcome, seconds(value, "duration", unit=_MILLISECOND), message, limits)
