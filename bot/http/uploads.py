"""The body of an upload on its way into files: bounded memory, every part named."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import BinaryIO, cast

from fastapi import Request
from starlette.datastructures import UploadFile

from bot.intake import Upload, sniff
from core.errors import UnsupportedMediaError, ValidationError
from core.limits import DEFAULT, MIB

IN_MEMORY = MIB
"""A larger body goes to a temporary file."""
CLAIMING = ("xml", "gzip", "application/zip", "json", "octet-stream")
"""Content types under which unreadable bytes are an unreadable report, not another kind of thing."""


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[list[Upload]]:
    """The files of a request, open while the block runs."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaError(f"Content-Encoding {coding[:40]} is not read here; use gzip.")
    if kind == "multipart/form-data":
        async with request.form(max_files=DEFAULT.entries, max_fields=100) as form:
            files = [_part(value) for _, value in form.multi_items() if isinstance(value, UploadFile)]
            if not files:
                raise ValidationError("The form holds no file.", field="body")
            yield files
        return
    with ExitStack() as stack:
        content = stack.enter_context(_file())
        async for chunk in request.stream():
            content.write(chunk)
        content.seek(0)
        _check_kind(kind, content)
        yield [Upload("", content)]


def _file() -> BinaryIO:
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))


def _part(part: UploadFile) -> Upload:
    return Upload(part.filename or "", part.file)


def _check_kind(kind: str, content: BinaryIO) -> None:
    """What the bytes are counts more than what the header says."""
    match sniff(content):
        case "empty":
            raise ValidationError("The body is empty; send a JUnit XML report.", field="body")
        case "unknown" if kind and not any(word in kind for word in CLAIMING):
            raise UnsupportedMediaError(
                f"{kind[:80]} is not read here; send JUnit XML, a JSON report, gzip, zip or multipart/form-data."
            )
