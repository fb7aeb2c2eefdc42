"""The options of a gated step.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

import argparse
from typing import Any

from core.ci import FIELDS

DESCRIPTION = (
    "Let a failing test step count as green when every single failure is quarantined. "
    "Either wrap the test command (gate [OPTIONS] -- COMMAND...) or follow it "
    "(gate --junit GLOB --exit-code N). When the service does not answer, the step's own code stands."
)
EPILOG = (
    "Which run it is the CI system says; --run-id, --attempt, --job, --variant, --commit, --branch, "
    "--event, --pr, --base, --run-url and --fork overrule it."
)
_MANY: dict[str, Any] = {"action": "append", "default": []}
_OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("--junit", "reports of this step; may be repeated", {**_MANY, "metavar": "GLOB"}),
    ("--exit-code", "the test step's exit code (without a command)", {"type": int, "metavar": "N"}),
    ("--runner", "the test runner, where it cannot be told: pytest, jest, mocha, ctest ...", {"default": ""}),
    (
        "--failure-code",
        "one more exit code that means no more than failed tests",
        {**_MANY, "type": int, "metavar": "N"},
    ),
    ("--strict", "a green step without a whole, non-empty report fails", {"action": "store_true"}),
    ("--url", "the FlakeGuard server (FLAKEGUARD_URL)", {"default": ""}),
    ("--token", "a token that may ingest (FLAKEGUARD_TOKEN)", {"default": ""}),
    (
        "--project",
        "the project, where the token does not say it",
        {"default": "", "metavar": "OWNER/NAME"},
    ),
    (
        "--timeout",
        "how long to try (default 60)",
        {"type": float, "default": 60.0, "metavar": "SECONDS"},
    ),
    ("--json", "the verdict as the last line of the output", {"action": "store_true"}),
)


def parser() -> argparse.ArgumentParser:
    """The options; everything after `--` is the command."""
    made = argparse.ArgumentParser(prog="flakeguard gate", description=DESCRIPTION, epilog=EPILOG)
    for option, words, how in _OPTIONS:
        made.add_argument(option, help=words, **how)
    for name in FIELDS:
        option = "--run-url" if name == "url" else f"--{name.replace('_', '-')}"
        made.add_argument(option, dest=f"run_{name}", default="", metavar="TEXT", help=argparse.SUPPRESS)
    return made
