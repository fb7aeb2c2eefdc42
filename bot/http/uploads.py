"""The body of an upload on its way into files: bounded memory, every part named."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import BinaryIO, cast

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from bot.intake import Upload, says_xml, sniff
from core.errors import UnsupportedMediaError, ValidationError
from core.limits import DEFAULT, MIB

IN_MEMORY = MIB
"""A larger body goes to a temporary file."""
CLAIMING = ("xml", "gzip", "application/zip", "json", "octet-stream")
"""Content types under which unreadable bytes are an unreadable report, not another kind of thing."""

REMEDY = (
    "Send the file as it is, to the same address with the same token: curl --data-binary @report.xml; "
    "several files: curl -F a=@a.xml -F b=@b.xml"
)


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[list[Upload]]:
    """The files of a request, open while the block runs."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaError(f"Content-Encoding {coding[:40]} is not read here; use gzip.")
    if kind == "multipart/form-data":
        form = await _form(request)
        try:
            yield _files(form)
        finally:
            await form.close()
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


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=DEFAULT.entries, max_fields=100)
    except HTTPException as error:
        raise ValidationError(f"{error.detail.rstrip('.')}. {REMEDY}", field="body") from error


def _files(form: FormData) -> list[Upload]:
    files = [_part(value) for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not files:
        raise ValidationError(f"The form holds no file. {REMEDY}", field="body")
    return files


def _part(part: UploadFile) -> Upload:
    return Upload(part.filename or "", part.file)


def _check_kind(kind: str, content: BinaryIO) -> None:
    """What the bytes are counts more than what the header says."""
    match sniff(content):
        case "empty":
            raise ValidationError("The body is empty; send a JUnit XML report.", field="body")
        case "unknown" if kind and not any(word in kind for word in CLAIMING) and not says_xml(content):
            raise UnsupportedMediaError(
                f"What was sent as {kind[:80]} is no report: JUnit XML, JSON reports, gzip and zip are read. {REMEDY}"
            )
