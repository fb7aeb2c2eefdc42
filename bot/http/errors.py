"""Errors as problem+json: a stable `type`, a sentence for people, a correlation id, and never a traceback."""

import json
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.http.correlation import correlation_id
from core.errors import DatabaseError, FlakeGuardError, ProcessingError, RateLimitError
from core.quarantine import RefusedError

log = structlog.get_logger(__name__)

STATUS: Mapping[str, int] = {
    "validation_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found": 404,
    "conflict": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "rate_limit_error": 429,
    "processing_error": 500,
    "github_api_error": 502,
    "slack_api_error": 502,
    "database_error": 503,
}
TITLES: Mapping[int, str] = {
    400: "The request is not valid",
    401: "Authentication is needed",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    408: "The request took too long to arrive",
    409: "Conflict with what is stored",
    413: "Too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Could not be processed",
    502: "Another service failed",
    503: "Not available right now",
}
_KINDS = {status: kind for kind, status in STATUS.items() if kind != "slack_api_error"} | {
    405: "validation_error"
}


class OverloadedError(ProcessingError):
    """The server is working on as much as it can; try again in a moment."""

    status: ClassVar[int] = 503
    retry_after: ClassVar[float] = 1


class SlowBodyError(ProcessingError):
    """The body of the request arrived too slowly."""

    status: ClassVar[int] = 408


def status_of(error: FlakeGuardError) -> int:
    """The HTTP status an error becomes."""
    return int(getattr(error, "status", STATUS.get(error.kind, 500)))


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem+json answer."""
    content = {
        **(extra or {}),
        "type": kind,
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "correlation_id": correlation_id(),
    }
    body = json.dumps(content, default=str, ensure_ascii=False).encode("utf-8", "replace")
    return Response(
        body, status_code=status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def problem_of(error: FlakeGuardError) -> Response:
    """Our own errors are sentences already; their details go along."""
    status = status_of(error)
    return problem(status, error.kind, error.message, extra=_details(error), headers=_headers(error, status))


def _details(error: FlakeGuardError) -> Mapping[str, Any]:
    """A database's own words may hold addresses and names; those go to the log only."""
    return {} if isinstance(error, DatabaseError) else error.details


def _headers(error: FlakeGuardError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == 401:  # noqa: PLR2004 - Unauthorized
        headers["WWW-Authenticate"] = 'Bearer realm="flakeguard"'
    if isinstance(error, RateLimitError | OverloadedError | DatabaseError):
        headers["Retry-After"] = str(max(1, math.ceil(getattr(error, "retry_after", 2))))
    if status in {408, 413}:
        # What is left of the body must not be read as the next request.
        headers["Connection"] = "close"
    return headers


def answer_errors(app: FastAPI) -> None:
    """Teach the application to answer every error as a problem."""
    app.add_exception_handler(FlakeGuardError, _on_our_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


async def _on_our_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FlakeGuardError)
    status = status_of(error)
    if status >= 500:  # noqa: PLR2004 - the server's own fault
        log.warning(
            "http.failed",
            kind=error.kind,
            error=error.message,
            details=error.details,
            cause=str(error.__cause__),
        )
    elif isinstance(error, RefusedError):
        log.info("http.refused", error=error.message)
    return problem_of(error)


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [{"field": _field(item["loc"]), "message": item["msg"]} for item in error.errors()]
    detail = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
    return problem(
        400, "validation_error", f"{detail}.", extra={"errors": faults, "field": faults[0]["field"]}
    )


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place if part not in {"body", "query", "path", "header"}) or "body"


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, FlakeGuardError):
        # FastAPI wraps whatever goes wrong while it reads a body.
        return await _on_our_error(request, error.__cause__)
    kind = _KINDS.get(error.status_code, "processing_error")
    detail = "There is nothing at this address." if error.status_code == 404 else str(error.detail)  # noqa: PLR2004
    return problem(error.status_code, kind, detail, headers=error.headers)
