"""Which projects somebody may see. Whatever a button says, this is asked of the verified visitor."""

from collections.abc import Sequence

from bot.slack.visit import Visitor
from core.errors import NotFoundError
from core.quarantine import Quarantine, parse_handle
from core.tenancy import Project
from storage.database import Tx
from storage.project import get_project, list_projects
from storage.quarantine import get_quarantine
from storage.sample import sample_of, samples
from storage.slack import subscriptions_in


def projects_of(tx: Tx, visitor: Visitor) -> Sequence[Project]:
    """The projects of the workspace's organization, or all where there is one workspace; one's sample last."""
    hidden, own = samples(tx), sample_for(tx, visitor)
    seen = [one for one in list_projects(tx, visitor.workspace.organization_id) if one.id not in hidden]
    return seen if own is None else [*seen, get_project(tx, own)]


def project_of(tx: Tx, visitor: Visitor, project_id: int) -> Project:
    """One project; foreign is missing."""
    if project_id == sample_for(tx, visitor):
        return get_project(tx, project_id)
    project = get_project(tx, project_id)
    ours = visitor.workspace.organization_id in {None, project.organization_id}
    if not ours or project.id in samples(tx):
        raise NotFoundError("There is no such repository here.")
    return project


def sample_for(tx: Tx, visitor: Visitor) -> int | None:
    """The sample project that only this person sees."""
    return sample_of(tx, team=visitor.workspace.team, user=visitor.visit.user)


def quarantine_of(tx: Tx, visitor: Visitor, handle: str) -> tuple[Quarantine, Project]:
    """The quarantine a button is about; foreign is missing."""
    quarantine_id, _version = parse_handle(handle)
    quarantine = get_quarantine(tx, None, quarantine_id)
    try:
        project = project_of(tx, visitor, quarantine.project_id)
    except NotFoundError as error:
        raise NotFoundError(f"There is no quarantine q-{quarantine_id}.") from error
    return quarantine, project


def likely_project(tx: Tx, visitor: Visitor) -> Project | None:
    """The project meant when none is named: the only one, or the only one this channel hears about."""
    projects = projects_of(tx, visitor)
    if len(projects) == 1:
        return projects[0]
    routes = subscriptions_in(tx, team=visitor.workspace.route_team, channel=visitor.visit.channel)
    heard = [project for project in projects if project.id in {route.project_id for route in routes}]
    return heard[0] if len(heard) == 1 else None
