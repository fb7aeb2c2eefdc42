"""Cucumber Messages, which every Cucumber writes and which alone tell of retries: a line for each envelope."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from core.limits import Limits
from core.native.found import Found, attempt
from core.native.lines import event, first_event, lines
from core.native.values import Object, as_object, objects, text, texts
from core.report import Attempt, Outcome

_RANKS = ("UNKNOWN", "PASSED", "SKIPPED", "PENDING", "UNDEFINED", "AMBIGUOUS", "FAILED")
_OUTCOMES = {"UNKNOWN": Outcome.PASSED, "PASSED": Outcome.PASSED, "SKIPPED": Outcome.SKIPPED}
"""Everything else fails the run."""
_NANO = 1e-9
_DEEPEST = 20


def recognise(head: bytes) -> bool:
    """The first envelope names the version of the protocol."""
    return "protocolVersion" in as_object(first_event(head).get("meta"))


def read(chunks: Iterable[bytes], *, limits: Limits) -> Found:
    """All scenarios with their attempts in order."""
    reader = _Reader(limits)
    for line in lines(chunks):
        reader.envelope(event(line))
    return reader.found()


@dataclass(slots=True)
class _Running:
    """One attempt of a scenario."""

    case: str
    status: str = "PASSED"
    duration: float = 0.0
    messages: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._found = Found("cucumber-messages")
        self._places: dict[str, str] = {}
        """Of each scenario and each row of examples: feature and rule, or the number of the row."""
        self._pickles: dict[str, Object] = {}
        self._cases: dict[str, str] = {}
        self._running: dict[str, _Running] = {}
        self._done: dict[str, list[Attempt]] = {}
        self._ended = False

    def envelope(self, envelope: Object) -> None:
        for kind, value in envelope.items():
            self._said(kind, as_object(value))

    def _said(self, kind: str, told: Object) -> None:  # noqa: C901 - one step for each kind of envelope
        match kind:
            case "gherkinDocument":
                feature = as_object(told.get("feature"))
                self._places.update(_places(feature, text(feature, "name"), _DEEPEST))
            case "pickle":
                self._pickles[text(told, "id")] = told
            case "testCase":
                self._cases[text(told, "id")] = text(told, "pickleId")
            case "testCaseStarted":
                self._running[text(told, "id")] = _Running(text(told, "testCaseId"))
            case "testStepFinished":
                if running := self._running.get(text(told, "testCaseStartedId")):
                    _step(running, as_object(told.get("testStepResult")))
            case "testCaseFinished":
                if running := self._running.pop(text(told, "testCaseStartedId"), None):
                    self._finished(running)
            case "testRunHookFinished":
                self._broken("", as_object(told.get("result")))
            case "parseError":
                uri = text(as_object(told.get("source")), "uri")
                self._found.failed(uri, text(told, "message"), self._limits)
            case "testRunFinished":
                self._ended = True
            case _:
                pass

    def _finished(self, running: _Running) -> None:
        outcome = _OUTCOMES.get(running.status, Outcome.FAILED)
        message = "\n\n".join(running.messages) or (running.status.lower() if outcome.bad else "")
        ended = attempt(outcome, running.duration, message, self._limits)
        self._done.setdefault(running.case, []).append(ended)

    def _broken(self, suite: str, result: Object) -> None:
        if text(result, "status") == "FAILED":
            self._found.failed(suite, text(result, "message") or "a hook failed", self._limits)

    def found(self) -> Found:
        """What was said until now."""
        for running in self._running.values():
            self._done.setdefault(running.case, []).append(Attempt(Outcome.ERROR, None, "did not finish"))
        shared = _shared(self._pickles.values())
        for case, attempts in self._done.items():
            self._add(self._pickles.get(self._cases.get(case, ""), {}), shared, tuple(attempts))
        if not self._ended:
            self._found.partial = True
            self._found.warnings.append("the stream ends before the run did")
        return self._found

    def _add(self, pickle: Object, shared: set[tuple[str, str]], attempts: tuple[Attempt, ...]) -> None:
        uri, name = text(pickle, "uri"), text(pickle, "name")
        scenario, *row = (*texts(pickle, "astNodeIds"), "")[:2]
        if (uri, name) in shared and row and row[0]:
            name = f"{name} {self._places.get(row[0], '')}"
        where = self._places.get(scenario, "")
        self._found.add(suite="", class_name=where, name=name, file=uri, variant="", entry=attempts)


def _places(parent: Object, where: str, depth: int) -> Iterator[tuple[str, str]]:
    for child in objects(parent, "children"):
        scenario = as_object(child.get("scenario"))
        if scenario:
            yield text(scenario, "id"), where
            yield from _rows(scenario)
        rule = as_object(child.get("rule"))
        if rule and depth:
            yield from _places(rule, f"{where} > {text(rule, 'name')}", depth - 1)


def _rows(scenario: Object) -> Iterator[tuple[str, str]]:
    for table, examples in enumerate(objects(scenario, "examples"), 1):
        for row, cells in enumerate(objects(examples, "tableBody"), 1):
            yield text(cells, "id"), f"#{table}.{row}"


def _shared(pickles: Iterable[Object]) -> set[tuple[str, str]]:
    """Names that several scenarios of a file have, such as the rows of an outline without a parameter in its name."""
    seen: set[tuple[str, str]] = set()
    again: set[tuple[str, str]] = set()
    for name in ((text(pickle, "uri"), text(pickle, "name")) for pickle in pickles):
        (again if name in seen else seen).add(name)
    return again


def _step(running: _Running, result: Object) -> None:
    status = text(result, "status")
    if status in _RANKS and _RANKS.index(status) > _RANKS.index(running.status):
        running.status = status
    took = as_object(result.get("duration"))
    parts = ((took.get("seconds"), 1.0), (took.get("nanos"), _NANO))
    running.duration += sum(value * unit for value, unit in parts if isinstance(value, int | float))
    running.messages += filter(None, chain([text(result, "message")]))
