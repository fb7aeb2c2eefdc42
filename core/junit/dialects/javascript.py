"""Playwright, Jest, Vitest, Mocha, Cypress, Cucumber, Jasmine and node:test."""

import re

from core.junit.dialects.base import Dialect, Key, plain_key
from core.junit.raw import Evidence, RawCase

_PROJECT = re.compile(r"\[([^\]]{1,100})\] ")


def _playwright(seen: Evidence) -> bool:
    return seen.root == "testsuites" and "id" in seen.attributes and "skipped" in seen.attributes


def _project(raw: RawCase) -> Key:
    """`hostname` holds the project; with includeProjectInTestName it is also in front of the name."""
    suite, class_name, name, file, _ = plain_key(raw)
    project = raw.suite.hostname
    if project and name.startswith(f"[{project}] "):
        name = name[len(project) + 3 :]
    elif not project and (prefix := _PROJECT.match(name)):
        project, name = prefix[1], name[prefix.end() :]
    return suite, class_name, name, file or class_name, project


def _jest_suite(raw: RawCase) -> str | None:
    if "Test suite failed to run" in (raw.name, raw.class_name):
        return raw.suite.name or raw.name
    return None


def _vitest_suite(raw: RawCase) -> str | None:
    return raw.name if raw.marks and raw.name == raw.class_name == raw.suite.name else None


DIALECTS = (
    Dialect(name="playwright", claims=_playwright, key=_project),
    Dialect(
        name="vitest",
        claims=lambda seen: seen.attributes.get("name") == "vitest tests",
        failures_are_attempts=True,
        suite_error=_vitest_suite,
    ),
    Dialect(
        name="jest", claims=lambda seen: seen.attributes.get("name") == "jest tests", suite_error=_jest_suite
    ),
    Dialect(
        name="node:test",
        claims=lambda seen: (
            seen.first_case is not None
            and seen.first_case.class_name == "test"
            and seen.root == "testsuites"
            and not seen.attributes
        ),
        skipped_wins=True,
    ),
)
