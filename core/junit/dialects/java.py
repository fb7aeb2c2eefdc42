"""Surefire and Failsafe, Gradle, TestNG."""

from core.junit.dialects.base import Dialect, Repeats
from core.junit.raw import Evidence, RawCase

_SETUP = {"", "initializationError", "classMethod", "executionError", "null"}


def _surefire(seen: Evidence) -> bool:
    schema = " ".join(seen.attributes.values()) + " ".join(seen.suite_attributes.values())
    return "surefire-test-report" in schema or "surefire.test.class.path" in seen.properties


def _class_setup(raw: RawCase) -> str | None:
    if not raw.marks or not any(mark.tag in {"error", "failure"} for mark in raw.marks):
        return None
    return raw.class_name if raw.name in _SETUP or raw.name == raw.class_name else None


DIALECTS = (Dialect(name="surefire", claims=_surefire, suite_error=_class_setup),)
