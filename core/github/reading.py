"""Read an artifact: find the test reports among whatever else it holds, by content and not by name."""

import re
import zipfile
from dataclasses import dataclass
from typing import BinaryIO

from core.combine import combined
from core.errors import FlakeGuardError
from core.github.artifact import METADATA, Artifact, Metadata, looks_like_zip, read_metadata
from core.junit import read_report
from core.limits import DEFAULT, MIB, Limits
from core.report import Report
from core.unpack import unpack

_HEAD = 8 * 1024
_METADATA_BYTES = 64 * 1024
_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_COMMENT = re.compile(rb"<!--.*?-->|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL)
_REPORT_ROOTS = frozenset({b"testsuites", b"testsuite", b"testcase", b"test-run", b"testrun", b"assemblies"})
_TELLING = re.compile(
    r"junit|test|report|result|spec|surefire|jest|vitest|cypress|playwright|flakeguard", re.IGNORECASE
)
_SMALL = 5 * MIB
"""An artifact whose name tells nothing is looked into up to this size."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an artifact held. `report` None: no test report at all."""

    report: Report | None
    documents: int = 0
    problems: tuple[str, ...] = ()
    """Reports that could not be read, with the reason; the others count, but the run is incomplete."""


def worth_looking(artifact: Artifact) -> bool:
    """By name, or because looking is cheap."""
    return bool(_TELLING.search(artifact.name)) or artifact.size <= _SMALL


def peek_metadata(source: BinaryIO) -> Metadata | None:
    """Our action's note inside the archive, read before anything else; the position stays at the start."""
    head = source.read(4)
    source.seek(0)
    if not looks_like_zip(head):
        return None
    try:
        with zipfile.ZipFile(source) as archive:
            content = _metadata_content(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        return None
    finally:
        source.seek(0)
    return read_metadata(content) if content is not None else None


def _metadata_content(archive: zipfile.ZipFile) -> bytes | None:
    for entry in archive.infolist():
        if entry.filename.rsplit("/", 1)[-1] == METADATA and entry.file_size <= _METADATA_BYTES:
            with archive.open(entry) as content:
                return content.read(_METADATA_BYTES + 1)
    return None


def read_artifact(source: BinaryIO, *, name: str, variant: str, limits: Limits = DEFAULT) -> Reading:
    """Every test report in the artifact as one. Raises when the archive itself is unfit."""
    reports: list[Report] = []
    problems: list[str] = []
    for file, content in unpack(source, name=name, limits=limits):
        if file.rsplit("/", 1)[-1] == METADATA:
            continue
        try:
            report = _document(content, name=file, variant=variant, limits=limits)
        except FlakeGuardError as error:
            problems.append(error.message[:300])
        else:
            reports += [report] if report else []
    whole = combined(reports) if reports else None
    return Reading(whole, len(reports), tuple(problems))


def _document(content: BinaryIO, *, name: str, variant: str, limits: Limits) -> Report | None:
    head = content.read(_HEAD)
    content.seek(0)
    if is_test_xml(head):
        return read_report(content.read(), name=name, limits=limits, variant=variant)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}:
        return _json(content.read(), name=name, variant=variant, limits=limits)
    return None


def is_test_xml(head: bytes) -> bool:
    """True unless the document's root is one that test reports do not have (coverage, lint)."""
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not text.startswith(b"<"):
        return False
    root = _ROOT.search(_COMMENT.sub(b"", text))
    return root is None or root[1].lower() in _REPORT_ROOTS


def _json(data: bytes, *, name: str, variant: str, limits: Limits) -> Report | None:
    """A runner's own report; other JSON is somebody else's."""
    try:
        return read_report(data, name=name, limits=limits, variant=variant)
    except FlakeGuardError:
        return None
