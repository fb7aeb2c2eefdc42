"""Reports come in: JUnit XML and JSON reports, and summary-only runs."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from bot.http.auth import Caller
from bot.http.documented import BODY_OF_REPORTS, QUERY_OF_RUN, problems
from bot.http.face import API, Face, Faced
from bot.http.load import content_length
from bot.http.uploads import received
from bot.ingesting import ingest_uploads
from bot.intake import Upload
from bot.run_fields import read_run, read_time
from core.errors import UnsupportedMediaError, ValidationError
from core.limits import DEFAULT
from core.tenancy import Scope
from jobs.summarize import ingest_summary

router = APIRouter(prefix=API, tags=["ingestion"])

SMALL = 64 * 1024
"""A body this small is taken before the token is looked at: one trip to a thread instead of two."""


class Summary(BaseModel):
    """A run without a report: how it ended and how long it took."""

    model_config = ConfigDict(extra="forbid")

    run_id: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
    status: str = Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$", examples=["passed"])
    duration_ms: int | None = Field(default=None, ge=0, le=10**12)
    timestamp: str | None = Field(default=None, max_length=40, examples=["2026-01-31T12:00:00Z"])


@router.post(
    "/ingestion/junit",
    summary="Upload the reports of one run",
    operation_id="ingest_junit",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 429, 503),
    openapi_extra={"parameters": QUERY_OF_RUN, "requestBody": BODY_OF_REPORTS},
)
async def junit(request: Request, face: Faced) -> Response:
    """201 with counts and verdicts; 200 and `duplicate` for the same run again; 409 for other content."""
    length = content_length(request.scope)
    large = length is None or length > SMALL
    if large:
        await face.identify(request, Scope.INGEST_PR)
    try:
        async with received(request) as uploads:
            answer = await face.act(
                request, Scope.INGEST_PR, lambda caller: _ingest(face, request, caller, uploads)
            )
    except (UnsupportedMediaError, ValidationError):
        if not large:  # a stranger learns nothing of what is wrong with the body
            await face.identify(request, Scope.INGEST_PR)
        raise
    face.metrics.ingested.labels("junit", "duplicate" if answer["duplicate"] else "created").inc()
    _count_results(face, answer)
    return JSONResponse(answer, status_code=200 if answer["duplicate"] else 201)


@router.post(
    "/ingestion/runs",
    summary="Report a run without test results",
    operation_id="ingest_run",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 429, 503),
)
async def runs(request: Request, face: Faced, summary: Summary) -> Response:
    """201; 200 and `duplicate` for the same again; 409 when the run is stored with another content."""
    answer = await face.act(request, Scope.INGEST_PR, lambda caller: _ingest_summary(face, caller, summary))
    duplicate = bool(answer["duplicate"])
    face.metrics.ingested.labels("summary", "duplicate" if duplicate else "created").inc()
    return JSONResponse(answer, status_code=200 if duplicate else 201)


def _ingest(face: Face, request: Request, caller: Caller, uploads: list[Upload]) -> dict[str, Any]:
    project = caller.here
    scope = caller.token.scope if caller.token else Scope.ADMIN
    run = read_run({**request.query_params, **caller.bound}, project, scope, now=face.desk.now())
    wants_unmatched = request.query_params.get("gate") == "1"
    return ingest_uploads(face.desk, project, run, uploads, limits=DEFAULT, wants_unmatched=wants_unmatched)


def _ingest_summary(face: Face, caller: Caller, summary: Summary) -> dict[str, Any]:
    now = face.desk.now()
    at = read_time("timestamp", summary.timestamp, now=now) if summary.timestamp else None
    return ingest_summary(
        face.desk,
        caller.here.id,
        run_id=caller.bound.get("run_id", summary.run_id),
        status=summary.status,
        duration_ms=summary.duration_ms,
        at=at,
    )


def _count_results(face: Face, answer: dict[str, Any]) -> None:
    if not answer["duplicate"]:
        for outcome, count in answer["counts"].items():
            face.metrics.results.labels(outcome).inc(count)
