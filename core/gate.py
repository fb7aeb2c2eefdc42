"""The CI gate: when a failing test step may count as green, and in which words it says so.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, NamedTuple, Sequence  # noqa: UP035 - this file also runs on Python 3.9

QUARANTINED = "quarantined"
SIGNALLED = 128
"""Shells answer 128 + n for a program that signal n ended."""
LISTED = 50
"""Tests named in one list of the output."""


class Runner(NamedTuple):
    """A test runner and the exit codes by which it says no more than "some tests failed"."""

    name: str
    codes: frozenset[int] = frozenset({1})
    counts_up_to: int = 0
    """Above 0: the code is the number of failures, cut off here."""

    def ordinary(self, code: int, failing: int) -> bool:
        """True when this code is how the runner reports so many failing tests."""
        if self.counts_up_to:
            return code == min(failing, self.counts_up_to)
        return code in self.codes


RUNNERS: dict[str, Runner] = {
    runner.name: runner
    for runner in (
        Runner("ava"),
        Runner("bats"),
        Runner("bazel", frozenset({3})),
        Runner("behave"),
        Runner("cargo-test", frozenset({101})),
        Runner("ctest", frozenset({8})),
        Runner("cucumber"),
        Runner("cypress", counts_up_to=255),
        Runner("dotnet-test"),
        Runner("go-test"),
        Runner("googletest"),
        Runner("gradle"),
        Runner("jasmine", frozenset({3})),
        Runner("jest"),
        Runner("karma"),
        Runner("maven"),
        Runner("mix-test", frozenset({2})),
        Runner("mocha", counts_up_to=255),
        Runner("nextest", frozenset({100})),
        Runner("node-test"),
        Runner("phpunit", frozenset({1, 2})),
        Runner("playwright"),
        Runner("pytest"),
        Runner("robot", counts_up_to=250),
        Runner("rspec"),
        Runner("sbt"),
        Runner("swift-test"),
        Runner("unittest"),
        Runner("vitest"),
        Runner("xcodebuild", frozenset({65})),
    )
}

ALIASES = {
    "ctest.exe": "ctest",
    "cargo-nextest": "nextest",
    "cucumber-js": "cucumber",
    "cucumber-messages": "cucumber",
    "failsafe": "maven",
    "go": "go-test",
    "go-test-json": "go-test",
    "gotestsum": "go-test",
    "gradlew": "gradle",
    "green": "unittest",
    "jest-junit": "jest",
    "jest-json": "jest",
    "mocha-json": "mocha",
    "mocha-junit-reporter": "mocha",
    "mvn": "maven",
    "mvnw": "maven",
    "node:test": "node-test",
    "paratest": "phpunit",
    "pest": "phpunit",
    "py.test": "pytest",
    "pytest-rerunfailures": "pytest",
    "playwright-json": "playwright",
    "nose": "unittest",
    "nose2": "unittest",
    "surefire": "maven",
    "testng": "maven",
    "unittest-xml-reporting": "unittest",
    "vitest-json": "vitest",
    "xctest": "xcodebuild",
}
"""Other names of the same runners: programs as they are called, and dialects as the reports tell them."""

UNKNOWN = Runner("unknown runner")
"""Nearly every runner says 1; anything else from an unknown one is taken for a crash."""

_SUBCOMMANDS = {
    ("bazel", "test"): "bazel",
    ("cargo", "nextest"): "nextest",
    ("cargo", "test"): "cargo-test",
    ("cypress", "run"): "cypress",
    ("dotnet", "test"): "dotnet-test",
    ("go", "test"): "go-test",
    ("mix", "test"): "mix-test",
    ("node", "--test"): "node-test",
    ("swift", "test"): "swift-test",
}
_AMBIGUOUS = frozenset({"go", "bazel", "cypress"})
"""Programs that are a test runner only with the right subcommand."""


def find_runner(name: str) -> Runner | None:
    """The runner of this name, program or dialect; None when it is not known."""
    plain = name.strip().lower()
    return RUNNERS.get(ALIASES.get(plain, plain))


def runner_of_command(command: Sequence[str]) -> Runner | None:
    """Which runner a command line starts, through wrappers such as `npx`, `poetry run` or `python -m`."""
    words = [_program(word) for word in command]
    for word, following in zip(words, [*words[1:], ""]):  # noqa: B905 - Python 3.9 knows no strict=
        if (word, following) in _SUBCOMMANDS:
            return RUNNERS[_SUBCOMMANDS[word, following]]
        if word not in _AMBIGUOUS and (runner := find_runner(word)):
            return runner
    return None


def _program(word: str) -> str:
    name = word.replace("\\", "/").rsplit("/", 1)[-1]
    for ending in (".exe", ".cmd", ".bat", ".js", ".phar"):
        name = name.removesuffix(ending)
    return name


@dataclass(frozen=True)
class Facts:
    """What the server said about the reports of this very step."""

    total: int = 0
    failing: int = 0
    """Cases that ended in a failure or an error, by the counts."""
    failures: tuple[Mapping[str, Any], ...] = ()
    """Each failing case with its verdict as of now."""
    partial: bool = False
    suite_errors: tuple[str, ...] = ()
    dialect: str = ""
    unmatched: tuple[str, ...] = ()
    """Quarantined tests that these reports do not hold."""
    url: str = ""

    @property
    def quarantined(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(item for item in self.failures if item.get("verdict") == QUARANTINED)

    @property
    def blocking(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(item for item in self.failures if item.get("verdict") != QUARANTINED)


def facts_of(answer: Mapping[str, Any]) -> Facts:
    """Read the ingestion answer; what it does not say counts against turning green."""
    counts = answer.get("counts") or {}
    failing = int(counts.get("failed", 0)) + int(counts.get("error", 0))
    ended_badly = [item for item in answer.get("failures") or () if _ended_badly(item)]
    return Facts(
        total=int(answer.get("total", sum(int(counts.get(name, 0)) for name in _OUTCOMES))),
        failing=failing,
        failures=tuple(ended_badly),
        partial=bool(answer.get("partial", False)),
        suite_errors=tuple(map(_told, answer.get("suite_errors") or ())),
        dialect=str(answer.get("dialect", "")),
        unmatched=tuple(map(_told, answer.get("unmatched_quarantine") or ())),
        url=str(answer.get("url", "")),
    )


_OUTCOMES = ("passed", "failed", "error", "skipped")


def _ended_badly(failure: Mapping[str, Any]) -> bool:
    """Failures that a retry within the run made good are told too, but they do not fail the step."""
    return failure.get("outcome", "failed") not in {"passed", "skipped"} and not failure.get("recovered")


def _told(item: Any) -> str:
    if isinstance(item, Mapping):
        return ": ".join(str(item[key]) for key in ("suite", "name", "message") if item.get(key))
    return str(item)


@dataclass(frozen=True)
class Decision:
    """The step's exit code, why, and the lines people read in the log."""

    exit_code: int
    reason: str
    lines: tuple[str, ...] = field(default=())

    @property
    def changed_to_green(self) -> bool:
        """True when a failing step counts as green."""
        return self.exit_code == 0 and self.reason == QUARANTINED


