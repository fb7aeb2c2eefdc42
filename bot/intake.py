"""One upload into one run's results: whatever way the reports came, all are read before any is stored."""

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from core.combine import combined
from core.errors import ValidationError
from core.junit import ReportStream, stream_report
from core.limits import DEFAULT, MIB, Limits
from core.report import CaseResult, Report, SuiteError
from core.unpack import document_names, unpack

METADATA = "flakeguard.json"
"""Our own note inside an artifact; never a report."""
_BOM = b"\xef\xbb\xbf"
_TAG = re.compile(rb"<(\?xml|!DOCTYPE|!--|[A-Za-z_])")
LOGGED = MIB
"""How much text before a report is looked through."""


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
    if _lone(uploads, limits):
        # One document, however large, need not lie in memory as a whole.
        streams = _streams(uploads, variant=variant, limits=limits)
        _, stream = next(streams)
        return Intake(_open_until_read(iter(stream), streams), stream, 1)
    reports = [report for _, report in documents(uploads, variant=variant, limits=limits)]
    if not reports:
        raise ValidationError("The upload holds no report (*.xml or *.json).", field="body")
    whole = combined(reports)
    return Intake(iter(whole.cases), whole, len(reports))


def _lone(uploads: Sequence[Upload], limits: Limits) -> bool:
    names = (
        inner
        for upload in uploads
        for inner in document_names(upload.content, name=upload.name, limits=limits)
        if not _is_ours(inner)
    )
    return len(tuple(islice(names, 2))) == 1


def _open_until_read(
    cases: Iterator[CaseResult], streams: Generator[tuple[str, ReportStream]]
) -> Iterator[CaseResult]:
    """The cases; a second look at them needs the archive they lie in."""
    with closing(streams):
        yield from cases


def _is_ours(name: str) -> bool:
    return name.rsplit("/", 1)[-1] == METADATA


def documents(
    uploads: Iterable[Upload], *, variant: str = "", limits: Limits = DEFAULT
) -> Iterator[tuple[str, Report]]:
    """Each document of each file, with its name; raises naming the one that cannot be read."""
    for name, stream in _streams(uploads, variant=variant, limits=limits):
        cases = tuple(stream)
        yield name, Report(stream.dialect, cases, stream.partial, stream.warnings, stream.suite_errors)


def _streams(
    uploads: Iterable[Upload], *, variant: str, limits: Limits
) -> Generator[tuple[str, ReportStream]]:
    for upload in uploads:
        for name, content in unpack(upload.content, name=upload.name, limits=limits):
            if not _is_ours(name):
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


def says_xml(content: BinaryIO) -> bool:
    """True when a tag begins somewhere near the start: a log may have been written before the report."""
    head = content.read(LOGGED).replace(b"\0", b"")
    content.seek(0)
    return _TAG.search(head) is not None
