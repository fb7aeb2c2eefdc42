"""Mocha's own JSON, which Cypress can write, too: it counts the retries that every JUnit reporter of Mocha hides."""

from collections import Counter

from core.junit.batch import Entry
from core.junit.dialects.base import HOOK
from core.limits import Limits
from core.native.found import Found, attempt
from core.native.values import Object, as_object, objects, seconds, text
from core.report import Attempt, Outcome

_MILLISECOND = 0.001
_MANY = 100
_SUITE = "Mocha Tests"
"""As Mocha's xunit reporter names it, so that either says the same of a test."""


def recognise(document: Object) -> bool:
    """Four lists of tests beside the counts."""
    return {"stats", "tests", "pending", "failures", "passes"} <= document.keys()


def read(document: Object, *, limits: Limits) -> Found:
    """All tests; hooks that failed are only among the failures."""
    found = Found("mocha-json")
    pending = Counter(map(_named, objects(document, "pending")))
    for test in objects(document, "tests"):
        skipped = pending[_named(test)] > 0
        pending[_named(test)] -= skipped
        title = text(test, "title")
        found.add(
            suite=_SUITE,
            class_name=text(test, "fullTitle").removesuffix(title).strip(),
            name=title,
            file=text(test, "file"),
            variant="",
            entry=_entry(test, limits, skipped=skipped),
        )
    for failure in objects(document, "failures"):
        if hook := HOOK.match(text(failure, "fullTitle")):
            found.failed(hook[1] or text(failure, "fullTitle"), _told(failure), limits)
    return found


def _named(test: Object) -> tuple[str, str]:
    return text(test, "file"), text(test, "fullTitle")


def _entry(test: Object, limits: Limits, *, skipped: bool) -> Entry:
    duration = seconds(test, "duration", unit=_MILLISECOND)
    if skipped:
        return (Attempt(Outcome.SKIPPED, duration),)
    outcome = Outcome.FAILED if as_object(test.get("err")) else Outcome.PASSED
    retries = test.get("currentRetry")
    before = min(retries, _MANY) if isinstance(retries, int) else 0
    last = attempt(outcome, duration, _told(test), limits)
    return (*(Attempt(Outcome.FAILED) for _ in range(before)), last)


def _told(test: Object) -> str:
    error = as_object(test.get("err"))
    return text(error, "stack") or text(error, "message")
