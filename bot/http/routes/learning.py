"""What a project's decisions have taught, and by which chances it is judged."""

from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from bot.http.documented import READ_PROBLEMS, WRITE_PROBLEMS
from bot.http.face import API, Faced
from bot.http.people import User
from core.tenancy import Scope
from jobs.learn import schooling, use_earlier, use_learnt, use_shipped

router = APIRouter(prefix=API, tags=["learning"])


class Chances(StrEnum):
    """Which chances to judge by."""

    LEARNT = "learnt"
    SHIPPED = "shipped"
    EARLIER = "earlier"


JOBS = {Chances.LEARNT: use_learnt, Chances.SHIPPED: use_shipped, Chances.EARLIER: use_earlier}


class Choice(BaseModel):
    """Who chooses what."""

    model_config = ConfigDict(extra="forbid")

    by: User
    use: Chances


@router.get(
    "/settings/learning",
    summary="What decisions have taught",
    operation_id="get_learning",
    responses=READ_PROBLEMS,
)
async def learning(request: Request, face: Faced) -> dict[str, Any]:
    """Shipped and learnt chances side by side, with the calibration of the shipped ones."""
    return await face.read(request, Scope.READ, lambda tx, caller: schooling(tx, caller.here).to_dict())


@router.put(
    "/settings/learning",
    summary="Choose the chances to judge by",
    operation_id="put_learning",
    responses=WRITE_PROBLEMS,
)
async def put(request: Request, face: Faced, choice: Choice) -> dict[str, Any]:
    """A new version of the policy, audited; `earlier` takes the last change back."""
    policy = await face.act(
        request,
        Scope.ADMIN,
        lambda caller: JOBS[choice.use](face.desk, caller.here.id, by=caller.person(choice.by)),
    )
    return {"in_force": "learnt" if policy.learnt else "shipped", "policy_version": policy.version}
