"""Jest's and Vitest's --json: the same shape, with retries told in two ways."""

from core.identity import stable_file
from core.junit.batch import Entry
from core.limits import Limits
from core.native.found import Found, attempt
from core.native.values import Object, objects, seconds, text, texts
from core.report import Attempt, Outcome

_OUTCOMES = {"passed": Outcome.PASSED, "failed": Outcome.FAILED}
_MILLISECOND = 0.001
_BROKE = "\u25cf Test suite failed to run"
"""So Jest heads what went wrong outside of tests, also behind those that failed."""


def recognise(document: Object) -> bool:
    """Both count `numTotalTests` beside `testResults`."""
    return "testResults" in document and "numTotalTests" in document


def read(document: Object, *, limits: Limits) -> Found:
    """All test files."""
    vitest = "numRuntimeErrorTestSuites" not in document
    found = Found("vitest-json" if vitest else "jest-json")
    for file in objects(document, "testResults"):
        _file(file, found, limits, vitest=vitest)
    if vitest and (beyond := _failed_suites(document)) > 0:
        found.failed("", f"{beyond} test suites failed outside of their tests, such as in a hook", limits)
    return found


def _failed_suites(document: Object) -> int:
    """Vitest tells of a hook that failed only by counting its suite; files and `describe` blocks are suites."""
    counted = document.get("numFailedTestSuites")
    explained = 0
    for file in objects(document, "testResults"):
        failed = [
            texts(test, "ancestorTitles") for test in objects(file, "assertionResults") if _is_failed(test)
        ]
        blocks = {tuple(titles[:depth]) for titles in failed for depth in range(1, len(titles) + 1)}
        explained += len(blocks) + (text(file, "status") == "failed")
    return counted - explained if isinstance(counted, int) else 0


def _is_failed(test: Object) -> bool:
    return text(test, "status") == "failed"


def _file(file: Object, found: Found, limits: Limits, *, vitest: bool) -> None:
    path = text(file, "name")
    some_failed = False
    for test in objects(file, "assertionResults"):
        title = text(test, "title")
        if not title:
            continue
        ancestors = texts(test, "ancestorTitles")
        entry = _vitest(test, limits) if vitest else _jest(test, limits)
        some_failed = some_failed or entry[-1].outcome.bad
        where = stable_file(path)
        found.add(
            suite=where if vitest else (ancestors[0] if ancestors else ""),
            class_name=where if vitest else " ".join(ancestors),
            name=" > ".join((*ancestors, title)) if vitest else title,
            file=path,
            variant="",
            entry=entry,
        )
    message = text(file, "message")
    broke = message.find(_BROKE)
    if text(file, "status") == "failed" and (broke >= 0 or not some_failed):
        found.failed(stable_file(path), message[max(broke, 0) :] or "the file could not be run", limits)


def _jest(test: Object, limits: Limits) -> Entry:
    """`retryReasons` holds one text for each failed attempt before the last."""
    reasons = texts(test, "retryReasons")
    last = _last(test, "\n\n".join(texts(test, "failureMessages")), limits)
    return (*(attempt(Outcome.FAILED, None, reason, limits) for reason in reasons), last)


def _vitest(test: Object, limits: Limits) -> Entry:
    """`failureMessages` holds one text for each failed attempt, also when the test passed in the end."""
    messages = texts(test, "failureMessages")
    if text(test, "status") == "passed":
        last = _last(test, "", limits)
    else:
        last = _last(test, messages[-1] if messages else "", limits)
        messages = messages[:-1]
    return (*(attempt(Outcome.FAILED, None, message, limits) for message in messages), last)


def _last(test: Object, message: str, limits: Limits) -> Attempt:
    outcome = _OUTCOMES.get(text(test, "status"), Outcome.SKIPPED)
    return attempt(outcome, seconds(test, "duration", unit=_MILLISECOND), message, limits)
