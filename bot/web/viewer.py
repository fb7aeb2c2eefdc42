"""Who looks at the pages, and what they may see: asked anew for every page."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.settings import Settings
from bot.slack.tenancy import projects_of
from bot.slack.visit import Visit, Visitor
from bot.slack.workspaces import Workspace
from bot.web.session import ServerSession, Session, SlackSession, TokenSession
from core.errors import NotFoundError
from core.tenancy import Project, Scope
from storage.database import Tx
from storage.project import get_project, list_projects
from storage.sample import samples
from storage.slack import find_installation, login_of
from storage.token import get_token


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is signed in."""

    name: str
    projects: Sequence[Project]
    team: str = ""
    user: str = ""

    def project(self, owner: str, name: str) -> Project:
        """By name without case; what is foreign is missing."""
        wanted = f"{owner}/{name}".lower()
        for project in self.projects:
            if project.repo.lower() == wanted:
                return project
        raise NotFoundError("There is no such page, or you may not see it.")


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides whether a session still counts."""

    settings: Settings
    admin_mark: str
    """Changes with the admin token; empty while there is none."""

    def viewer(self, tx: Tx, session: Session, *, now: datetime) -> Viewer | None:
        """None when the session counts no more: token revoked or expired, app removed from the workspace."""
        match session:
            case SlackSession():
                return self._person(tx, session)
            case TokenSession(token_id):
                return _holder(tx, token_id, now)
            case ServerSession(mark):
                return _operator(tx) if self.admin_mark and _same(mark, self.admin_mark) else None

    def _person(self, tx: Tx, session: SlackSession) -> Viewer | None:
        workspace = self._workspace(tx, session.team)
        if workspace is None:
            return None
        visitor = Visitor(Visit(key="web", team=session.team, user=session.user), workspace)
        login = login_of(tx, team=session.team, user=session.user)
        return Viewer(login or session.user, projects_of(tx, visitor), session.team, session.user)

    def _workspace(self, tx: Tx, team: str) -> Workspace | None:
        """As bot/slack sees it: one workspace sees everything, each of several its own organization."""
        if self.settings.slack_bot_token:
            return Workspace(team, "")
        row = find_installation(tx, team)
        if row is None or row.revoked_at is not None:
            return None
        return Workspace(team, "", row.organization_id, route_team=team)


def _holder(tx: Tx, token_id: int, now: datetime) -> Viewer | None:
    try:
        token = get_token(tx, token_id)
    except NotFoundError:
        return None
    if not token.live(now) or not token.scope.allows(Scope.READ):
        return None
    return Viewer(f"token {token.name or token.id}", [get_project(tx, token.project_id)])


def _operator(tx: Tx) -> Viewer:
    hidden = samples(tx)
    return Viewer("the server's admin token", [one for one in list_projects(tx) if one.id not in hidden])


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
