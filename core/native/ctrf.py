"""CTRF, the common test report format that many runners' reporters write."""

from collections.abc import Sequence

from core.junit.batch import Entry
from core.junit.dialects.base import HOOK
from core.limits import Limits
from core.native.found import Found, attempt
from core.native.values import Object, as_object, objects, seconds, text, texts
from core.report import Attempt, Outcome

_OUTCOMES = {"passed": Outcome.PASSED, "failed": Outcome.FAILED, "error": Outcome.ERROR}
"""The last is none of the format's own words, but pytest-beacon writes it of a fixture that broke."""
_BROKEN = frozenset({"broken", "crashed", "error", "interrupted", "timedout"})
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
        if _failed(test) and (hook := HOOK.match(text(test, "name"))):
            found.failed(hook[1] or suite, _told(test), limits)
            continue
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
    told = list(objects(test, "retryAttempts"))
    before = [_attempt(retry, limits) for retry in (told[:-1] if _with_last(test, told) else told)]
    if last.outcome is Outcome.PASSED:
        before = [retry for retry in before if retry.outcome.bad]
    elif _should_have_failed(test):
        before = [retry._replace(outcome=Outcome.FAILED) for retry in before]
    if told:
        return (*before, last)
    return (*(Attempt(Outcome.FAILED) for _ in range(_retries(test, last))), last)


def _with_last(test: Object, told: Sequence[Object]) -> bool:
    """Some reporters list the attempt that decided among the retries, some do not; the count of retries tells."""
    count = test.get("retries")
    if not told or not isinstance(count, int):
        return bool(told) and told[-1].get("status") == test.get("status") == "passed"
    return len(told) > count


def _retries(test: Object, last: Attempt) -> int:
    """How many attempts failed before the last, when nothing but their number is told."""
    count = test.get("retries")
    told = min(count, _MANY) if isinstance(count, int) else 0
    if test.get("flaky") is True:
        told = max(told, 1)
    return 0 if last.outcome is Outcome.SKIPPED else told


def _attempt(value: Object, limits: Limits) -> Attempt:
    outcome = _OUTCOMES.get(text(value, "status"), Outcome.SKIPPED)
    if text(value, "status") == "other" and text(value, "rawStatus").lower() in _BROKEN:
        outcome = Outcome.ERROR
    if outcome is Outcome.PASSED and _should_have_failed(value):
        outcome = Outcome.FAILED
    return attempt(outcome, seconds(value, "duration", unit=_MILLISECOND), _told(value), limits)


def _should_have_failed(value: Object) -> bool:
    """Playwright fails a test marked `test.fail()` that passes; its CTRF reporter only keeps the mark."""
    marks = objects(as_object(value.get("extra")), "annotations")
    return text(value, "rawStatus") == "passed" and any(text(mark, "type") == "fail" for mark in marks)


def _failed(test: Object) -> bool:
    return text(test, "status") == "failed"


def _told(value: Object) -> str:
    return "\n".join(filter(None, (text(value, "message"), text(value, "trace"))))
