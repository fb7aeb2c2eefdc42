"""Surefire and Failsafe, Gradle, TestNG and the console of the JUnit platform."""

import re

from core.junit.dialects.base import Dialect, Repeats, bad
from core.junit.raw import Evidence, RawCase
from core.report import Attempt, Outcome

_SETUP = frozenset(
    {"", "initializationError", "classMethod", "executionError", "null", "beforeClass", "afterClass"}
)
_ENGINES = frozenset({"JUnit Jupiter", "JUnit Vintage", "JUnit Platform Suite"})
_CONFIGURATION = re.compile(r"@(?:Before|After)(?:Suite|Test|Class|Groups|Method) ")
_NOT_RUN = "depends on not successfully finished"
_GRADLE = ("name", "tests", "skipped", "failures", "errors", "timestamp", "hostname", "time")


def _surefire(seen: Evidence) -> bool:
    schema = " ".join(seen.suite_attributes.values())
    return "surefire" in schema or "surefire.test.class.path" in seen.properties


def _gradle(seen: Evidence) -> bool:
    return seen.root == "testsuite" and tuple(seen.suite_attributes)[:8] == _GRADLE


def _class_setup(raw: RawCase) -> str | None:
    """What goes wrong around a class is an entry that bears the class's name, a made-up one or none."""
    if not bad(raw):
        return None
    return raw.class_name or raw.suite.name if raw.name in _SETUP or raw.name == raw.class_name else None


def _configuration(raw: RawCase) -> str | None:
    """TestNG names the annotation of a configuration method that failed."""
    return raw.class_name if bad(raw) and _CONFIGURATION.match(raw.name) else _class_setup(raw)


def _skipped_for_another(_: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """In one of TestNG's two formats a test that did not run, because one it needs failed, is an error."""
    last = attempts[-1]
    not_run = last.outcome is Outcome.ERROR and _NOT_RUN in (last.message or "")
    return (last._replace(outcome=Outcome.SKIPPED),) if not_run else attempts


DIALECTS = (
    Dialect(name="surefire", claims=_surefire, suite_error=_class_setup),
    Dialect(
        name="testng",
        claims=lambda seen: "org.testng" in seen.preamble,
        suite_error=_configuration,
        retold=_skipped_for_another,
    ),
    Dialect(
        name="junit-platform",
        claims=lambda seen: seen.attributes.get("name", "") in _ENGINES,
        suite_error=_class_setup,
    ),
    Dialect(name="gradle", claims=_gradle, repeats=Repeats.AFTER_FAILURE, suite_error=_class_setup),
)
