"""Playwright, Jest, Vitest, Mocha, Cypress, Cucumber, Karma and node:test."""

import re
from collections.abc import Callable

from core.junit.dialects.base import Dialect, Key, bad, nameless, plain_key
from core.junit.raw import Evidence, RawCase

_PROJECT = re.compile(r"\[([^\]]{1,100})\] ")
_HOOK = re.compile(r"(?:^|.* )\"(?:before|after) (?:all|each)\" hook")
_BROWSER = re.compile(r"(.+?) [\d.]+ \(.+\)$")


def _playwright(seen: Evidence) -> bool:
    first = seen.first_case
    if first is None or seen.root != "testsuites" or not {"id", "name", "skipped"} <= seen.attributes.keys():
        return False
    return first.class_name == first.suite.name and "." in first.class_name


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
    return nameless(raw)


def _vitest_suite(raw: RawCase) -> str | None:
    return raw.name if bad(raw) and raw.name == raw.class_name == raw.suite.name else nameless(raw)


def _hook(raw: RawCase) -> str | None:
    """A hook that fails takes its tests with it; it is not a test."""
    if bad(raw) and (_HOOK.match(raw.name) or _HOOK.match(raw.class_name)):
        return raw.class_name if _HOOK.match(raw.name) else raw.name
    return nameless(raw)


def _browser(raw: RawCase) -> Key:
    """Karma names the suite and the class after the browser with its version, which changes every few weeks."""
    suite, class_name, name, file, _ = plain_key(raw)
    written = _BROWSER.match(suite)
    browser = written[1] if written else suite
    mangled = suite.replace(" ", "_").replace(".", "_")
    return "", class_name.removeprefix(f"{mangled}.").removeprefix(mangled), name, file, browser


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
        name="vitest", claims=_named("vitest tests"), failures_are_attempts=True, suite_error=_vitest_suite
    ),
    Dialect(name="jest", claims=_named("jest tests"), suite_error=_jest_suite),
    Dialect(
        name="mocha",
        claims=lambda seen: "Mocha Tests" in {seen.attributes.get("name"), seen.suite_attributes.get("name")},
        suite_error=_hook,
    ),
    Dialect(
        name="cucumber",
        claims=lambda seen: (
            seen.root == "testsuite" and str(seen.attributes.get("name")).startswith("Cucumber")
        ),
    ),
    Dialect(name="karma", claims=lambda seen: "browser.fullName" in seen.properties, key=_browser),
    Dialect(name="node:test", claims=_node, skipped_wins=True),
)
