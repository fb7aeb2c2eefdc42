"""`go test -json`: a line for each event, read as they come."""

import re
from collections.abc import Iterable

from core.junit.walker import Text
from core.limits import Limits
from core.native.found import Found, attempt
from core.native.lines import event, first_event, lines
from core.native.values import Object, seconds, text
from core.report import Attempt, Outcome

_OUTCOMES = {"pass": Outcome.PASSED, "fail": Outcome.FAILED, "skip": Outcome.SKIPPED}
_NOT_BUILT = re.compile(rb"FAIL\s+(\S+) \[(?:build|setup) failed\]")
"""Before Go 1.24 this is said in plain text among the events."""
_JOINED = re.compile(r"[^\n]--- (PASS|FAIL|SKIP): (\S+) \((\d+\.\d+)s\)$", re.MULTILINE)
"""Before Go 1.20 the result of a test that leaves its last line open stands behind that line, where `go` misses it."""
_PRINTED = {"PASS": Outcome.PASSED, "FAIL": Outcome.FAILED, "SKIP": Outcome.SKIPPED}
Test = tuple[str, str]


def recognise(head: bytes) -> bool:
    """The first line that is JSON is an event; in front of it go may tell what it downloads."""
    return "Action" in first_event(head)


def read(chunks: Iterable[bytes], *, limits: Limits) -> Found:
    """All packages; a test that runs several times (gotestsum, -count) has several attempts, in order."""
    reader = _Reader(limits)
    for line in lines(chunks):
        reader.line(line)
    return reader.found()


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._found = Found("go-test-json")
        self._running: dict[Test, Text] = {}
        self._done: dict[Test, list[Attempt]] = {}
        self._bad_packages: set[str] = set()
        self._open_packages: set[str] = set()
        self._noise = 0

    def line(self, line: bytes) -> None:
        told = event(line)
        if not told:
            if package := _NOT_BUILT.match(line):
                self._found.failed(
                    package[1].decode(errors="replace"), line.decode(errors="replace"), self._limits
                )
                return
            self._noise += bool(line.strip())
            return
        key = (text(told, "Package") or text(told, "ImportPath").partition(" ")[0], text(told, "Test"))
        action = text(told, "Action")
        if action in {"output", "build-output"}:
            self._output(key).add(text(told, "Output"))
        elif action in {"run", "start"}:
            self._output(key)
            self._open_packages.add(key[0])
        elif action in _OUTCOMES:
            self._ended(key, action, told)

    def _output(self, key: Test) -> Text:
        return self._running.setdefault(key, Text(self._limits.text_chars))

    def _ended(self, key: Test, action: str, told: Object) -> None:
        printed = self._running.pop(key, None)
        if not key[1]:
            self._package_ended(key[0], action, str(printed or ""))
            return
        outcome = _OUTCOMES[action]
        message = str(printed or "") if outcome is not Outcome.PASSED else ""
        if outcome.bad:
            self._bad_packages.add(key[0])
        ended = attempt(outcome, seconds(told, "Elapsed", unit=1.0), message, self._limits)
        self._done.setdefault(key, []).append(ended)

    def _package_ended(self, package: str, action: str, printed: str) -> None:
        """A package that fails without a failing test did not build, panicked or was stopped."""
        self._open_packages.discard(package)
        for key in [key for key in self._running if key[0] == package and key[1]]:
            output = str(self._running.pop(key))
            ended = _printed_result(key[1], output, self._limits)
            if ended is None and (action != "fail" or key[1].startswith("Benchmark")):
                continue  # of a benchmark only its start and its failure are told
            ended = ended or attempt(Outcome.ERROR, None, f"did not finish\n{output}", self._limits)
            if ended.outcome.bad:
                self._bad_packages.add(package)
            self._done.setdefault(key, []).append(ended)
        if action == "fail" and package not in self._bad_packages:
            built = self._running.pop((package, ""), "")
            self._found.failed(package, f"{built}{printed}" or "the package failed", self._limits)

    def found(self) -> Found:
        found = self._found
        for (package, test), attempts in self._done.items():
            found.add(
                suite=package, class_name=package, name=test, file="", variant="", entry=tuple(attempts)
            )
        if self._open_packages:
            found.partial = True
            found.warnings.append(f"the stream ends before {len(self._open_packages)} packages did")
        if self._noise:
            found.warnings.append(f"{self._noise} lines that are no events were ignored")
        return found


def _printed_result(test: str, output: str, limits: Limits) -> Attempt | None:
    for printed, name, elapsed in _JOINED.findall(output):
        if name == test:
            outcome = _PRINTED[printed]
            message = "" if outcome is Outcome.PASSED else output
            return attempt(outcome, float(elapsed), message, limits)
    return None