def decide(
    code: int,
    facts: Facts | None,
    *,
    runner: Runner | None = None,
    extra_codes: Sequence[int] = (),
    strict: bool = False,
    trouble: str = "",
    reports: int = 1,
) -> Decision:
    """The exit code of a step that ended with `code`.

    `facts` is None when the service did not answer, and `trouble` says why; `reports` is how many report
    files were found. Red turns green only when nothing speaks against it.
    """
    if code == 0:
        return _green_step(facts, strict=strict, trouble=trouble, reports=reports)
    objection = _no_facts_objection(facts, trouble=trouble, reports=reports)
    if facts is not None and not objection:
        objection = _facts_objection(code, facts, runner=runner, extra_codes=extra_codes)
    if objection or facts is None:
        return Decision(
            code, objection or "unanswered", (*_listing(facts), f"exit code {code} stays: {objection}")
        )
    line = f"all {len(facts.failures)} failing tests are quarantined: exit code {code} becomes 0"
    return Decision(0, QUARANTINED, (*_listing(facts), line))


def _green_step(facts: Facts | None, *, strict: bool, trouble: str, reports: int) -> Decision:
    objection = _report_objection(facts, reports=reports)
    if strict and objection:
        return Decision(1, objection, (f"strict: exit code 0 becomes 1: {objection}",))
    lines = _listing(facts)
    if objection or trouble:
        lines = (*lines, f"exit code 0 stays, but {objection or trouble}")
    elif facts and facts.failing:
        lines = (
            *lines,
            f"exit code 0 stays, although {facts.failing} tests failed: the step hid its exit code",
        )
    return Decision(0, "passed", lines)


