"""Organizations and projects: the server's own business, done with its admin token."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from bot.http.auth import SERVER
from bot.http.documented import LISTED, WRITE_PROBLEMS
from bot.http.face import API, Faced
from bot.http.paging import Paged
from bot.pages import projects_page
from bot.views import organization_view, project_view
from core.tenancy import Person, Via
from jobs.enroll import DEFAULT_ORGANIZATION, enroll_organization, enroll_project

router = APIRouter(prefix=API, tags=["tenants"])

Name = Annotated[str, Field(min_length=1, max_length=100)]
SERVER_ADMIN = Person(user=SERVER, via=Via.API)


class NewOrganization(BaseModel):
    """A tenant."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class NewProject(BaseModel):
    """A repository."""

    model_config = ConfigDict(extra="forbid")

    repo: Annotated[str, Field(min_length=3, max_length=201, examples=["acme/shop"])]
    org: Annotated[Name, Field(validation_alias=AliasChoices("org", "organization"))] = DEFAULT_ORGANIZATION
    default_branch: Annotated[str, Field(min_length=1, max_length=200)] = "main"
    github_id: Annotated[int, Field(ge=1, le=2**53)] | None = None


@router.post(
    "/orgs",
    summary="Create an organization",
    operation_id="create_organization",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def organization(request: Request, face: Faced, new: NewOrganization) -> dict[str, Any]:
    """One that exists already is answered as it is."""
    made = await face.act_as_server(
        request, lambda _caller: enroll_organization(face.desk, new.name, by=SERVER_ADMIN)
    )
    return organization_view(made)


@router.post(
    "/projects",
    summary="Create a project",
    operation_id="create_project",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def project(request: Request, face: Faced, new: NewProject) -> dict[str, Any]:
    """409 when the organization has it already."""
    made = await face.act_as_server(
        request,
        lambda _caller: enroll_project(
            face.desk,
            new.repo,
            by=SERVER_ADMIN,
            organization=new.org,
            default_branch=new.default_branch,
            github_id=new.github_id,
        ),
    )
    return project_view(made)


@router.get("/projects", summary="Projects", operation_id="list_projects", responses=LISTED)
async def projects(request: Request, face: Faced, page: Paged) -> dict[str, Any]:
    """Every project of the server, by name."""
    return await face.read_as_server(request, lambda tx: projects_page(tx, page))
