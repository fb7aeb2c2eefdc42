"""One gated CI step: options, the command, the question, the decision, the words.

This file is also served to CI machines as part of `/gate.py`: only the standard library, only Python 3.9.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from bot.gate.identity import token_of_workflow
from bot.gate.options import parser
from bot.gate.upload import Found, Server, TroubleError, find_reports, stamps
from core.ci import FIELDS, ci_context
from core.gate import Decision, Facts, decide, facts_of, find_runner, runner_of_command

Ask = Callable[[argparse.Namespace, Mapping[str, str], Sequence[str]], Mapping[str, Any]]
"""Hands reports over and answers what was answered; raises TroubleError."""
NOT_FOUND, NOT_STARTED = 127, 126
USUAL = (
    "**/junit*.xml",
    "**/test-results/**/*.xml",
    "**/test-reports/**/*.xml",
    "**/target/surefire-reports/TEST-*.xml",
    "**/target/failsafe-reports/TEST-*.xml",
    "**/build/test-results/**/TEST-*.xml",
    "target/nextest/*/junit.xml",
)
"""Where reports usually lie; looked at for files written by this very command only."""
_NAMED = re.compile(r"--?(?:junit-?xml|junitfile|junit-output|log-junit|output-junit|xunit)")


def gate(argv: Sequence[str], environ: Mapping[str, str], *, ask: Ask | None = None) -> int:
    """Run one gated step; answers its exit code."""
    options, command = _read(argv)
    patterns = options.junit or _guessed(command)
    before = stamps(patterns) if command else None
    code = _run(command) if command else options.exit_code
    found = find_reports(patterns, before=before)
    facts, trouble = _asked(options, environ, found, ask or over_http)
    decision = decide(
        code,
        facts,
        runner=find_runner(options.runner) or runner_of_command(command),
        extra_codes=options.failure_code,
        strict=options.strict,
        trouble=trouble,
        reports=len(found.fresh),
    )
    _tell(options, code, decision, found, facts)
    return decision.exit_code


def _read(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    words = list(argv)
    place = words.index("--") if "--" in words else len(words)
    made, command = parser(), words[place + 1 :]
    options = made.parse_args(words[:place])
    if bool(command) == (options.exit_code is not None):
        made.error("give either --exit-code N or a command after --")
    if not command and not options.junit:
        made.error("give --junit GLOB: which reports belong to this step")
    if options.runner and find_runner(options.runner) is None:
        made.error(f"there is no runner called {options.runner}; see --failure-code")
    return options, command


def _run(command: Sequence[str]) -> int:
    """The command's exit code, as a shell tells it; what ends us ends the command first."""
    try:
        child = subprocess.Popen(command)  # noqa: S603 - running this command is the point
    except FileNotFoundError:
        _say(f"there is no program {command[0]}")
        return NOT_FOUND
    except OSError as error:
        _say(f"{command[0]} could not be started: {error}")
        return NOT_STARTED
    before = signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    try:
        code = _waited(child)
    finally:
        signal.signal(signal.SIGTERM, before)
    return 128 - code if code < 0 else code


def _waited(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The terminal has sent it to the child as well, which now tidies up.
            continue


def _guessed(command: Sequence[str]) -> list[str]:
    """The report a command line names, else the usual places."""
    for word, following in zip(command, [*command[1:], ""]):  # noqa: B905 - Python 3.9 knows no strict=
        option, sign, value = word.partition("=")
        if _NAMED.fullmatch(option):
            return [value if sign else following]
    return list(USUAL)


def _asked(
    options: argparse.Namespace, environ: Mapping[str, str], found: Found, ask: Ask
) -> tuple[Facts | None, str]:
    if not found.fresh:
        return None, "no test report was found"
    try:
        return facts_of(ask(options, run_fields(options, environ), found.fresh)), ""
    except TroubleError as error:
        return None, str(error)


def over_http(
    options: argparse.Namespace, fields: Mapping[str, str], files: Sequence[str]
) -> Mapping[str, Any]:
    """Ask the server."""
    if not options.url:
        raise TroubleError("the service's address is not known: set FLAKEGUARD_URL or give --url")
    if not options.token:
        raise TroubleError(
            "there is no token (FLAKEGUARD_TOKEN, or on GitHub Actions the permission id-token: write); "
            "builds of forks are given none"
        )
    return Server(options.url, options.token, seconds=options.timeout).ingest(fields, files)


def run_fields(options: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, str]:
    """Which run this is: by the options, the CI system, and last by git."""
    options.url = options.url or environ.get("FLAKEGUARD_URL", "")
    options.token = (
        options.token or environ.get("FLAKEGUARD_TOKEN", "") or token_of_workflow(options.url, environ)
    )
    fields = ci_context(environ, _event(environ.get("GITHUB_EVENT_PATH", "")))
    fields.update({name: value for name in FIELDS if (value := getattr(options, f"run_{name}"))})
    if options.project:
        fields["project"] = options.project
    fields.setdefault("commit", _git("rev-parse", "HEAD"))
    fields.setdefault("branch", _git("rev-parse", "--abbrev-ref", "HEAD"))
    fields.setdefault("run_id", f"manual-{uuid.uuid4().hex[:16]}")
    for name in ("commit", "branch"):
        if not fields[name]:
            raise TroubleError(f"the {name} is not known: give --{name}")
    return fields


def _event(path: str) -> Mapping[str, Any]:
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _git(*words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607 - whichever git the machine has
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _tell(
    options: argparse.Namespace, code: int, decision: Decision, found: Found, facts: Facts | None
) -> None:
    out = sys.stderr if options.json else sys.stdout
    if found.stale:
        _say(f"left alone, older than this step: {len(found.stale)} files, e.g. {found.stale[0]}", out)
    for line in decision.lines:
        _say(line, out)
    if options.json:
        sys.stdout.write(json.dumps(verdict(code, decision, found, facts)) + "\n")
        sys.stdout.flush()


def verdict(code: int, decision: Decision, found: Found, facts: Facts | None) -> dict[str, Any]:
    """What the gate decided, for programs."""
    return {
        "exit_code": decision.exit_code,
        "original_exit_code": code,
        "green": decision.exit_code == 0,
        "changed": decision.exit_code != code,
        "reason": decision.reason,
        "reports": len(found.fresh),
        "asked": facts is not None,
        "total": facts.total if facts else 0,
        "failing": facts.failing if facts else 0,
        "quarantined": [dict(item) for item in facts.quarantined] if facts else [],
        "blocking": [dict(item) for item in facts.blocking] if facts else [],
        "unmatched": list(facts.unmatched) if facts else [],
    }


def _say(line: str, out: Any = None) -> None:
    text = f"flakeguard: {line}"
    stream = out or sys.stderr
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding, "replace") + "\n")
    stream.flush()
