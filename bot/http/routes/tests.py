"""Tests, what is believed of them and why."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from bot.http.documented import LISTED, READ_PROBLEMS
from bot.http.face import API, Faced
from bot.http.paging import Paged, TestId
from bot.pages import changes_page, detected_page, history_page, one_test, page_of_tests
from core.tenancy import Scope
from core.verdict import TestState
from jobs.explain import explain_test
from storage.test_case import get_test

router = APIRouter(prefix=API, tags=["tests"])


@router.get("/tests", summary="Tests", operation_id="list_tests", responses=LISTED)
async def every(
    request: Request,
    face: Faced,
    page: Paged,
    state: TestState | None = None,
    search: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """All, those in one state (surest first), or those whose name holds a text."""
    return await face.read(
        request,
        Scope.READ,
        lambda tx, caller: page_of_tests(
            tx, caller.here, page, state=state.value if state else None, text=search.replace("\0", "")
        ),
    )


@router.get("/flaky", summary="Flaky tests, surest first", operation_id="list_flaky", responses=LISTED)
async def flaky(request: Request, face: Faced, page: Paged) -> dict[str, Any]:
    """The tests that fail without a defect in the code."""
    return await face.read(request, Scope.READ, lambda tx, caller: detected_page(tx, caller.here, page))


@router.get("/tests/{test_id}", summary="One test", operation_id="get_test", responses=READ_PROBLEMS)
async def one(request: Request, face: Faced, test_id: TestId) -> dict[str, Any]:
    """State, score, rate, owner and quarantine."""
    return await face.read(request, Scope.READ, lambda tx, caller: one_test(tx, caller.here, test_id))


@router.get(
    "/tests/{test_id}/history",
    summary="A test's executions",
    operation_id="test_history",
    responses=LISTED,
)
async def history(request: Request, face: Faced, test_id: TestId, page: Paged) -> dict[str, Any]:
    """Newest first; `total` is exact on the last page."""
    return await face.read(
        request, Scope.READ, lambda tx, caller: history_page(tx, caller.here, test_id, page)
    )


@router.get(
    "/tests/{test_id}/explain",
    summary="Why a test is believed flaky or not",
    operation_id="explain_test",
    responses=READ_PROBLEMS,
)
async def explain(request: Request, face: Faced, test_id: TestId) -> dict[str, Any]:
    """The evidence piece by piece, recomputed from what is stored."""
    now = face.desk.now()
    return await face.read(
        request,
        Scope.READ,
        lambda tx, caller: explain_test(tx, caller.here, get_test(tx, caller.here.id, test_id), now),
    )


@router.get("/detections", summary="Changes of verdict", operation_id="list_detections", responses=LISTED)
async def detections(
    request: Request,
    face: Faced,
    page: Paged,
    since: datetime | None = None,
    test_id: Annotated[int | None, Query(ge=1)] = None,
) -> dict[str, Any]:
    """Newest first."""
    return await face.read(
        request,
        Scope.READ,
        lambda tx, caller: changes_page(tx, caller.here, page, since=aware(since), test_id=test_id),
    )


def aware(at: datetime | None) -> datetime | None:
    """A time without an offset is taken for UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
