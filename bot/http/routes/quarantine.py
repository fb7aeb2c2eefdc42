"""The list that CI obeys, and ending or renewing what is on it."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from starlette.responses import JSONResponse

from bot.http.documented import LISTED, WRITE_PROBLEMS
from bot.http.face import API, Faced
from bot.http.paging import Paged, ProposalId
from bot.http.people import Decision, Renewal, decided
from bot.pages import quarantine_page
from jobs.decide import extend, release

router = APIRouter(prefix=API, tags=["quarantine"])


@router.get(
    "/quarantine",
    summary="Tests in quarantine now",
    operation_id="list_quarantine",
    responses={
        **LISTED,
        304: {"description": "Nothing has changed since the ETag given in If-None-Match"},
    },
)
async def quarantine(
    request: Request, face: Faced, page: Paged, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Any token of the project may read it: CI has an ingestion token and nothing else."""
    tag, items = await face.read_by_any(request, lambda tx, caller: quarantine_page(tx, caller.here, page))
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if if_none_match and tag in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}:
        return Response(status_code=304, headers=headers)
    return JSONResponse(items, headers=headers)


@router.post(
    "/quarantine/{proposal_id}/release",
    summary="The test blocks merges again",
    operation_id="release_quarantine",
    responses=WRITE_PROBLEMS,
)
async def release_one(
    request: Request, face: Faced, proposal_id: ProposalId, decision: Decision
) -> dict[str, Any]:
    """The policy applies to the person in `by`."""
    return await decided(face, request, proposal_id, decision, partial(release, reason=decision.reason))


@router.post(
    "/quarantine/{proposal_id}/extend",
    summary="The quarantine goes on",
    operation_id="extend_quarantine",
    responses=WRITE_PROBLEMS,
)
async def extend_one(
    request: Request, face: Faced, proposal_id: ProposalId, renewal: Renewal
) -> dict[str, Any]:
    """For `days` from now; a reason is needed, and the policy limits how often."""
    how = partial(extend, reason=renewal.reason, days=renewal.days)
    return await decided(face, request, proposal_id, renewal, how)
