"""Reports in the runners' own JSON: they hold the retries that JUnit XML leaves out."""

import json
from collections.abc import Callable, Iterator

from core.errors import TooLargeError
from core.junit.errors import ReportError
from core.junit.replay import Readable
from core.limits import Limits
from core.native import ctrf, gotest, jest, playwright
from core.native.found import Found
from core.native.values import Object, as_object

_CHUNK = 1 << 18
_READERS: tuple[tuple[Callable[[Object], bool], Callable[..., Found]], ...] = (
    (jest.recognise, jest.read),
    (playwright.recognise, playwright.read),
    (ctrf.recognise, ctrf.read),
)
_REMEDY = "Read are Jest, Vitest and Playwright JSON, CTRF and `go test -json`; and JUnit XML of every tool."


def looks_like_json(head: bytes) -> bool:
    """The first character tells."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def read_json(source: Readable, *, name: str, limits: Limits) -> Found:
    """What a JSON report says, whichever tool wrote it."""
    chunks = _chunks(source)
    head = next(chunks, b"").removeprefix(b"\xef\xbb\xbf")
    while b"\n" not in head and len(head) < limits.json_bytes and (more := next(chunks, b"")):
        head += more
    if gotest.recognise(head):
        return gotest.read(_chained(head, chunks), limits=limits)
    document = _parsed(_whole(head, chunks, name, limits), name)
    for recognise, read in _READERS:
        if recognise(document):
            return read(document, limits=limits)
    raise ReportError("this JSON is no test report that is known here", name=name, remedy=_REMEDY)


def _chunks(source: Readable) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


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


def _parsed(data: bytes, name: str) -> Object:
    try:
        document = json.loads(data.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        raise ReportError(
            f"the JSON is not well-formed ({error.msg})", name=name, line=error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportError("the JSON is nested too deep or holds an absurd number", name=name) from error
    found = as_object(document)
    if not found:
        raise ReportError("this JSON is no test report that is known here", name=name, remedy=_REMEDY)
    return found
