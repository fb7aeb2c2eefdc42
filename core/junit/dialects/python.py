"""pytest (with rerunfailures and xdist), unittest-xml-reporting, nose2, behave and Robot Framework."""

import re

from core.junit.dialects.base import SEPARATOR, Dialect, Key, Repeats, nameless, plain_key, shaped
from core.junit.raw import Evidence, RawCase
from core.report import Outcome

_STAMPED = re.compile(r"^(.+)-\d{14}$")
_PYTEST_ORDER = ("name", "errors", "failures", "skipped", "tests", "time", "timestamp", "hostname")
_pytest_shaped = shaped("testsuites", _PYTEST_ORDER, sorted(_PYTEST_ORDER))
"""Before 6.2 the attributes were sorted."""


def _pytest(seen: Evidence) -> bool:
    """Before 8.4 nothing but the order of attributes gives pytest away when `junit_suite_name` is set."""
    if seen.attributes.get("name") == "pytest tests" or seen.suite_attributes.get("name") == "pytest":
        return True
    return not seen.attributes and _pytest_shaped(seen)


def _collection(raw: RawCase) -> str | None:
    """A module that could not be imported is an entry without a class, or with `junit_prefix` as its class."""
    errors = [mark for mark in raw.marks if mark.tag == "error"]
    if errors and (not raw.class_name or errors[0].message == "collection failure"):
        return raw.name or "collection"
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
    Dialect(name="unittest-xml-reporting", claims=_xmlrunner, key=_without_stamp),
    Dialect(
        name="nose2",
        claims=lambda seen: seen.suite_attributes.get("name") == "nose2-junit",
        skipped_means=_unexpected,
    ),
    Dialect(name="behave", claims=_behave),
)
