"""One upload into one run's results: whatever way the reports came, all are read before any is stored."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from core.errors import UnsupportedMediaError, ValidationError
from core.junit import ReportStream, stream_report
from core.limits import DEFAULT, MIB, Limits
from core.native import read_native
from core.report import CaseResult, Outcome, Report, SuiteError, TestKey
from core.unpack import unpack

STREAMED = 16 * MIB
"""A single document beyond this size is read while it is stored: its cases never lie in memory all at once."""
METADATA = "flakeguard.json"
"""Our own note inside an artifact; never a report."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of an upload, as it came."""

    name: str
    content: BinaryIO


class Intake:
    """The cases of one run; iterate once, then everything else is known."""

    def __init__(self, cases: Iterable[CaseResult], told: ReportStream | Report, documents: int) -> None:
        """`told` knows dialect, warnings and the like, a stream only once it has been read."""
        self._cases = cases
        self._told = told
        self.documents = documents
        self.suite_errors: list[SuiteError] = []
        """Filled while the cases are read, so that it may be handed on before."""

    def __iter__(self) -> Iterator[CaseResult]:
        """The cases, one by one."""
        yield from self._cases
        self.suite_errors[:] = self._told.suite_errors

    @property
    def dialect(self) -> str:
        return self._told.dialect

    @property
    def partial(self) -> bool:
        return self._told.partial

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._told.warnings


def take_in(uploads: Sequence[Upload], *, variant: str = "", limits: Limits = DEFAULT) -> Intake:
    """Read everything, or raise naming the file that cannot be read."""
    if (lone := _lone_giant(uploads)) is not None:
        stream = stream_report(lone.content, name=lone.name, limits=limits, variant=variant)
        return Intake(stream, stream, 1)
    reports = [report for _, report in documents(uploads, variant=variant, limits=limits)]
    if not reports:
        raise ValidationError("The upload holds no report (*.xml or *.json).", field="body")
    whole = combined(reports)
    return Intake(whole.cases, whole, len(reports))


def _lone_giant(uploads: Sequence[Upload]) -> Upload | None:
    if len(uploads) != 1:
        return None
    content = uploads[0].content
    large = content.seek(0, io.SEEK_END) > STREAMED
    content.seek(0)
    return uploads[0] if large and sniff(content) == "xml" else None


def documents(
    uploads: Iterable[Upload], *, variant: str = "", limits: Limits = DEFAULT
) -> Iterator[tuple[str, Report]]:
    """Each document of each file, with its name; raises naming the one that cannot be read."""
    for upload in uploads:
        for name, content in unpack(upload.content, name=upload.name, limits=limits):
            if name.rsplit("/", 1)[-1] != METADATA:
                yield name, _report(name, content, variant=variant, limits=limits)


def _report(name: str, content: BinaryIO, *, variant: str, limits: Limits) -> Report:
    match sniff(content):
        case "xml":
            stream = stream_report(content, name=name, limits=limits, variant=variant)
            cases = tuple(stream)
            return Report(stream.dialect, cases, stream.partial, stream.warnings, stream.suite_errors)
        case "json":
            return read_native(content.read(), name=name, limits=limits, variant=variant)
        case "empty":
            raise ValidationError(f"{name or 'the upload'} is empty.", file=name)
        case _:
            raise UnsupportedMediaError(
                f"{name or 'the upload'} is neither JUnit XML nor a JSON report.", file=name
            )


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
