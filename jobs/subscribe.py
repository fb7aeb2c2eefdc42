"""Subscribe: which channel hears about a project, who is which GitHub login, which workspaces there are."""

from dataclasses import replace
from datetime import timedelta

from core.errors import ForbiddenError
from core.tenancy import Person, Project, Role
from jobs.desk import Desk
from jobs.settings import TRUSTED
from storage import audit, slack
from storage.approver import role_of
from storage.database import Tx
from storage.organization import create_organization
from storage.project import get_project
from storage.publication import mend_channel
from storage.slack import Route, SlackInstallation


def subscribe(desk: Desk, route: Route, *, by: Person) -> Project:
    """From now on the channel hears about the project. Admins only, unless the door is trusted."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, route.project_id)
        check_admin(tx, project, by)
        slack.subscribe(tx, route, now)
        mend_channel(tx, route.team, route.channel, now)
        details = {"kinds": route.kinds, "team": route.team}
        audit.record(
            tx, project, by=by, action="channel.subscribed", subject=route.channel, at=now, details=details
        )
    return project


def unsubscribe(desk: Desk, project_id: int, *, team: str, channel: str, by: Person) -> bool:
    """The channel hears no more about the project; False when it did not before."""
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        check_admin(tx, project, by)
        found = slack.unsubscribe(tx, project_id, team=team, channel=channel)
        if found:
            audit.record(tx, project, by=by, action="channel.unsubscribed", subject=channel, at=desk.now())
    return found


def mute(desk: Desk, project_id: int, *, team: str, channel: str, hours: int, by: Person) -> None:
    """Nothing new is said in the channel for a while."""
    now = desk.now()
    with desk.database.begin() as tx:
        project = get_project(tx, project_id)
        check_admin(tx, project, by)
        slack.mute(tx, project_id, team=team, channel=channel, until=now + timedelta(hours=hours))
        audit.record(
            tx, project, by=by, action="channel.muted", subject=channel, at=now, details={"hours": hours}
        )


def link_login(desk: Desk, *, team: str, by: Person, login: str) -> None:
    """The person says which GitHub login is theirs; it only chooses which tests are shown to them."""
    with desk.database.begin() as tx:
        slack.link_login(tx, team=team, user=by.user, login=login)


def install_workspace(desk: Desk, installation: SlackInstallation) -> SlackInstallation:
    """A workspace installed the app, or did so again: it keeps the organization it had."""
    with desk.database.begin() as tx:
        before = slack.find_installation(tx, installation.team)
        organization_id = before.organization_id if before else None
        kept = _with_organization(desk, tx, installation, organization_id)
        slack.put_installation(tx, kept)
    return kept


def uninstall_workspace(desk: Desk, team: str) -> bool:
    """The token is forgotten, the data stays."""
    with desk.database.begin() as tx:
        return slack.revoke_installation(tx, team, desk.now())


def check_admin(tx: Tx, project: Project, by: Person) -> None:
    """Raise ForbiddenError unless the person may change what a project's channels hear."""
    if by.via in TRUSTED:
        return
    if by.foreign or by.guest or role_of(tx, project.id, by.user) is not Role.ADMIN:
        raise ForbiddenError(f"Only admins of {project.repo} may change this.")


def _with_organization(
    desk: Desk, tx: Tx, installation: SlackInstallation, organization_id: int | None
) -> SlackInstallation:
    if organization_id is None:
        # The id in the name keeps a workspace from joining a tenant by choosing its name.
        name = f"{installation.name[:60]} ({installation.team})"
        organization_id = create_organization(tx, name, desk.now()).id
    return replace(installation, organization_id=organization_id)
