"""Outgoing webhooks: endpoints made, changed, tried, switched off and on, removed; and what was sent to them."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from bot.http.auth import Caller
from bot.http.documented import LISTED, READ_PROBLEMS, WRITE_PROBLEMS
from bot.http.face import API, Face, Faced
from bot.http.paging import MAX_ID, Paged
from bot.pages import endpoint_page, endpoints_page, messages_page
from bot.views import View, endpoint_view
from bot.webhooks.making import create, rotate
from bot.webhooks.reach import reach
from core.errors import NotFoundError, ValidationError
from core.tenancy import Scope
from core.webhook import CHOICES, MEANINGS
from jobs import connect
from jobs.connect import Listener
from storage.organization import find_organization

router = APIRouter(prefix=API, tags=["webhooks"])

EndpointId = Annotated[int, Path(ge=1, le=MAX_ID, description="As the list shows it")]
Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://hooks.example.com/flakeguard"])]
Events = Annotated[
    list[Annotated[str, Field(max_length=60)]],
    Field(
        max_length=50,
        description="Types, or groups as `quarantine.*`; none means every event. "
        + " ".join(f"`{one}`: {MEANINGS[one]}." for one in CHOICES),
        examples=[["test.flagged", "quarantine.*"]],
    ),
]
Description = Annotated[str, Field(max_length=200)]
MessageChoice = Annotated[Literal["pending", "delivered", "failed"] | None, Query()]


class NewEndpoint(BaseModel):
    """Where to send, and what."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    events: Events = []
    description: Description = ""
    org: Annotated[
        str, Field(max_length=100, description="Hear of a whole organization; with the server's token only")
    ] = ""


class EndpointChange(BaseModel):
    """What is not given stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None


class Rotation(BaseModel):
    """For how long the old secret signs beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24


@router.post(
    "/webhooks",
    summary="Create a webhook",
    operation_id="create_webhook",
    status_code=201,
    responses=WRITE_PROBLEMS,
)
async def add(request: Request, face: Faced, new: NewEndpoint) -> dict[str, Any]:
    """The secret is shown in this answer and never again."""

    def work(caller: Caller) -> View:
        made, secret = create(
            face.desk,
            face.settings,
            _listener(face, caller, new.org),
            new.url,
            by=caller.itself,
            events=new.events,
            description=new.description,
        )
        return {"secret": secret, **endpoint_view(made)}

    return await face.act(request, Scope.ADMIN, work)


@router.get("/webhooks", summary="Webhooks", operation_id="list_webhooks", responses=LISTED)
async def endpoints(request: Request, face: Faced, page: Paged) -> dict[str, Any]:
    """Of the project; with the server's token and no project, of the whole server."""
    return await face.read(
        request, Scope.ADMIN, lambda tx, caller: endpoints_page(tx, page, project_id=_bounds(caller))
    )


@router.get(
    "/webhooks/{endpoint_id}", summary="A webhook", operation_id="get_webhook", responses=READ_PROBLEMS
)
async def endpoint(request: Request, face: Faced, endpoint_id: EndpointId) -> dict[str, Any]:
    """How it is, and what waits for it."""
    return await face.read(
        request, Scope.ADMIN, lambda tx, caller: endpoint_page(tx, endpoint_id, project_id=_bounds(caller))
    )


@router.patch(
    "/webhooks/{endpoint_id}",
    summary="Change a webhook",
    operation_id="change_webhook",
    responses=WRITE_PROBLEMS,
)
async def change(
    request: Request, face: Faced, endpoint_id: EndpointId, change: EndpointChange
) -> dict[str, Any]:
    """Its address, its choice of events, its description."""

    def work(caller: Caller) -> View:
        changed = connect.change_endpoint(
            face.desk,
            endpoint_id,
            reach=reach(face.settings),
            by=caller.itself,
            url=change.url,
            events=change.events,
            description=change.description,
            project_id=_bounds(caller),
        )
        return endpoint_view(changed)

    return await face.act(request, Scope.ADMIN, work)


@router.delete(
    "/webhooks/{endpoint_id}",
    summary="Delete a webhook",
    operation_id="delete_webhook",
    status_code=204,
    responses=WRITE_PROBLEMS,
)
async def remove(request: Request, face: Faced, endpoint_id: EndpointId) -> Response:
    """With its secret and everything that waits for it."""
    await face.act(
        request,
        Scope.ADMIN,
        lambda caller: connect.remove_endpoint(
            face.desk, endpoint_id, by=caller.itself, project_id=_bounds(caller)
        ),
    )
    return Response(status_code=204)


