"""Stored runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from bot.http.documented import LISTED
from bot.http.face import API, Faced
from bot.http.paging import Paged
from bot.pages import runs_page
from core.tenancy import Scope

router = APIRouter(prefix=API, tags=["runs"])


@router.get("/runs", summary="Runs, newest first", operation_id="list_runs", responses=LISTED)
async def runs(
    request: Request, face: Faced, page: Paged, branch: Annotated[str | None, Query(max_length=255)] = None
) -> dict[str, Any]:
    """Of one branch when given."""
    return await face.read(
        request, Scope.READ, lambda tx, caller: runs_page(tx, caller.here, page, branch=branch)
    )
