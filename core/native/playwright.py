"""Playwright's JSON reporter: suites of specs, each run in every project, with every retry."""

from collections.abc import Iterator

from core.limits import Limits
from core.native.found import Found, attempt
from core.native.values import Object, as_object, objects, seconds, text
from core.report import Attempt, Outcome

_MILLISECOND = 0.001
_DEEPEST = 50


def recognise(document: Object) -> bool:
    """`config` beside `suites`."""
    return "suites" in document and "config" in document


def read(document: Object, *, limits: Limits) -> Found:
    """All specs of all projects, named as Playwright's JUnit reporter names them."""
    found = Found("playwright-json")
    for error in objects(document, "errors"):
        found.failed("", text(error, "stack") or text(error, "message"), limits)
    for suite in objects(document, "suites"):
        for titles, spec in _specs(suite, (), _DEEPEST):
            _spec(titles, spec, text(suite, "file") or text(suite, "title"), found, limits)
    return found


def _specs(suite: Object, titles: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Object]]:
    for spec in objects(suite, "specs"):
        yield (*titles, text(spec, "title")), spec
    if depth:
        for inner in objects(suite, "suites"):
            yield from _specs(inner, (*titles, text(inner, "title")), depth - 1)


def _spec(titles: tuple[str, ...], spec: Object, file: str, found: Found, limits: Limits) -> None:
    for test in objects(spec, "tests"):
        entry = tuple(
            _attempt(result, text(test, "expectedStatus"), limits) for result in objects(test, "results")
        )
        found.add(
            suite=file,
            class_name=file,
            name=" \u203a ".join(titles),
            file=file,
            variant=text(test, "projectName"),
            entry=entry or (Attempt(Outcome.SKIPPED),),
        )


def _attempt(result: Object, expected: str, limits: Limits) -> Attempt:
    error = as_object(result.get("error"))
    message = text(error, "stack") or text(error, "message") or text(error, "value")
    duration = seconds(result, "duration", unit=_MILLISECOND)
    return attempt(_outcome(text(result, "status"), expected or "passed"), duration, message, limits)


def _outcome(status: str, expected: str) -> Outcome:
    """A test that is expected to fail and fails has passed; one that passes has failed."""
    if status == "skipped":
        return Outcome.SKIPPED
    if status == expected:
        return Outcome.PASSED
    return Outcome.ERROR if status in {"timedOut", "interrupted"} else Outcome.FAILED
