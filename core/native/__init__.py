"""Reports in the runners' own JSON: they hold the retries that JUnit XML leaves out."""

import json
import re
from collections.abc import Callable, Iterator

from core.errors import TooLargeError
from core.junit.encoding import Utf8
from core.junit.errors import ReportError
from core.junit.replay import InMemory, Readable
from core.limits import Limits
from core.native import ctrf, cucumber, gotest, jest, mocha, playwright
from core.native.found import Found
from core.native.values import Object, as_object

_OPENED = re.compile(rb"\A\s*\[|^[ \t]*\{", re.MULTILINE)
_XML = re.compile(rb"^\s*<(?:\?xml|(?:\w+:)?test(?:suites?|case))\b", re.MULTILINE)
_LOOSE = "text around the report was ignored"
_READERS: tuple[tuple[Callable[[Object], bool], Callable[..., Found]], ...] = (
    (jest.recognise, jest.read),
    (playwright.recognise, playwright.read),
    (ctrf.recognise, ctrf.read),
    (mocha.recognise, mocha.read),
)
_STREAMS: tuple[tuple[Callable[[bytes], bool], Callable[..., Found]], ...] = (
    (gotest.recognise, gotest.read),
    (cucumber.recognise, cucumber.read),
)
_REMEDY = (
    "Read are the JSON of Jest, Vitest, Playwright and Mocha, CTRF, Cucumber Messages and `go test -json`; "
    "and JUnit XML of every tool."
)


def looks_like_json(head: bytes) -> bool:
    """A line begins with a brace before any tag opens; what is in front of it a package manager may have printed."""
    text = b"".join(Utf8(InMemory(head)))
    if _XML.search(text):
        return False
    return _OPENED.search(text.partition(b"<")[0]) is not None


def read_json(source: Readable, *, name: str, limits: Limits) -> Found:
    """What a JSON report says, whichever tool wrote it, in whatever encoding a shell has put it into the file."""
    text = Utf8(source)
    found = _read(iter(text), name, limits)
    found.warnings.extend(text.warnings)
    return found


def _read(chunks: Iterator[bytes], name: str, limits: Limits) -> Found:
    head = next(chunks, b"")
    while not _whole_line(head) and len(head) < limits.json_bytes and (more := next(chunks, b"")):
        head += more
    for recognise_stream, read_stream in _STREAMS:
        if recognise_stream(head):
            return read_stream(_chained(head, chunks), limits=limits)
    document, loose = _parsed(_whole(head, chunks, name, limits), name)
    for recognise, read in _READERS:
        if recognise(document):
            found = read(document, limits=limits)
            found.warnings.extend([_LOOSE] if loose else [])
            return found
    raise ReportError("this JSON is no test report that is known here", name=name, remedy=_REMEDY)


def _whole_line(head: bytes) -> bool:
    """The line that opens the document is here to its end."""
    opened = _OPENED.search(head)
    return opened is not None and b"\n" in head[opened.end() :]


def _chained(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _whole(head: bytes, chunks: Iterator[bytes], name: str, limits: Limits) -> bytes:
    parts = [head]
    size = len(head)
    for chunk in chunks:
        size += len(chunk)
        if size > limits.json_bytes:
            raise TooLargeError(
                f"{name or 'the report'}: a JSON report may have {limits.json_bytes >> 20} MiB. "
                "Send JUnit XML instead."
            )
        parts.append(chunk)
    return b"".join(parts)


def _parsed(data: bytes, name: str) -> tuple[Object, bool]:
    """The document, and whether there is loose text around it."""
    text = data.decode("utf-8", "replace")
    opened = _OPENED.search(data)
    start = len(data[: opened.end() - 1].decode("utf-8", "replace")) if opened else 0
    try:
        document, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise ReportError(
            f"the JSON is not well-formed ({error.msg})", name=name, line=error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError("the JSON is nested too deep or holds an absurd number", name=name) from error
    behind = text[end:]
    if "{" in behind or "[" in behind:
        raise ReportError(
            "more follows after the end of the JSON report",
            name=name,
            line=text.count("\n", 0, end) + 1,
            remedy="Send each document by itself.",
        )
    found = as_object(document)
    if not found:
        raise ReportError("this JSON is no test report that is known here", name=name, remedy=_REMEDY)
    return found, bool(text[:start].strip() or behind.strip())
