"""From the parser's events to raw cases, with the suites they lie in and the evidence of who wrote them."""

import hashlib
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import add

from core.junit.attempts import PASSING
from core.junit.errors import ReportError, malformed, second_document
from core.junit.foreign import foreign
from core.junit.raw import Evidence, Mark, RawCase, Suite
from core.junit.rows import Rows
from core.junit.text import bounded
from core.junit.turns import NOWHERE, NextSuites
from core.limits import Limits

ROOTS = frozenset({"testsuites", "testsuite", "testcase"})
BAD = frozenset({"failure", "error"})
MARKS = BAD | {"flakyFailure", "flakyError", "rerunFailure", "rerunError", "skipped"}
OUTPUTS = frozenset({"system-out", "system-err"})
_MANY_MARKS = 1000
_MANY_PROPERTIES = 10_000
_MANY_SUITES = 10_000
_MANY_NAMES = 2_000
_LONG_NAMES = 100_000
Item = RawCase | Rows


class Text:
    """A text that arrives in pieces and keeps only its beginning and its end."""

    __slots__ = ("_limit", "_pieces", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """The next piece."""
        self._pieces.append(text)
        self._size += len(text)
        if self._size > 4 * self._limit:
            whole = "".join(self._pieces)
            self._pieces = [whole[: self._limit], whole[-self._limit :]]
            self._size = 2 * self._limit

    def __str__(self) -> str:
        return bounded("".join(self._pieces), self._limit)


class _Case:
    """A `<testcase>` while it is open."""

    __slots__ = ("attributes", "marks", "output")

    def __init__(self, attributes: Mapping[str, str], limits: Limits) -> None:
        self.attributes = attributes
        self.marks: list[tuple[str, Mapping[str, str], Text]] = []
        self.output = Text(2 * limits.output_chars)


class Walker:
    """A parser target: `items` fills with cases and rows in the order of the document."""

    def __init__(self, *, name: str, limits: Limits, rows: deque[Rows]) -> None:
        self.items: list[Item] = []
        self.evidence = Evidence()
        self.orphans: list[tuple[Suite, Mark]] = []
        """Failures and errors that hang on a suite instead of a case."""
        self.ended = False
        self._name = name
        self._limits = limits
        self._rows = rows
        self._tags: list[str] = []
        self._sinks: list[Text | None] = [None]
        self._suites: list[Suite] = [Suite()]
        self._cases: list[_Case] = []
        self._property = ""
        self._names: set[str] = set()
        self._names_size = 0

    # What lxml calls

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element opens."""
        if tag not in self._names or not self._names.issuperset(attributes):
            self._learn_names(tag, attributes)
        tag = local(tag)
        if not self._tags:
            self._root(tag, attributes)
        self._tags.append(tag)
        if len(self._tags) > self._limits.depth:
            raise self._refusal(f"its elements are nested deeper than {self._limits.depth}")
        self._sinks.append(self._opened(tag, attributes))

    def end(self, tag: str) -> None:
        """An element closes."""
        tag = self._tags.pop()
        sink = self._sinks.pop()
        if tag == "testcase":
            self._case(self._cases.pop())
        elif tag == "testsuite":
            self._leave(self._suites.pop(), self.evidence.bad_cases)
        elif tag == "property" and sink is not None:
            self._suites[-1].properties.setdefault(self._property, str(sink).strip())
        elif tag in BAD and not self._cases and sink is not None and self.orphans:
            suite, mark = self.orphans[-1]
            self.orphans[-1] = (suite, mark._replace(text=str(sink)))
        if tag == self.evidence.root:
            self.ended = not self._tags

    def data(self, text: str) -> None:
        """A piece of text inside the innermost element."""
        sink = self._sinks[-1]
        if sink is not None:
            sink.add(text)

    def pi(self, _target: str, _data: str | None = None) -> None:
        """The cutter's marker: the rows it took out belong here."""
        rows = self._rows.popleft()
        if not self._tags:
            raise self._refusal("test cases stand outside of the root element")
        rows.enter([self._suites[-1]], [0])
        seen = self.evidence
        if seen.first_case is None:
            seen.first_case = next(rows.raw_cases())
            seen.case_attributes = frozenset(rows.attributes)
        if any(status.lower() not in PASSING for status in rows.silent_statuses()):
            seen.odd_statuses = True
        self._counted(rows.count)
        self._suites_of(rows)
        self.items.append(rows)

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        """No report needs one; entities and external files come with it."""
        raise self._refusal("it declares a DOCTYPE, which no test report needs", "Remove the declaration.")

    def close(self) -> None:
        """The document ended."""

    # What it means

    def _root(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag not in ROOTS:
            what, remedy = foreign(tag)
            raise self._refusal(what, remedy)
        seen = self.evidence
        seen.root = tag
        seen.attributes = {local(key): value for key, value in attributes.items()}
        seen.counted_errors = count(seen.attributes.get("errors"))
        seen.counted_bad = seen.counted_errors + count(seen.attributes.get("failures"))

    def _learn_names(self, tag: str, attributes: Iterable[str]) -> None:
        """The parser remembers every name it has seen, so there must not be endless ones."""
        new = {tag, *attributes} - self._names
        self._names |= new
        self._names_size += sum(map(len, new))
        if len(self._names) > _MANY_NAMES or self._names_size > _LONG_NAMES:
            raise self._refusal("it has too many or too long names of elements and attributes")

    def _suites_of(self, rows: Rows) -> None:
        """Walk through the suites that end and begin among these rows."""
        places, tags = list(rows.said), [mark.tag for mark, _ in rows.said.values()]
        turns, rows.turns = rows.turns, NOWHERE
        if turns:
            self._may_turn(turns, rows.line)
            bad = list(accumulate((tag != "skipped" for tag in tags), initial=self.evidence.bad_cases))
            suites = self._next_suites(turns, [bad[bisect_left(places, at)] for at in turns.at])
            rows.enter(suites, turns.at)
        self._marked(tags)

    def _may_turn(self, turns: NextSuites, line: Callable[[int], int]) -> None:
        if self._tags[-1] != "testsuite":
            reason = f"Opening and ending tag mismatch: {self._tags[-1]} and testsuite"
            raise malformed(reason, name=self._name, line=line(turns.places[0]))
        if len(self._tags) == 1:
            raise second_document(name=self._name, line=line(turns.opens[0]))
        if not self._names.issuperset(turns.columns):
            self._learn_names("testsuite", turns.columns)

    def _next_suites(self, turns: NextSuites, bad: Sequence[int]) -> Sequence[Suite]:
        """The suites that follow the innermost one, which ends; `bad` counts the cases before each that went wrong."""
        outer, column = self._suites[-2], turns.column
        names = list(map(self._bounded_name, column("name")))
        paths = [(*outer.path, name) if name else outer.path for name in names]
        suites = list(
            map(
                Suite,
                paths,
                names,
                (file or outer.file for file in column("file", "filepath")),
                (host or outer.hostname for host in column("hostname")),
                column("package"),
                column("id"),
                ({} for _ in names),
                map(add, map(count, column("errors")), map(count, column("failures"))),
                bad,
            )
        )
        self.evidence.suite_attributes = self.evidence.suite_attributes or turns.first_attributes()
        for path in paths:
            self._learn_path(path)
        for suite, at_its_end in zip([self._suites.pop(), *suites], bad, strict=False):
            self._leave(suite, at_its_end)
        self._suites.append(suites[-1])
        return suites

    def _opened(self, tag: str, attributes: Mapping[str, str]) -> Text | None:
        """Where the text of this element goes."""
        if tag == "testcase":
            self._cases.append(_Case(attributes, self._limits))
            return None
        if tag == "testsuite":
            self._suites.append(self._suite(attributes))
            return None
        if self._cases:
            return self._inside_case(tag, attributes, self._cases[-1])
        if tag in BAD:
            return self._orphan(tag, attributes)
        return self._of_suite(tag, attributes)

    def _inside_case(self, tag: str, attributes: Mapping[str, str], case: _Case) -> Text | None:
        inside = self._sinks[-1]
        if tag in OUTPUTS:
            return case.output if inside is None else None
        if tag in MARKS and inside is None:
            text = Text(self._limits.text_chars)
            if len(case.marks) < _MANY_MARKS:
                case.marks.append((tag, attributes, text))
            return text
        return inside

    def _orphan(self, tag: str, attributes: Mapping[str, str]) -> Text | None:
        if len(self.orphans) >= _MANY_MARKS:
            return None
        text = Text(self._limits.text_chars)
        self.orphans.append((self._suites[-1], self._mark(tag, attributes, text)))
        return text

    def _of_suite(self, tag: str, attributes: Mapping[str, str]) -> Text | None:
        if tag != "property" or len(self._suites[-1].properties) >= _MANY_PROPERTIES:
            return None
        self._property = attributes.get("name", "")
        value = attributes.get("value")
        if value is not None:
            self._suites[-1].properties[self._property] = bounded(value, self._limits.text_chars)
            return None
        return Text(self._limits.text_chars)

    def _suite(self, attributes: Mapping[str, str]) -> Suite:
        get = attributes.get
        outer = self._suites[-1]
        name = self._bounded_name(get("name") or "")
        if not self.evidence.suite_attributes:
            self.evidence.suite_attributes = {local(key): value for key, value in attributes.items()}
        path = (*outer.path, name) if name else outer.path
        self._learn_path(path)
        return Suite(
            path=path,
            name=name,
            file=get("file") or get("filepath") or outer.file,
            hostname=get("hostname") or outer.hostname,
            package=get("package") or "",
            id=get("id") or "",
            counted_bad=count(get("errors")) + count(get("failures")),
            bad=self.evidence.bad_cases,
        )

    def _learn_path(self, path: tuple[str, ...]) -> None:
        seen = self.evidence
        number = hash(path)
        seen.merged = seen.merged or number in seen.suite_paths
        if len(seen.suite_paths) < _MANY_SUITES:
            seen.suite_paths.add(number)

    def _leave(self, suite: Suite, bad: int) -> None:
        suite.bad = bad - suite.bad
        if suite.counted_bad > 0 and not suite.bad and len(self.evidence.silent) < _MANY_MARKS:
            self.evidence.silent.append(suite)
            self._suites[-1].counted_bad -= suite.counted_bad
        if not self.evidence.properties:
            self.evidence.properties = suite.properties

    def _case(self, case: _Case) -> None:
        get = case.attributes.get
        marks = tuple(self._mark(tag, attributes, text) for tag, attributes, text in case.marks)
        raw = RawCase(
            self._suites[-1],
            self._bounded_name(get("name") or ""),
            self._bounded_name(get("classname") or get("class") or get("group") or ""),
            get("file") or get("filepath") or "",
            get("time") or get("duration") or "",
            get("status") or get("result") or ("flaky" if get("flaky") == "true" else ""),
            marks,
            str(case.output).strip() if marks else "",
        )
        self._learn(raw, case.attributes)
        self.items.append(raw)

    def _learn(self, raw: RawCase, attributes: Mapping[str, str]) -> None:
        seen = self.evidence
        self._counted(1)
        if seen.first_case is None:
            seen.first_case = raw
            seen.case_attributes = frozenset(local(key) for key in attributes)
        if not raw.marks:
            seen.odd_statuses = seen.odd_statuses or raw.status.lower() not in PASSING
            return
        tags = {mark.tag for mark in raw.marks}
        seen.tags |= tags
        seen.bad_cases += tags != {"skipped"}
        seen.error_cases += "error" in tags

    def _marked(self, tags: Sequence[str]) -> None:
        """Each is the only mark of its case."""
        seen = self.evidence
        seen.tags.update(tags)
        seen.bad_cases += len(tags) - tags.count("skipped")
        seen.error_cases += tags.count("error")

    def _counted(self, cases: int) -> None:
        self.evidence.cases += cases
        if self.evidence.cases > self._limits.cases:
            raise self._refusal(
                f"it holds more than {self._limits.cases:,} test cases",
                "Upload one report for each shard or module.",
            )

    def _mark(self, tag: str, attributes: Mapping[str, str], text: Text) -> Mark:
        get = attributes.get
        message = bounded(get("message") or "", self._limits.text_chars)
        return Mark(tag, message, bounded(get("type") or "", 200), str(text), get("time") or "")

    def _bounded_name(self, name: str) -> str:
        """A name beyond the limit keeps its beginning; a checksum of the whole keeps it apart from others."""
        limit = self._limits.name_chars
        if len(name) <= limit:
            return name
        checksum = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        return f"{name[: limit // 2]}...{checksum}"

    def _refusal(self, reason: str, remedy: str = "") -> ReportError:
        return ReportError(reason, name=self._name, remedy=remedy)


def local(tag: str) -> str:
    """The tag without its namespace."""
    return tag.rpartition("}")[2] if tag[0] == "{" else tag


def count(text: str | None) -> int:
    """A count attribute, 0 when it is not a number."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004 - no suite is larger
