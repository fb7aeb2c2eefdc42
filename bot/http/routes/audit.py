"""The audit log."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from bot.http.documented import LISTED
from bot.http.face import API, Faced
from bot.http.paging import Paged
from bot.pages import audit_page
from core.tenancy import Scope

router = APIRouter(prefix=API, tags=["audit"])


@router.get("/audit", summary="Audit events, newest first", operation_id="list_audit", responses=LISTED)
async def audit(
    request: Request,
    face: Faced,
    page: Paged,
    subject: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
) -> dict[str, Any]:
    """Of one subject (`q-17`, `token-3`) when given; each event carries its place in the hash chain."""
    return await face.read(
        request, Scope.READ, lambda tx, caller: audit_page(tx, caller.here, page, subject=subject)
    )
