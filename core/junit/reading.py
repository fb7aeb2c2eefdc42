"""From raw cases to a report: recognise the dialect, name the tests, join their attempts."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from core.identity import normalise
from core.junit.attempts import attempts
from core.junit.dialects import Dialect, recognise
from core.junit.document import Document
from core.junit.grouping import Entry, folded, joined
from core.junit.raw import Evidence, Mark, RawCase, Suite
from core.junit.text import told
from core.limits import DEFAULT, Limits
from core.report import CaseResult, Report, SuiteError, TestKey


class ReportStream:
    """Iterate for the cases; afterwards `dialect`, `partial`, `warnings` and `suite_errors` are known."""

    def __init__(self, source: BinaryIO, *, name: str, limits: Limits, variant: str = "") -> None:
        self.dialect = ""
        self.partial = False
        self.warnings: tuple[str, ...] = ()
        self.suite_errors: tuple[SuiteError, ...] = ()
        self._source = source
        self._name = name
        self._limits = limits
        self._variant = variant

    def __iter__(self) -> Iterator[CaseResult]:
        document = Document(self._source, name=self._name, limits=self._limits)
        raws = list(document)
        walker = document.walker
        dialect = recognise(walker.evidence)
        errors = list(_orphans(walker.orphans, self._limits))
        tests: list[RawCase] = []
        for raw in raws:
            suite = dialect.suite_error(raw)
            if suite is None:
                tests.append(raw)
            else:
                errors.append(SuiteError(suite, _told(raw.marks, self._limits)))
        errors.extend(_uncounted(walker.evidence, errors))
        self.dialect = dialect.name
        self.partial = document.partial
        self.suite_errors = tuple(errors)
        self.warnings = tuple(document.warnings) + _empty(walker.evidence, errors)
        yield from self._results(tests, dialect)

    def _results(self, tests: Iterable[RawCase], dialect: Dialect) -> Iterator[CaseResult]:
        groups: dict[TestKey, dict[TestKey, list[Entry]]] = {}
        for raw in tests:
            written = dialect.key(raw)
            if self._variant:
                written = replace(written, variant=" ".join(filter(None, (self._variant, written.variant))))
            entry = attempts(raw, dialect, self._limits)
            groups.setdefault(normalise(written), {}).setdefault(written, []).append(entry)
        for key, names in groups.items():
            yield folded(key, [joined(key, entries, dialect.repeats) for entries in names.values()])


def read_report(data: bytes, *, name: str = "", limits: Limits = DEFAULT, variant: str = "") -> Report:
    """One XML document, whole."""
    stream = ReportStream(io.BytesIO(data), name=name, limits=limits, variant=variant)
    cases = tuple(stream)
    return Report(stream.dialect, cases, stream.partial, stream.warnings, stream.suite_errors)


def stream_report(
    source: BinaryIO | bytes, *, name: str = "", limits: Limits = DEFAULT, variant: str = ""
) -> ReportStream:
    """One XML document, case by case, in bounded memory."""
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    return ReportStream(source, name=name, limits=limits, variant=variant)


def _told(marks: Iterable[Mark], limits: Limits) -> str:
    return "\n\n".join(
        filter(None, (told(m.message, m.type, m.text, limit=limits.text_chars) for m in marks))
    )


def _orphans(orphans: Iterable[tuple[Suite, Mark]], limits: Limits) -> Iterator[SuiteError]:
    for suite, mark in orphans:
        yield SuiteError(suite.name, _told((mark,), limits))


def _uncounted(seen: Evidence, errors: list[SuiteError]) -> Iterator[SuiteError]:
    """Counts are never trusted for good news; when they claim more bad than was shown, that is a suite's error."""
    if seen.counted_bad and not seen.bad_cases and not errors and not seen.tags:
        yield SuiteError(
            seen.attributes.get("name", ""), f"the report counts {seen.counted_bad} failures but shows none"
        )
    elif seen.counted_errors and not seen.error_cases and not errors and "go.version" in seen.properties:
        yield SuiteError(
            "", f"gotestsum counts {seen.counted_errors} errors outside of any test: a package did not build"
        )


def _empty(seen: Evidence, errors: list[SuiteError]) -> tuple[str, ...]:
    if seen.cases or errors:
        return ()
    return ("the report holds no test at all",)
