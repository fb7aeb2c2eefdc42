"""What drives browsers from outside: Karma, Web Test Runner, WebdriverIO, Nightwatch, TestCafe and Testem."""

import re
from functools import lru_cache

from core.junit.dialects.base import Dialect, Key, Repeats, bad, errors_beyond_cases, nameless, plain_key
from core.junit.raw import RawCase
from core.report import Attempt, Outcome

_BROWSER = re.compile(r"(.+?) [\d.]+ \(.+\)$")
_STACK = re.compile(r"^ +at .+:\d+:\d+\)?$", re.MULTILINE)
_UNQUOTED_HOOK = re.compile(r"(?:before|after) (?:all|each) hook for ")
_NIGHTWATCH = (
    "name", "id", "errors", "failures", "hostname", "package", "skipped", "tests", "time", "timestamp",
)  # fmt: skip
_TESTCAFE = "TestCafe Tests: "
_UNSTABLE = " (unstable)"
_LAUNCHED = re.compile(r"(.+) \d+\.\d+$")


def _browser(raw: RawCase) -> Key:
    """Karma names the suite and the class after the browser with its version, which changes every few weeks."""
    suite, class_name, name, file, _ = plain_key(raw)
    browser, mangled = _browser_of(suite)
    return raw.suite.package, class_name.removeprefix(mangled).lstrip("."), name, file, browser


@lru_cache(maxsize=256)
def _browser_of(suite: str) -> tuple[str, str]:
    """The browser without its version, and the suite as karma-junit-reporter puts it in front of the class."""
    written = _BROWSER.match(suite)
    return written[1] if written else suite, suite.replace(" ", "_").replace(".", "_")


def _web_test_runner(raw: RawCase) -> Key:
    """The suite is the browser, the launcher and the file in one word."""
    suite, class_name, name, file, _ = plain_key(raw)
    told = raw.suite.properties
    return told.get("test.fileName", suite), class_name, name, file, told.get("browser.name", "")


def _webdriver(raw: RawCase) -> Key:
    """The class begins with the browser and its version, which changes every few weeks."""
    suite, class_name, name, file, _ = plain_key(raw)
    told = raw.suite.properties
    capabilities = told.get("capabilities", "")
    browser = capabilities.split(".", 1)[0]
    return suite, class_name.removeprefix(f"{capabilities}."), name, file or told.get("file", ""), browser


def _webdriver_hook(raw: RawCase) -> str | None:
    """Mocha's hooks without their quotation marks."""
    return raw.suite.name if bad(raw) and _UNQUOTED_HOOK.match(raw.name) else nameless(raw)


def _retried(raw: RawCase) -> Outcome | None:
    """WebdriverIO writes the failed attempts of a test as skipped entries in front of it, with their traces."""
    return Outcome.FAILED if _STACK.search(raw.output) else None


def _of_module(raw: RawCase) -> Key:
    """Nightwatch names the suite by the title of its block; the module is only in its id."""
    suite, class_name, name, file, variant = plain_key(raw)
    return suite, class_name, name, file or raw.suite.id.replace(".", "/"), variant


@lru_cache(maxsize=256)
def _testcafe_browsers(suite: str) -> str:
    """The suite is all browsers of the run with their versions and systems; their names stay the same."""
    agents = suite.removeprefix(_TESTCAFE).split(", ")
    names = (re.split(r" (?=\d[\d.]*(?: |$))", agent, maxsplit=1)[0] for agent in agents)
    return ", ".join(dict.fromkeys(names))


def _testcafe_key(raw: RawCase) -> Key:
    suite, class_name, name, file, variant = plain_key(raw)
    if suite.startswith(_TESTCAFE):
        suite, variant = "", _testcafe_browsers(suite)
    return suite, class_name, name.removesuffix(_UNSTABLE), file, variant


def _unstable(raw: RawCase, attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """In TestCafe's quarantine mode a name tells that some attempts failed and some passed, not which."""
    if not raw.name.endswith(_UNSTABLE):
        return attempts
    last = attempts[-1]
    failed = last if last.outcome.bad else Attempt(Outcome.FAILED)
    passed = Attempt(Outcome.PASSED, last.duration)
    return (failed, passed, last) if last.outcome.bad else (failed, passed)


def _launched(raw: RawCase) -> Key:
    """Testem's class is the launcher: a program, or a browser with its version."""
    suite, class_name, name, file, variant = plain_key(raw)
    browser = _LAUNCHED.match(class_name)
    if browser is None:
        return suite, class_name, name, file, variant
    return suite, "", name, file, browser[1]


def _uncaught(raw: RawCase) -> str | None:
    return raw.class_name if bad(raw) and raw.name.startswith("Global error: ") else nameless(raw)


DIALECTS = (
    Dialect(
        name="karma",
        claims=lambda seen: "browser.fullName" in seen.properties,
        key=_browser,
        hidden_errors=errors_beyond_cases,
    ),
    Dialect(
        name="web-test-runner",
        claims=lambda seen: {"test.fileName", "browser.launcher"} <= seen.properties.keys(),
        key=_web_test_runner,
    ),
    Dialect(
        name="webdriverio",
        claims=lambda seen: {"specId", "capabilities"} <= seen.properties.keys(),
        key=_webdriver,
        repeats=Repeats.AFTER_FAILURE,
        skipped_means=_retried,
        suite_error=_webdriver_hook,
    ),
    Dialect(
        name="nightwatch",
        claims=lambda seen: tuple(seen.suite_attributes) == _NIGHTWATCH,
        key=_of_module,
    ),
    Dialect(
        name="testcafe",
        claims=lambda seen: seen.attributes.get("name", "").startswith(_TESTCAFE),
        key=_testcafe_key,
        retold=_unstable,
    ),
    Dialect(
        name="testem",
        claims=lambda seen: seen.attributes.get("name") == "Testem Tests",
        key=_launched,
        suite_error=_uncaught,
    ),
)
