"""Linters, type checkers and scanners: what they find is no flaky test, and fails the run nevertheless."""

import re

from core.identity import stable_file
from core.junit.dialects.base import Dialect, bad, nameless
from core.junit.raw import Evidence, RawCase

_TOOLS = frozenset({"Biome", "Oxlint", "ruff"})
"""Names of the root element."""
_SUITES = frozenset(
    {
        "bandit",
        "CloudFormation Lint",
        "commitlint",
        "Cppcheck",
        "Format check",
        "jshint",
        "markdownlint-cli2-formatter-junit",
        "phpstan",
        "PHP CS Fixer",
        "psalm",
        "rubocop",
        "semgrep results",
        "tfsec",
        "Typecheck",
        "yamllint",
    }
)
_PACKAGES = ("org.biome", "org.eslint", "org.ruff", "org.spectral", "stylelint.")
_CHECKOV = frozenset({"add_check", "output_bc_ids"})
_PLACED = re.compile(r"(.+\.\w+):\d+:\d+$")
_PATH = re.compile(r"[\w.\-]*/|.*\.\w{1,5}$")
_ADVICE = (
    "these are findings of a linter, not tests: they are told as errors, have no history and are never flaky; "
    "a run with findings stays failed"
)


def _linter(seen: Evidence) -> bool:
    suite = seen.suite_attributes
    name = suite.get("name", "")
    return (
        seen.attributes.get("name", "") in _TOOLS
        or name in _SUITES
        or (name == "mypy" and "skips" in suite)
        or name.startswith(("flake8.", "PHP_CodeSniffer"))
        or suite.get("package", "").startswith(_PACKAGES)
        or seen.attributes.get("package", "").startswith(_PACKAGES)
        or seen.properties.keys() >= _CHECKOV
        or _says_so(seen.first_case)
    )


def _says_so(first: RawCase | None) -> bool:
    """golangci-lint and tsc-junit put the place into the class, pylint its own name."""
    return first is not None and (
        first.class_name == "pylint" or (bad(first) and _PLACED.match(first.class_name) is not None)
    )


def _finding(raw: RawCase) -> str | None:
    """The file and the rule, each as far as the tool tells it."""
    if not bad(raw):
        return nameless(raw)
    where = _where(raw)
    return raw.name if where in {"", raw.name} else f"{where}: {raw.name}"


def _where(raw: RawCase) -> str:
    if placed := _PLACED.match(raw.class_name):
        return stable_file(placed[1])
    told = (raw.file, raw.suite.file, raw.suite.name, raw.class_name)
    path = next((name for name in told if _PATH.match(name)), "")
    return stable_file(path) if path else raw.class_name or raw.suite.name


DIALECTS = (Dialect(name="linter", claims=_linter, suite_error=_finding, advice=lambda _: (_ADVICE,)),)
