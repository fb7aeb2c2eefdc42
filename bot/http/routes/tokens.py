"""API tokens: made, listed, revoked. The raw token is shown once."""

import secrets
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bot.http.auth import Caller
from bot.http.documented import LISTED, WRITE_PROBLEMS
from bot.http.face import API, Face, Faced
from bot.http.paging import MAX_ID, Paged
from bot.pages import project_named, tokens_page
from bot.views import token_view
from core.errors import NotFoundError
from core.tenancy import Project, Scope
from jobs.enroll import IssuedToken, issue_token, withdraw_token
from storage.token import list_tokens

router = APIRouter(prefix=API, tags=["tokens"])


class NewToken(BaseModel):
    """For which project, to do what, until when."""

    model_config = ConfigDict(extra="forbid")

    project: Annotated[
        str,
        Field(
            max_length=201,
            description="OWNER/NAME; not needed with a project's token",
            validation_alias=AliasChoices("project", "repo"),
        ),
    ] = ""
    scope: Scope
    name: Annotated[str, Field(max_length=100)] = ""
    expires_days: Annotated[int, Field(ge=1, le=3660)] | None = None


@router.post(
    "/tokens",
    summary="Make a token",
    operation_id="create_token",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def create(request: Request, face: Faced, new: NewToken) -> dict[str, Any]:
    """By the server's admin token, or by a project's admin token for that very project."""
    issued = await face.act(request, Scope.ADMIN, lambda caller: _issue(face, caller, new))
    return {"token": issued.raw, **token_view(issued.token)}


@router.get("/tokens", summary="Tokens of the project", operation_id="list_tokens", responses=LISTED)
async def tokens(request: Request, face: Faced, page: Paged) -> dict[str, Any]:
    """Without their secrets, which nobody knows any more."""
    return await face.read(request, Scope.ADMIN, lambda tx, caller: tokens_page(tx, caller.here, page))


@router.delete(
    "/tokens/{token_id}",
    summary="Revoke a token",
    operation_id="revoke_token",
    status_code=204,
    responses=WRITE_PROBLEMS,
)
async def revoke(request: Request, face: Faced, token_id: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """At once; a revoked token stays revoked."""
    await face.act(request, Scope.ADMIN, lambda caller: _revoke(face, caller, token_id))
    return Response(status_code=204)


def _issue(face: Face, caller: Caller, new: NewToken) -> IssuedToken:
    return issue_token(
        face.desk,
        _project(face, caller, new.project).id,
        new.scope,
        by=caller.itself,
        randomness=secrets.token_bytes(32),
        name=new.name,
        lifetime=timedelta(days=new.expires_days) if new.expires_days else None,
    )


def _project(face: Face, caller: Caller, repo: str) -> Project:
    if not repo:
        return caller.here
    if caller.token is None:
        with face.desk.database.read() as tx:
            return project_named(tx, repo)
    if repo.lower() != caller.here.repo.lower():
        raise NotFoundError("There is no such project.")
    return caller.here


def _revoke(face: Face, caller: Caller, token_id: int) -> None:
    """A project's token sees its own project's tokens only; any other is missing."""
    if caller.token is not None:
        with face.desk.database.read() as tx:
            mine = {token.id for token in list_tokens(tx, caller.here.id)}
        if token_id not in mine:
            raise NotFoundError("There is no such token.")
    withdraw_token(face.desk, token_id, by=caller.itself)