def _report_objection(facts: Facts | None, *, reports: int) -> str:
    if reports == 0:
        return "no test report was found"
    if facts is None:
        return ""
    if facts.total == 0:
        return "the test report holds no test"
    return "the test report was cut short" if facts.partial else ""


def _no_facts_objection(facts: Facts | None, *, trouble: str, reports: int) -> str:
    if reports == 0:
        return "no test report was found, so nothing shows which tests failed"
    return "" if facts is not None else trouble or "the service did not answer"


def _facts_objection(code: int, facts: Facts, *, runner: Runner | None, extra_codes: Sequence[int]) -> str:
    """The first reason in the reports why this step stays red; empty when there is none."""
    if wrong := _report_objection(facts, reports=1):
        return wrong
    if facts.suite_errors:
        return f"something other than a test failed ({facts.suite_errors[0][:200]})"
    known = runner or find_runner(facts.dialect) or UNKNOWN
    if code not in extra_codes and not known.ordinary(code, facts.failing):
        return _not_ordinary(code, known)
    return _failure_objection(facts)


def _not_ordinary(code: int, runner: Runner) -> str:
    if code > SIGNALLED or code < 0:
        return f"signal {code - SIGNALLED if code > 0 else -code} ended the step"
    return f"{code} is not how {runner.name} reports failed tests; it looks like a crash or an error"


def _failure_objection(facts: Facts) -> str:
    if not facts.failures or not facts.failing:
        return "no failing test in the report explains it"
    if len(facts.failures) != facts.failing:
        return f"the verdicts cover {len(facts.failures)} of {facts.failing} failing tests"
    if facts.blocking:
        return f"{len(facts.blocking)} of {len(facts.failures)} failing tests are not quarantined"
    return ""


def _listing(facts: Facts | None) -> tuple[str, ...]:
    if facts is None:
        return ()
    return (
        *_named("failing and not quarantined", [_line(item) for item in facts.blocking]),
        *_named("failing, but quarantined", [_line(item) for item in facts.quarantined]),
        *_named("quarantined, but not in this report", list(facts.unmatched)),
    )


def _named(title: str, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    more = (f"  ... and {len(names) - LISTED} more",) if len(names) > LISTED else ()
    # The dash keeps a foreign name that begins with `::` from being read as a command by GitHub Actions.
    return (f"{title} ({len(names)}):", *(f"  - {name}" for name in names[:LISTED]), *more)


def _line(item: Mapping[str, Any]) -> str:
    verdict = str(item.get("verdict", ""))
    note = "" if verdict in {QUARANTINED, ""} else f" [{verdict}]"
    return f"{told_name(item)}{note}"


def told_name(item: Mapping[str, Any]) -> str:
    """A test as one line; control characters of foreign names would act on a terminal."""
    parts = [str(item.get(key) or "") for key in ("class", "name")]
    text = " > ".join(part for part in parts if part) or str(item.get("test_id", "?"))
    variant = f" ({item['variant']})" if item.get("variant") else ""
    return "".join(char if char.isprintable() else "?" for char in f"{text}{variant}")[:300]
