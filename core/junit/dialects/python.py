"""pytest (with rerunfailures and xdist), unittest-xml-reporting, nose2, behave and Robot Framework."""

import re

from core.junit.dialects.base import SEPARATOR, Dialect, Key, Repeats, bad, nameless, plain_key
from core.junit.raw import Evidence, RawCase
from core.report import Outcome

_STAMPED = re.compile(r"^(.+)-\d{14}$")
_FIXTURE = re.compile(r"(?:setUp|tearDown)(?:Class|Module) \(")


def _pytest(seen: Evidence) -> bool:
    return seen.attributes.get("name") == "pytest tests" or seen.suite_attributes.get("name") == "pytest"


def _collection(raw: RawCase) -> str | None:
    """A module that could not be imported is an entry without a class."""
    if raw.class_name or not any(mark.tag == "error" for mark in raw.marks):
        return nameless(raw)
    return raw.name or "collection"


def _fixture(raw: RawCase) -> str | None:
    """Set-up of classes and modules, and failed imports, look like tests in what unittest's reporters write."""
    written = f"{raw.class_name}.{raw.name}" if raw.class_name else raw.name
    pretended = "_ErrorHolder" in raw.suite.name or "_FailedTest" in raw.class_name + raw.suite.name
    if bad(raw) and (pretended or _FIXTURE.match(written)):
        return written
    return nameless(raw)


def _xmlrunner(seen: Evidence) -> bool:
    return (
        bool(_STAMPED.match(seen.suite_attributes.get("name", ""))) and "timestamp" in seen.suite_attributes
    )


def _without_stamp(raw: RawCase) -> Key:
    _, class_name, name, file, variant = plain_key(raw)
    path = (stamped[1] if (stamped := _STAMPED.match(part)) else part for part in raw.suite.path)
    return SEPARATOR.join(path), class_name, name, file, variant


def _unexpected(raw: RawCase) -> Outcome | None:
    """nose2 calls an unexpected success skipped; unittest fails the run for it."""
    return Outcome.FAILED if raw.marks[0].message == "test passes unexpectedly" else None


def _quarantined(raw: RawCase) -> Outcome | None:
    """Our own plugin makes a quarantined failure an expected one; it must go on counting as a failure."""
    return Outcome.FAILED if raw.marks[0].message.startswith("quarantined by FlakeGuard") else None


def _behave(seen: Evidence) -> bool:
    known = {"passed", "failed", "skipped", "untested", "undefined", "error", "hook_error"}
    first = seen.first_case
    return (
        first is not None
        and first.status in known
        and seen.root == "testsuite"
        and "hostname" in seen.suite_attributes
    )


DIALECTS = (
    Dialect(
        name="pytest",
        claims=_pytest,
        repeats=Repeats.RERUNS,
        suite_error=_collection,
        skipped_means=_quarantined,
    ),
    Dialect(name="unittest-xml-reporting", claims=_xmlrunner, key=_without_stamp, suite_error=_fixture),
    Dialect(
        name="nose2",
        claims=lambda seen: seen.suite_attributes.get("name") == "nose2-junit",
        suite_error=_fixture,
        skipped_means=_unexpected,
    ),
    Dialect(name="behave", claims=_behave),
)