@router.post(
    "/webhooks/{endpoint_id}/disable",
    summary="Send nothing for now",
    operation_id="disable_webhook",
    responses=WRITE_PROBLEMS,
)
async def disable(request: Request, face: Faced, endpoint_id: EndpointId) -> dict[str, Any]:
    """What happens meanwhile is not sent later; what waits already is."""
    return await face.act(
        request,
        Scope.ADMIN,
        lambda caller: endpoint_view(
            connect.switch_off(face.desk, endpoint_id, by=caller.itself, project_id=_bounds(caller))
        ),
    )


@router.post(
    "/webhooks/{endpoint_id}/enable",
    summary="Send again",
    operation_id="enable_webhook",
    responses=WRITE_PROBLEMS,
)
async def enable(request: Request, face: Faced, endpoint_id: EndpointId) -> dict[str, Any]:
    """Whoever switched it off: a person, its 410, or days of failures."""
    return await face.act(
        request,
        Scope.ADMIN,
        lambda caller: endpoint_view(
            connect.switch_on(face.desk, endpoint_id, by=caller.itself, project_id=_bounds(caller))
        ),
    )


@router.post(
    "/webhooks/{endpoint_id}/rotate",
    summary="A new secret",
    operation_id="rotate_webhook_secret",
    responses=WRITE_PROBLEMS,
)
async def new_secret(
    request: Request, face: Faced, endpoint_id: EndpointId, rotation: Rotation | None = None
) -> dict[str, Any]:
    """Shown once. For a while the old one signs too, so that the receiver can change without a gap."""

    def work(caller: Caller) -> View:
        made, secret = rotate(
            face.desk,
            face.settings,
            endpoint_id,
            by=caller.itself,
            overlap=timedelta(hours=(rotation or Rotation()).overlap_hours),
            project_id=_bounds(caller),
        )
        return {"secret": secret, **endpoint_view(made)}

    return await face.act(request, Scope.ADMIN, work)


@router.post(
    "/webhooks/{endpoint_id}/test",
    summary="Send a test event",
    operation_id="test_webhook",
    status_code=202,
    responses=WRITE_PROBLEMS,
)
async def test(request: Request, face: Faced, endpoint_id: EndpointId) -> dict[str, Any]:
    """It is on its way; the list of messages tells how that ended."""
    key = await face.act(
        request,
        Scope.ADMIN,
        lambda caller: connect.send_test(
            face.desk, endpoint_id, by=caller.itself, project_id=_bounds(caller)
        ),
    )
    return {"message_id": key}


test.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for one


@router.post(
    "/webhooks/{endpoint_id}/retry",
    summary="Send again what has not arrived",
    operation_id="retry_webhook",
    status_code=202,
    responses=WRITE_PROBLEMS,
)
async def retry(request: Request, face: Faced, endpoint_id: EndpointId) -> dict[str, Any]:
    """At once, under the ids the messages had; those given up too."""
    count = await face.act(
        request,
        Scope.ADMIN,
        lambda caller: connect.send_again(
            face.desk, endpoint_id, by=caller.itself, project_id=_bounds(caller)
        ),
    )
    return {"messages": count}


@router.get(
    "/webhooks/{endpoint_id}/messages",
    summary="What was sent, newest first",
    operation_id="list_webhook_messages",
    responses=LISTED,
)
async def messages(
    request: Request, face: Faced, endpoint_id: EndpointId, page: Paged, state: MessageChoice = None
) -> dict[str, Any]:
    """With the last answer to each; kept for thirty days."""
    return await face.read(
        request,
        Scope.ADMIN,
        lambda tx, caller: messages_page(tx, endpoint_id, page, project_id=_bounds(caller), state=state),
    )


def _bounds(caller: Caller) -> int | None:
    """A project sees its own endpoints only; whoever runs the server sees all."""
    return caller.project.id if caller.project else None


def _listener(face: Face, caller: Caller, org: str) -> Listener:
    if not org:
        project = caller.here
        return Listener(project.organization_id, project.id)
    if caller.token is not None:
        raise ValidationError("A project's token makes webhooks for its project; leave org out.", field="org")
    with face.desk.database.read() as tx:
        tenant = find_organization(tx, org)
    if tenant is None:
        raise NotFoundError("There is no such organization.")
    return Listener(tenant.id)
