"""From raw cases to a report: recognise the dialect, name the tests, join their attempts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import BinaryIO

from core.junit.assembly import second_pass, survey, whole
from core.junit.blocks import naming_of
from core.junit.cases import Cases
from core.junit.dialects import Dialect, Repeats, recognise
from core.junit.document import Document
from core.junit.naming import Naming
from core.junit.raw import Evidence, Mark, Suite
from core.junit.replay import InMemory, Peeked, Readable
from core.junit.text import told
from core.junit.walker import Item
from core.limits import DEFAULT, Limits
from core.native import looks_like_json, read_json
from core.report import CaseResult, Report, SuiteError, TestKey

_EMPTY = "the report holds no test at all"
_MERGED = (
    "reports of several runs have been merged into one, so that repeated entries are not taken for retries; "
    "upload one report for each run, with a variant"
)
_BY_MERGERS = ("tests", "failures", "errors", "skipped", "time")
"""So junit-report-merger and junitparser write the root; the former also puts suites of one name into one."""
_NAMED = 5
_MANY_ERRORS = 500
HELD = 50_000
"""Up to this many silent cases, or what weighs as much, wait in memory for the end; longer documents are read twice."""


class ReportStream:
    """Iterate once for the cases; afterwards `dialect`, `partial`, `warnings` and `suite_errors` are known.

    No case leaves before the whole document has been found well-formed.
    """

    def __init__(
        self, source: BinaryIO | bytes, *, name: str, limits: Limits, variant: str, held: int | None = HELD
    ) -> None:
        self.dialect = ""
        self.partial = False
        self.warnings: tuple[str, ...] = ()
        self.suite_errors: tuple[SuiteError, ...] = ()
        self._source = InMemory(source) if isinstance(source, bytes) else Peeked(source)
        self._name = name
        self._limits = limits
        self._variant = variant
        self._held = held
        self._shared: list[TestKey] = []

    def __iter__(self) -> Iterator[CaseResult]:
        return chain(self._read(), self._namesakes())

    def all(self) -> Sequence[CaseResult]:
        """The cases of a report that was read whole."""
        found = self._read()
        return found if isinstance(found, Cases) else tuple(chain(found, self._namesakes()))

    def _read(self) -> Iterable[CaseResult]:
        return self._native() if looks_like_json(self._source.head) else self._xml()

    def _native(self) -> Iterable[CaseResult]:
        found = read_json(self._source, name=self._name, limits=self._limits)
        if self._variant:
            found.batch.vary(self._variant)
        self.dialect = found.dialect
        self.partial = found.partial
        self.suite_errors = tuple(found.errors)
        empty = not len(found.batch) and not found.errors
        self.warnings = (*found.warnings, *((_EMPTY,) if empty else ()))
        return whole([found.batch], Repeats.AMBIGUOUS, self._note)

    def _xml(self) -> Iterable[CaseResult]:
        document = self._document(self._source)
        items = iter(document)
        held = self._hold(items)
        rest = next(items, None)
        naming = self._naming(recognise(document.evidence))
        if rest is None:
            batches = list(naming.batches(held))
            results = whole(batches, of_one_run(naming.dialect, document.evidence).repeats, self._note)
        else:
            repeated = survey(
                _chained(held, rest, items), naming, limit=self._limits.repeated, name=self._name
            )
            dialect = of_one_run(naming.dialect, document.evidence)
            results = second_pass(self._again, self._naming(dialect), repeated, self._note)
        self._conclude(document, naming)
        return results

    def _namesakes(self) -> Iterator[CaseResult]:
        """At the end, name the tests that share their name: nobody else can tell them apart."""
        if self._shared:
            named = "; ".join(f"{key.class_name} {key.name}".strip() for key in self._shared[:_NAMED])
            self.warnings += (
                f"{len(self._shared)} names belong to several tests each, whose outcomes prove nothing: {named}",
            )
        yield from ()

    def _note(self, result: CaseResult) -> None:
        if result.ambiguous:
            self._shared.append(result.key)

    def _naming(self, dialect: Dialect) -> Naming:
        return naming_of(dialect, variant=self._variant, limits=self._limits)

    def _hold(self, items: Iterator[Item]) -> list[Item]:
        if self._held is None:
            return list(items)
        held: list[Item] = []
        count = 0
        for item in items:
            held.append(item)
            count += item.size
            if count >= self._held:
                break
        return held

    def _again(self) -> Iterator[Item]:
        return iter(self._document(self._source.again()))

    def _document(self, source: Readable) -> Document:
        return Document(source, again=self._source.again, name=self._name, limits=self._limits)

    def _conclude(self, document: Document, naming: Naming) -> None:
        seen = document.evidence
        orphans = [told for told in document.orphans if not naming.dialect.repeats_itself(*told)]
        errors = [*_orphans(orphans, self._limits), *naming.errors]
        errors.extend(naming.dialect.hidden_errors(seen, errors))
        self.dialect = naming.dialect.name
        self.partial = document.partial
        self.suite_errors = tuple(_not_endless(errors))
        self.warnings = document.warnings + naming.warnings + _warnings(seen, errors, naming.dialect)


def read_report(data: bytes, *, name: str = "", limits: Limits = DEFAULT, variant: str = "") -> Report:
    """One document, whole."""
    stream = ReportStream(data, name=name, limits=limits, variant=variant, held=None)
    cases = stream.all()
    return Report(stream.dialect, cases, stream.partial, stream.warnings, stream.suite_errors)


def stream_report(
    source: BinaryIO | bytes, *, name: str = "", limits: Limits = DEFAULT, variant: str = ""
) -> ReportStream:
    """One document, case by case, in bounded memory."""
    return ReportStream(source, name=name, limits=limits, variant=variant)


def _chained(held: list[Item], rest: Item, items: Iterator[Item]) -> Iterator[Item]:
    """The held items are let go one by one as they are surveyed."""
    held.reverse()
    while held:
        yield held.pop()
    yield rest
    yield from items


def _orphans(orphans: Iterable[tuple[Suite, Mark]], limits: Limits) -> Iterator[SuiteError]:
    for suite, mark in orphans:
        message = told(mark.message, mark.type, mark.text, limit=limits.text_chars)
        yield SuiteError(suite.name, message or f"<{mark.tag}>")


def _of_several_runs(seen: Evidence) -> bool:
    return seen.merged or tuple(seen.attributes) == _BY_MERGERS


def _not_endless(errors: list[SuiteError]) -> list[SuiteError]:
    """Nobody reads thousands of them, and every one goes into the answer."""
    more = len(errors) - _MANY_ERRORS
    return [*errors[:_MANY_ERRORS], SuiteError("", f"and {more:,} errors more")] if more > 0 else errors


def of_one_run(dialect: Dialect, seen: Evidence) -> Dialect:
    """What occurs again was only tried again if the document is of one run."""
    if _of_several_runs(seen) and dialect.retries:
        return _taking(dialect, Repeats.AMBIGUOUS)
    return dialect if dialect.reran(seen) else _taking(dialect, Repeats.RERUNS_UNLESS_PASSED)


@cache
def _taking(dialect: Dialect, repeats: Repeats) -> Dialect:
    """The same dialect with another meaning of what occurs again."""
    return replace(dialect, repeats=repeats)


def _warnings(seen: Evidence, errors: list[SuiteError], dialect: Dialect) -> tuple[str, ...]:
    if not seen.cases and not errors:
        return (_EMPTY,)
    if _of_several_runs(seen) and dialect.retries:
        return (_MERGED, *dialect.advice(seen))
    return dialect.advice(seen)
