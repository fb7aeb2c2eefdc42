"""One upload into one run's results: whatever way the reports came, all are read before any is stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from core.errors import ValidationError
from core.junit import ReportStream, stream_report
from core.limits import DEFAULT, Limits
from core.report import CaseResult, Outcome, Report, SuiteError, TestKey
from core.unpack import unpack

METADATA = "flakeguard.json"
"""Our own note inside an artifact; never a report."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of an upload, as it came."""

    name: str
    content: BinaryIO


@dataclass(slots=True)
class Intake:
    """The cases of one run; everything is well-formed before the first of them is handed out."""

    cases: Iterator[CaseResult]
    told: ReportStream | Report
    documents: int

    def __iter__(self) -> Iterator[CaseResult]:
        """The cases, once."""
        return self.cases

    @property
    def dialect(self) -> str:
        return self.told.dialect

    @property
    def partial(self) -> bool:
        return self.told.partial

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.told.warnings

    @property
    def suite_errors(self) -> tuple[SuiteError, ...]:
        return self.told.suite_errors


def take_in(uploads: Sequence[Upload], *, variant: str = "", limits: Limits = DEFAULT) -> Intake:
    """Read everything, or raise naming the file that cannot be read."""
    if len(uploads) == 1 and sniff(uploads[0].content) != "zip":
        # One document, however large, need not lie in memory as a whole.
        ((_, stream),) = _streams(uploads, variant=variant, limits=limits)
        return Intake(iter(stream), stream, 1)
    reports = [report for _, report in documents(uploads, variant=variant, limits=limits)]
    if not reports:
        raise ValidationError("The upload holds no report (*.xml or *.json).", field="body")
    whole = combined(reports)
    return Intake(iter(whole.cases), whole, len(reports))


def documents(
    uploads: Iterable[Upload], *, variant: str = "", limits: Limits = DEFAULT
) -> Iterator[tuple[str, Report]]:
    """Each document of each file, with its name; raises naming the one that cannot be read."""
    for name, stream in _streams(uploads, variant=variant, limits=limits):
        cases = tuple(stream)
        yield name, Report(stream.dialect, cases, stream.partial, stream.warnings, stream.suite_errors)


def _streams(
    uploads: Iterable[Upload], *, variant: str, limits: Limits
) -> Iterator[tuple[str, ReportStream]]:
    for upload in uploads:
        for name, content in unpack(upload.content, name=upload.name, limits=limits):
            if name.rsplit("/", 1)[-1] != METADATA:
                yield name, stream_report(content, name=name, limits=limits, variant=variant)


def sniff(content: BinaryIO) -> str:
    """What the first bytes look like: xml, json, gzip, zip, empty or unknown; the position stays at the start."""
    head = content.read(64)
    content.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    text = head.removeprefix(_BOM).replace(b"\0", b"").lstrip(b" \t\r\n\xff\xfe")
    if not text:
        return "empty" if len(head) < 64 else "xml"  # noqa: PLR2004 - so much white space may precede a document
    return {b"<": "xml", b"{": "json", b"[": "json"}.get(text[:1], "unknown")


def combined(reports: Sequence[Report]) -> Report:
    """Several documents of one run as one report."""
    if len(reports) == 1:
        return reports[0]
    cases: dict[TestKey, CaseResult] = {}
    for report in reports:
        for case in report.cases:
            there = cases.get(case.key)
            cases[case.key] = case if there is None else together(there, case)
    return Report(
        dialect=", ".join(sorted({report.dialect for report in reports})),
        cases=tuple(cases.values()),
        partial=any(report.partial for report in reports),
        warnings=tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
        suite_errors=tuple(error for report in reports for error in report.suite_errors),
    )


def together(one: CaseResult, other: CaseResult) -> CaseResult:
    """The same test in two documents: nobody knows which ran first, so mixed outcomes prove nothing."""
    first, last = sorted((one, other), key=lambda case: _SEVERITY[case.outcome])
    if first.outcome is last.outcome:
        return replace(last, ambiguous=first.ambiguous or last.ambiguous)
    if not last.outcome.bad:
        return last
    return replace(last, attempts=(*first.attempts, *last.attempts), ambiguous=True)


_SEVERITY = {Outcome.SKIPPED: 0, Outcome.PASSED: 1, Outcome.FAILED: 2, Outcome.ERROR: 3}
