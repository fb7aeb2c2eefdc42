"""Which projects a workspace may see. Whatever a button says, this is asked of the verified workspace."""

from collections.abc import Sequence

from bot.slack.workspaces import Workspace
from core.errors import NotFoundError
from core.quarantine import Quarantine, parse_handle
from core.tenancy import Project
from storage.database import Tx
from storage.project import get_project, list_projects
from storage.quarantine import get_quarantine
from storage.slack import subscriptions_in


def projects_of(tx: Tx, workspace: Workspace) -> Sequence[Project]:
    """Every project of the workspace's organization, or all of them where there is one workspace only."""
    return list_projects(tx, workspace.organization_id)


def project_of(tx: Tx, workspace: Workspace, project_id: int) -> Project:
    """One project; foreign is missing."""
    project = get_project(tx, project_id)
    if workspace.organization_id not in {None, project.organization_id}:
        raise NotFoundError("There is no such repository here.")
    return project


def quarantine_of(tx: Tx, workspace: Workspace, handle: str) -> tuple[Quarantine, Project]:
    """The quarantine a button is about; foreign is missing."""
    quarantine_id, _version = parse_handle(handle)
    quarantine = get_quarantine(tx, None, quarantine_id)
    try:
        project = project_of(tx, workspace, quarantine.project_id)
    except NotFoundError as error:
        raise NotFoundError(f"There is no quarantine q-{quarantine_id}.") from error
    return quarantine, project


def likely_project(tx: Tx, workspace: Workspace, channel: str) -> Project | None:
    """The project meant when none is named: the only one, or the only one this channel hears about."""
    projects = projects_of(tx, workspace)
    if len(projects) == 1:
        return projects[0]
    routes = subscriptions_in(tx, team=workspace.route_team, channel=channel)
    heard = [project for project in projects if project.id in {route.project_id for route in routes}]
    return heard[0] if len(heard) == 1 else None
