"""The approval policy of a project."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.http.documented import READ_PROBLEMS, WRITE_PROBLEMS
from bot.http.face import API, Faced
from bot.http.people import User
from core.tenancy import Scope
from jobs.settings import change_policy
from storage.project import get_policy

router = APIRouter(prefix=API, tags=["policy"])


class PolicyChange(BaseModel):
    """What to change in which version; who changes it."""

    model_config = ConfigDict(extra="forbid")

    by: User
    version: int = Field(ge=1, le=2**31 - 1, description="The version this change starts from")
    changes: dict[str, Any] = Field(min_length=1, max_length=50, examples=[{"ttl_days": 7}])


@router.get("/settings/policy", summary="The policy", operation_id="get_policy", responses=READ_PROBLEMS)
async def policy(request: Request, face: Faced) -> dict[str, Any]:
    """The version in force."""
    return await face.read(request, Scope.READ, lambda tx, caller: get_policy(tx, caller.here.id).to_dict())


@router.put(
    "/settings/policy",
    summary="Change the policy",
    operation_id="put_policy",
    responses=WRITE_PROBLEMS,
)
async def put(request: Request, face: Faced, change: PolicyChange) -> dict[str, Any]:
    """409 when somebody else has changed it meanwhile."""
    policy = await face.act(
        request,
        Scope.ADMIN,
        lambda caller: change_policy(
            face.desk,
            caller.here.id,
            change.changes,
            expected_version=change.version,
            by=caller.person(change.by),
        ),
    )
    return policy.to_dict()
