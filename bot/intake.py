"""One upload into one run's results: whatever way the reports came, all are read before any is stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from core.combine import combined
from core.errors import ValidationError
from core.junit import ReportStream, stream_report
from core.limits import DEFAULT, Limits
from core.report import CaseResult, Report, SuiteError
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
