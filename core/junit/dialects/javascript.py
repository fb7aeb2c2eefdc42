"""Playwright, Jest, Vitest, Mocha, Cypress, Cucumber, Bun, Deno and node:test."""

import re
from collections.abc import Callable

from core.identity import stable_file
from core.junit.dialects.base import (
    Dialect,
    Key,
    bad,
    behind_hook,
    nameless,
    plain_key,
    shaped,
)
from core.junit.raw import Evidence, RawCase

_PROJECT = re.compile(r"\[([^\]]{1,100})\] ")
_SCRIPT = re.compile(r"(?:/|[A-Za-z]:[\\/]|file://).*\.[cm]?[jt]sx?$")
_jest_shaped = shaped("testsuites", ("name", "errors", "failures", "skipped", "timestamp", "time", "tests"))
_vitest_shaped = shaped(
    "testsuites", ("name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time")
)
_playwright_shaped = shaped(
    "testsuites", ("name", "timestamp", "hostname", "tests", "failures", "skipped", "time", "errors")
)
_xunit_shaped = shaped("testsuite", ("name", "tests", "failures", "errors", "skipped", "timestamp", "time"))
_jasmine_shaped = shaped(
    "testsuites",
    ("name", "timestamp", "hostname", "time", "errors", "tests", "skipped", "disabled", "failures"),
)
_cucumber_shaped = shaped(
    "testsuite", ("name", "time", "tests", "skipped", "failures", "errors", "timestamp")
)
_AFTER_TESTS = "Test execution failure: could be caused by test hooks like 'afterAll'"
_MOCHA_BEGINS = ("name", "timestamp", "tests")


def _playwright(seen: Evidence) -> bool:
    first = seen.first_case
    return _playwright_shaped(seen) and (first is None or first.class_name == first.suite.name)


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
    if "Test suite failed to run" in {raw.name, raw.class_name}:
        return raw.suite.name or raw.name
    if bad(raw) and _AFTER_TESTS in raw.name:
        return raw.suite.name
    return nameless(raw)


def _vitest_suite(raw: RawCase) -> str | None:
    return raw.name if bad(raw) and raw.name == raw.suite.name else nameless(raw)


def _mocha(seen: Evidence) -> bool:
    """mocha-junit-reporter, and Mocha's own xunit, whose time of day is in words."""
    if "Mocha Tests" in {seen.attributes.get("name"), seen.suite_attributes.get("name")}:
        return True
    if seen.root == "testsuites":
        return tuple(seen.suite_attributes)[:3] == _MOCHA_BEGINS
    return _xunit_shaped(seen) and seen.suite_attributes["timestamp"].endswith("GMT")


def _cucumber(seen: Evidence) -> bool:
    """The name of the suite can be configured since 12.2."""
    named = seen.root == "testsuite" and seen.attributes.get("name", "").startswith("Cucumber")
    return named or _cucumber_shaped(seen)


def _script(raw: RawCase) -> str | None:
    """The file, when this entry stands for one: node:test names it by its absolute path."""
    return stable_file(raw.name) if not raw.suite.path and _SCRIPT.match(raw.name) else None


def _node_key(raw: RawCase) -> Key:
    """A script that uses no test function is itself a test."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, _script(raw) or name, file, variant


def _node_suite(raw: RawCase) -> str | None:
    return _script(raw) or nameless(raw) if bad(raw) else None


def _bun_hook(raw: RawCase) -> str | None:
    """A hook that fails stands for its tests under a name of Bun's."""
    return raw.class_name or raw.suite.name if bad(raw) and raw.name == "(unnamed)" else nameless(raw)


def _named(*names: str) -> Callable[[Evidence], bool]:
    return lambda seen: seen.attributes.get("name") in names


def _node(seen: Evidence) -> bool:
    first = seen.first_case
    return (
        first is not None and first.class_name == "test" and seen.root == "testsuites" and not seen.attributes
    )


DIALECTS = (
    Dialect(name="playwright", claims=_playwright, key=_project),
    Dialect(
        name="vitest",
        claims=_vitest_shaped,
        failures_are_attempts=True,
        suite_error=_vitest_suite,
        blocks_fail=True,
    ),
    Dialect(name="jest", claims=_jest_shaped, suite_error=_jest_suite),
    Dialect(name="mocha", claims=_mocha),
    Dialect(
        name="cucumber",
        claims=_cucumber,
    ),
    Dialect(name="bun", claims=_named("bun test"), suite_error=_bun_hook),
    Dialect(name="deno", claims=_named("deno test")),
    Dialect(name="jasmine", claims=_jasmine_shaped, suite_error=behind_hook),
    Dialect(name="node:test", claims=_node, skipped_wins=True, key=_node_key, suite_error=_node_suite),
)
