"""Alive, ready, deep, and the metrics: how this process and what it needs are doing."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

import anyio
import anyio.to_thread
import structlog
from fastapi import APIRouter, Depends, Request, Response

from bot.http.backlog import check_waiting, waiting
from bot.http.face import Face, Faced
from core.errors import DatabaseError, FlakeGuardError

log = structlog.get_logger(__name__)

PATIENCE = 2.5
"""Seconds the database has to answer; a hanging one must show as not ready, too."""
DeepCheck = Callable[[], str]
"""Asked by /health/deep: a sentence when all is well, any exception when not."""


router = APIRouter(tags=["health"])


async def _checks(request: Request) -> Mapping[str, DeepCheck]:
    return cast("Mapping[str, DeepCheck]", request.app.state.checks)


Checks = Annotated[Mapping[str, DeepCheck], Depends(_checks)]
"""What the application that was asked looks at beside its database and its backlog."""


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Alive", operation_id="health")
async def alive() -> dict[str, str]:
    """200 as long as this process answers at all; what it needs may be down."""
    return {"status": "ok"}


@router.head("/health/ready", include_in_schema=False)
@router.get("/health/ready", summary="Ready", operation_id="ready")
async def ready(face: Faced, response: Response) -> dict[str, Any]:
    """200 when requests can be worked on, 503 when the database does not answer."""
    database = await check_database(face)
    if not database["ok"]:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return {"status": "ok" if database["ok"] else "unavailable", "database": database}


@router.get("/health/deep", summary="Everything it needs", operation_id="deep")
async def deep(face: Faced, checks: Checks, response: Response) -> dict[str, Any]:
    """Database, Slack, GitHub, scheduler, backlog and disk, each with what is wrong with it."""
    found = {"database": await check_database(face)}
    everything = {"backlog": lambda: check_waiting(face.desk), **checks}
    for name, check in everything.items():
        found[name] = await run_check(face, check)
    ok = all(item["ok"] for item in found.values())
    response.status_code = 200 if ok else 503
    return {"status": "ok" if ok else "degraded", **found}


@router.get("/metrics", summary="Prometheus metrics", operation_id="metrics", response_class=Response)
async def metrics(face: Faced) -> Response:
    """Requests, durations, ingestions, backlog."""
    text = await face.work(lambda: _exposition(face))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _exposition(face: Face) -> bytes:
    """The counters of this process, and the backlog as the database has it; without one, as last seen."""
    try:
        for kind, one in waiting(face.desk).items():
            face.metrics.backlog.labels(kind).set(one.count)
            face.metrics.backlog_age.labels(kind).set(one.seconds)
    except DatabaseError:
        log.warning("metrics.without_database")
    return face.metrics.text()


async def check_database(face: Face) -> dict[str, Any]:
    """Whether it answers in time, and how fast."""
    began = time.perf_counter()
    # In a thread of its own: those of the workers may all be waiting for this very database.
    with anyio.move_on_after(PATIENCE) as deadline:
        try:
            await anyio.to_thread.run_sync(
                face.desk.database.ping, limiter=anyio.CapacityLimiter(1), abandon_on_cancel=True
            )
        except DatabaseError as error:
            return {"ok": False, "detail": error.message}
    if deadline.cancelled_caught:
        return {"ok": False, "detail": f"no answer within {PATIENCE} seconds"}
    return {"ok": True, "ms": round((time.perf_counter() - began) * 1000, 1)}


async def run_check(face: Face, check: DeepCheck) -> dict[str, Any]:
    """One deep check; what it raises is its answer."""
    try:
        return {"ok": True, "detail": await face.work(check)}
    except FlakeGuardError as error:
        return {"ok": False, "detail": error.message}
    except Exception as error:  # noqa: BLE001 - the outermost loop of a check: any failure is its finding
        log.warning("health.failed", error=str(error))
        return {"ok": False, "detail": type(error).__name__}
