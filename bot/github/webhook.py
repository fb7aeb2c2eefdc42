"""POST /github/webhooks: verify the raw bytes, keep them durably, answer; the work is done later."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from bot.github.config import GitHubConfig
from bot.github.signature import verified
from core.errors import DatabaseError
from core.github.event import read_envelope, wanted
from jobs.desk import Desk
from jobs.receive import receive

log = structlog.get_logger()
T = TypeVar("T")

MAX_BODY = 25 * 2**20
"""GitHub never sends more."""
_INLINE = 2**20
"""Below this the signature costs less than handing the body to a thread."""


class Refusal(Exception):  # noqa: N818 - it refuses; nothing went wrong here
    """Why a delivery is not taken, as problem+json."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        """`kind` is the stable type every edge reports."""
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail

    def response(self) -> JSONResponse:
        """The answer."""
        content = {"type": self.kind, "title": self.kind, "status": self.status, "detail": self.detail}
        headers = {"Retry-After": "5"} if self.status == 503 else {}  # noqa: PLR2004 - Service Unavailable
        return JSONResponse(content, self.status, headers=headers, media_type="application/problem+json")


def webhook_router(desk: Desk, config: GitHubConfig) -> APIRouter:
    """`POST /github/webhooks`."""
    router = APIRouter()

    @router.post("/github/webhooks", status_code=202, tags=["github"])
    async def github_webhooks(request: Request) -> JSONResponse:
        """Take one webhook delivery of the GitHub App."""
        try:
            return JSONResponse(await _take(request, config, desk), 202)
        except Refusal as refusal:
            log.info("webhook.refused", status=refusal.status, reason=refusal.detail)
            return refusal.response()

    return router


async def _take(request: Request, config: GitHubConfig, desk: Desk) -> dict[str, Any]:
    if not config.secrets:
        raise Refusal(503, "github_api_error", "GITHUB_WEBHOOK_SECRET is not set, so nothing can be trusted.")
    body = await _raw_body(request)
    await _check_signature(request, body, config)
    event, guid = _check_headers(request)
    return await _off_loop(lambda: _file(desk, body, event, guid))


async def _raw_body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    too_large = Refusal(413, "payload_too_large", f"A delivery has at most {MAX_BODY} bytes.")
    if declared.isdecimal() and int(declared[:20]) > MAX_BODY:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large
    return bytes(body)


async def _check_signature(request: Request, body: bytes, config: GitHubConfig) -> None:
    # Starlette decodes headers as latin-1, so encoding gives the very bytes that were sent.
    header = request.headers.get("x-hub-signature-256", "").encode("latin-1")
    if not header:
        raise Refusal(401, "authentication_error", "X-Hub-Signature-256 is missing.")
    check = partial(verified, body, header, config.secrets)
    if not (check() if len(body) <= _INLINE else await _off_loop(check)):
        raise Refusal(401, "authentication_error", "X-Hub-Signature-256 does not fit the body.")


def _check_headers(request: Request) -> tuple[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "unsupported_media_type", "Set the webhook's content type to application/json.")
    event = request.headers.get("x-github-event", "").strip()
    guid = request.headers.get("x-github-delivery", "").strip()
    if not event or not guid:
        raise Refusal(400, "validation_error", "X-GitHub-Event and X-GitHub-Delivery are needed.")
    return event, guid


def _file(desk: Desk, body: bytes, event: str, guid: str) -> dict[str, Any]:
    payload = _parse(body)
    envelope = read_envelope(event, guid, payload)
    if not wanted(envelope, payload):
        # GitHub would redeliver what is refused, so what does not concern us is thanked for and forgotten.
        return {"status": "ignored", "delivery": envelope.guid}
    try:
        digest = hashlib.sha256(body).hexdigest()
        filed = receive(desk, envelope, digest=digest, body=body)
    except DatabaseError as error:
        raise Refusal(503, error.kind, error.message) from error
    return {"status": filed, "delivery": envelope.guid}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "validation_error", "The body is not JSON.") from error
    if not isinstance(payload, dict):
        raise Refusal(400, "validation_error", "The body is not a JSON object.")
    return payload


async def _off_loop(work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(work)
