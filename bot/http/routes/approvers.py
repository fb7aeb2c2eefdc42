"""Who may decide in a project."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from bot.http.documented import LISTED, WRITE_PROBLEMS
from bot.http.face import API, Faced
from bot.http.paging import Paged
from bot.http.people import User
from bot.pages import roles_page
from bot.views import role_view
from core.tenancy import Role, Scope
from jobs.enroll import give_role, take_role

router = APIRouter(prefix=API, tags=["approvers"])


class Approver(BaseModel):
    """A person and a role."""

    model_config = ConfigDict(extra="forbid")

    user: User
    role: Role = Role.APPROVER


@router.get("/approvers", summary="Who may decide", operation_id="list_approvers", responses=LISTED)
async def approvers(request: Request, face: Faced, page: Paged) -> dict[str, Any]:
    """Everybody else is a viewer."""
    return await face.read(request, Scope.READ, lambda tx, caller: roles_page(tx, caller.here, page))


@router.post(
    "/approvers",
    summary="Give a person a role",
    operation_id="add_approver",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def add(request: Request, face: Faced, approver: Approver) -> dict[str, Any]:
    """Instead of any role the person had."""
    await face.act(
        request,
        Scope.ADMIN,
        lambda caller: give_role(face.desk, caller.here.id, approver.user, approver.role, by=caller.itself),
    )
    return role_view(approver.user, approver.role)


@router.delete(
    "/approvers/{user}",
    summary="Take a person's role",
    operation_id="remove_approver",
    status_code=204,
    responses=WRITE_PROBLEMS,
)
async def remove(
    request: Request, face: Faced, user: Annotated[str, Path(max_length=80, pattern=r"^[\w.@+-]+$")]
) -> Response:
    """From now on the person only looks."""
    await face.act(
        request,
        Scope.ADMIN,
        lambda caller: take_role(face.desk, caller.here.id, user, by=caller.itself),
    )
    return Response(status_code=204)
