"""Proposals to quarantine: asked for, approved, denied - by the same jobs as the buttons in Slack."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from bot.http.auth import Caller
from bot.http.documented import LISTED, WRITE_PROBLEMS
from bot.http.face import API, Face, Faced
from bot.http.paging import Paged, ProposalId
from bot.http.people import Decision, Denial, Proposal, decided, told
from bot.pages import proposals_page
from core.quarantine import Quarantine, State
from core.tenancy import Scope
from jobs.decide import approve, deny
from jobs.propose import propose

router = APIRouter(prefix=API, tags=["proposals"])


@router.get(
    "/proposals",
    summary="Proposals and what became of them, newest first",
    operation_id="list_proposals",
    responses=LISTED,
)
async def proposals(
    request: Request, face: Faced, page: Paged, state: Annotated[list[State] | None, Query()] = None
) -> dict[str, Any]:
    """In any of the states given."""
    return await face.read(
        request, Scope.READ, lambda tx, caller: proposals_page(tx, caller.here, page, states=state or ())
    )


@router.post(
    "/proposals",
    summary="Propose to quarantine a test",
    operation_id="propose",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def new(request: Request, face: Faced, proposal: Proposal) -> dict[str, Any]:
    """Refused for a broken test: quarantine would hide a real defect."""
    return await face.act(request, Scope.ADMIN, lambda caller: told(face, _proposed(face, caller, proposal)))


def _proposed(face: Face, caller: Caller, proposal: Proposal) -> Quarantine:
    return propose(
        face.desk,
        project_id=caller.here.id,
        test_id=proposal.test_id,
        by=caller.person(proposal.by),
        reason=proposal.reason,
        ttl_days=proposal.days,
    )


@router.post(
    "/proposals/{proposal_id}/approve",
    summary="Approve a proposal",
    operation_id="approve_proposal",
    responses=WRITE_PROBLEMS,
)
async def approve_one(
    request: Request, face: Faced, proposal_id: ProposalId, decision: Decision
) -> dict[str, Any]:
    """With the last approval needed the test is in quarantine."""
    return await decided(face, request, proposal_id, decision, approve)


@router.post(
    "/proposals/{proposal_id}/deny",
    summary="Deny a proposal",
    operation_id="deny_proposal",
    responses=WRITE_PROBLEMS,
)
async def deny_one(request: Request, face: Faced, proposal_id: ProposalId, denial: Denial) -> dict[str, Any]:
    """A reason is needed; the test is not proposed again for a while."""
    how = partial(deny, reason=denial.reason, cooldown_days=denial.cooldown_days, real_bug=denial.real_bug)
    return await decided(face, request, proposal_id, denial, how)
